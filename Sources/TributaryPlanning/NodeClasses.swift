// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryTopology

/// The aggregators of a tree sorted into kinds: those with the same link, devices and children are worked out once.
struct NodeClasses {
    /// Aggregators that are alike.
    struct Class {
        let tier: Int
        /// One of them.
        let position: Int
        var count = 0
        let link: LinkSettings
        /// Devices directly below one of them, and those of them with links of their own.
        let deviceCount: UInt64
        let deviceLinks: [LinkSettings: Int]
        /// Children by class.
        let children: [Int: Int]
        let clientCount: UInt64
        /// Clients below one that a round chooses, and waits for, on average.
        var chosen = 0.0
        var reporting = 0.0
        /// The chance that a round chooses anybody below.
        var chance = 1.0
        /// What it says to its parent; `nil` where the model is not known, empty at the root.
        var dialogue: Dialogue?
        /// What each of its devices says to it; `nil` above other aggregators.
        var deviceDialogue: Dialogue?
        fileprivate var load = DialogueWriter.SumLoad(names: 0, contributors: 0, workings: 0)
    }

    private struct Key: Hashable {
        let tier: Int
        let link: LinkSettings
        let deviceCount: UInt64
        let deviceLinks: [LinkSettings: Int]
        let children: [Int: Int]
    }

    /// Lowest tier first, so that children stand before their parents; the root's last.
    private(set) var all: [Class] = []
    private let choice: Choice

    /// Sorts a tree's aggregators; `availability` is the share of the devices that are awake.
    init(_ tree: Tree, workload: Workload?, availability: Double) {
        choice = Choice(tree, availability: availability)
        let settings = tree.topology.simulation
        let deviceLinks = Self.deviceLinks(tree)
        var known: [Key: Int] = [:]
        var classOf = [Int](repeating: 0, count: tree.aggregators.count)
        for position in tree.aggregators.indices.reversed() {
            let node = tree.aggregators[position]
            let key = Key(
                tier: node.tier,
                link: settings.nodeLinks[node.name.value] ?? settings.link(ofTier: tree.topology.tiers[node.tier].name),
                deviceCount: node.devices.count, deviceLinks: deviceLinks[position] ?? [:],
                children: node.children.reduce(into: [:]) { $0[classOf[$1], default: 0] += 1 })
            let index = known[key] ?? all.count
            if index == all.count {
                known[key] = index
                all.append(
                    Class(
                        tier: key.tier, position: position, link: key.link, deviceCount: key.deviceCount,
                        deviceLinks: key.deviceLinks, children: key.children, clientCount: node.clients.count))
            }
            all[index].count += 1
            classOf[position] = index
        }
        for index in all.indices { choose(index, tree) }
        if let workload { speak(tree, workload) }
    }

    /// The devices that have links of their own, by the aggregator above them.
    private static func deviceLinks(_ tree: Tree) -> [Int: [LinkSettings: Int]] {
        var links: [Int: [LinkSettings: Int]] = [:]
        for (name, link) in tree.topology.simulation.nodeLinks {
            guard let client = tree.client(named: NodeName(name)), let parent = tree.parent(of: client) else {
                continue
            }
            links[parent, default: [:]][link, default: 0] += 1
        }
        return links
    }

    private mutating func choose(_ index: Int, _ tree: Tree) {
        let isAboveDevices = all[index].children.isEmpty
        if isAboveDevices {
            all[index].chosen = choice.chosen(of: all[index].deviceCount)
            all[index].reporting = choice.target(all[index].chosen)
            all[index].load.names = all[index].reporting
        } else {
            for (child, count) in all[index].children {
                all[index].chosen += all[child].chosen * Double(count)
                all[index].reporting += all[child].reporting * Double(count)
                let isVoice = tree.topology.isStepping(tier: all[child].tier)
                all[index].load.names += (isVoice ? 1 : all[child].load.names) * Double(count)
            }
        }
        all[index].chance = choice.chanceOfAny(of: all[index].clientCount)
        all[index].load.contributors = all[index].reporting
        // At the start, at the end, and one a second between: a few seconds, as most rounds last.
        all[index].load.workings = 4 * Double(tree.topology.tiers[all[index].tier].edgeRounds)
    }

    private mutating func speak(_ tree: Tree, _ workload: Workload) {
        var writer = DialogueWriter(tree, workload)
        for index in all.indices {
            all[index].dialogue = writer.aggregator(all[index].position, all[index].load)
            if all[index].children.isEmpty { all[index].deviceDialogue = writer.device(below: all[index].position) }
        }
    }

    /// The classes of a tier.
    func inTier(_ tier: Int) -> [Class] { all.filter { $0.tier == tier } }
}

/// Whom a round chooses, on average.
struct Choice {
    private let selection: Selection
    private let deviceCount: Double
    private let availability: Double

    init(_ tree: Tree, availability: Double) {
        selection = tree.topology.selection
        deviceCount = Double(tree.deviceCount)
        self.availability = availability
    }

    /// The chance of a device to be chosen, where each is drawn for itself; `nil` for counted choices.
    var chance: Double? {
        guard case .fraction(let fraction, let overSelect) = selection else { return nil }
        return min(1, fraction * overSelect) * availability
    }

    /// How many of so many devices below one aggregator are chosen.
    func chosen(of count: UInt64) -> Double {
        if let chance { return chance * Double(count) }
        guard case .count(let wanted, let overSelect) = selection, deviceCount > 0 else { return 0 }
        let share = Double(wanted) * Double(count) / deviceCount
        return min(Double(count) * availability, share * overSelect)
    }

    /// How many of so many devices below one aggregator may be chosen, at least one, with the chance of each number.
    ///
    /// Independent choices make a binomial number; a wide one is taken at every so many of its values.
    func chosenCounts(of count: UInt64) -> [(chosen: Double, weight: Double)] {
        let mean = chosen(of: count)
        guard let chance, chance < 1 else {
            let (low, part) = (mean.rounded(.down), mean - mean.rounded(.down))
            return [(low, 1 - part), (low + 1, part)].filter { $0.0 >= 1 && $0.1 > 0 }
        }
        let spread = (mean * (1 - chance)).squareRoot()
        let step = max(1, (spread / 5).rounded(.down))
        let start = mean.rounded(.down)
        var counts: [(chosen: Double, weight: Double)] = [(start, 1)]
        for direction in [step, -step] {
            var (value, weight) = (start, 1.0)
            while weight > 1e-9 {
                for _ in 0..<Int(step) {
                    let low = direction > 0 ? value : value - 1
                    let ratio = (Double(count) - low) / (low + 1) * chance / (1 - chance)
                    weight *= direction > 0 ? ratio : 1 / ratio
                    value += direction > 0 ? 1 : -1
                    if value < 0 || value > Double(count) { weight = 0 }
                }
                if weight > 0 { counts.append((value, weight)) }
            }
        }
        let total = counts.reduce(0) { $0 + $1.weight }
        return counts.map { ($0.chosen, $0.weight / total) }.filter { $0.chosen >= 1 }
    }

    /// How many of so many chosen devices an aggregator waits for.
    func target(_ chosen: Double) -> Double { chosen / selection.overSelect }

    /// The chance that any of so many devices is chosen.
    func chanceOfAny(of count: UInt64) -> Double {
        guard let chance else { return min(1, chosen(of: count)) }
        return SpecialFunctions.oneMinusExp(Double(count) * SpecialFunctions.logOnePlus(-chance))
    }
}
