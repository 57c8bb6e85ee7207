// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// With F the distribution of one chosen device's time, an aggregator with N devices, each chosen with probability p,
// waits until t with probability (1 - p S(t))^N, S = 1 - F: the binomial mean of F^n. With n chosen, of whom it waits
// for k (over-selection), the probability is that of at least k of n, an incomplete beta function of F. Above,
// sub-trees are independent: the latest child has the product of the children's distributions, each with its link's
// dialogue added on both sides, and edge rounds add up. Nodes compute nothing that takes time, and no deadline cuts a
// time short here.

import TributaryCore
import TributaryTopology

/// How long a round takes, from the devices up.
package struct RoundTime: Sendable {
    /// The middle and the slow end of a time, in seconds.
    package struct Quantiles: Hashable, Sendable {
        package let median: Double
        /// Nineteen of twenty are faster.
        package let p95: Double

        init(_ time: TimeDistribution) {
            median = time.quantile(0.5)
            p95 = time.quantile(0.95)
        }
    }

    /// A piece of the path that a round typically waits for.
    package struct Part: Hashable, Sendable {
        /// What takes the time.
        package enum Kind: String, Hashable, Sendable {
            case downlink
            case uplink
            case latency
            /// Exponential jitter and retransmission timers.
            case jitter
            case training
        }
        package let kind: Kind
        /// The tier whose nodes train, or whose links to their parents it is.
        package let tier: String
        /// Seconds in one round of the root.
        package let seconds: Double

        /// The part as often as rounds repeat it.
        func times(_ rounds: Double) -> Part { Part(kind: kind, tier: tier, seconds: seconds * rounds) }

        /// One part of each kind and tier, the largest first.
        static func merged(_ parts: [Part]) -> [Part] {
            var merged: [Part] = []
            for part in parts where part.seconds > 0 {
                if let index = merged.firstIndex(where: { $0.kind == part.kind && $0.tier == part.tier }) {
                    let seconds = merged[index].seconds + part.seconds
                    merged[index] = Part(kind: part.kind, tier: part.tier, seconds: seconds)
                } else {
                    merged.append(part)
                }
            }
            return merged.sorted { $0.seconds > $1.seconds }
        }
    }

    /// By tier, root first: one round (or edge round) of the slowest kind of its nodes; for devices, one device.
    package let tiers: [Quantiles]
    /// What the round of the root is made of, the largest part first.
    package let parts: [Part]
    /// The share of the chosen devices that send their whole delta; below 1 under over-selection.
    let uploadShare: Double
    /// The chance that one chosen device has answered within the devices' time and stayed awake.
    let onTimeShare: Double

    /// One round of the root.
    package var round: Quantiles { tiers[0] }

    init(_ tree: Tree, _ workload: Workload, _ classes: NodeClasses, _ choice: Choice) {
        var work = RoundTimeWork(tree, workload, classes, choice)
        work.run()
        let times = work.times
        let topology = tree.topology
        tiers = topology.tiers.indices.map { tier in
            if tier == topology.tiers.count - 1 { return Quantiles(work.anyDevice) }
            let slowest = classes.all.indices.filter { classes.all[$0].tier == tier }
                .max { times[$0].quantile(0.95) < times[$1].quantile(0.95) }
            return Quantiles(slowest.map { times[$0] } ?? TimeDistribution(always: 0))
        }
        parts = Part.merged(work.parts())
        uploadShare = work.uploadShare()
        onTimeShare = work.onTimeShare(within: (topology.timesOpen.last ?? .zero).seconds)
    }
}

/// The working out of a round's time, class by class.
private struct RoundTimeWork {
    let tree: Tree
    let classes: NodeClasses
    let choice: Choice
    let kinds: [DeviceKind]
    /// How long a round (or edge round) of each class is open below it.
    private(set) var times: [TimeDistribution] = []
    private var deviceTimes: [Dialogue: DeviceTimes] = [:]

    init(_ tree: Tree, _ workload: Workload, _ classes: NodeClasses, _ choice: Choice) {
        self.tree = tree
        self.classes = classes
        self.choice = choice
        kinds = DeviceKind.all(of: tree.topology, workload)
    }

    mutating func run() {
        for one in classes.all {
            if let dialogue = one.deviceDialogue {
                let devices = deviceTimes[dialogue] ?? DeviceTimes(dialogue, kinds)
                deviceTimes[dialogue] = devices
                times.append(collection(of: one, devices))
            } else {
                times.append(
                    .latest(one.children.sorted { $0.key < $1.key }.map { (answer(of: $0.key), Double($0.value)) }))
            }
        }
    }

    /// From a plan to a child of a class until its answer has arrived.
    private func answer(of index: Int) -> TimeDistribution {
        let one = classes.all[index]
        guard let dialogue = one.dialogue else { return times[index] }
        let link = LinkTime(dialogue, over: one.link)
        let rounds = tree.topology.tiers[one.tier].edgeRounds
        return link.addingDraws(to: times[index].repeated(rounds).adding(link.fixed))
    }

    /// Until enough of the chosen devices have answered.
    private func collection(of one: NodeClasses.Class, _ devices: DeviceTimes) -> TimeDistribution {
        let overSelect = tree.topology.selection.overSelect
        if overSelect > 1 {
            // Who has a link of its own is taken for any other: one of many.
            let counts = choice.chosenCounts(of: one.deviceCount).map { count in
                (chosen: count.chosen, target: (count.chosen / overSelect).rounded(.up), weight: count.weight)
            }
            return TimeDistribution(from: 0, to: devices.any.end) { time in
                let above = devices.any.survival(time)
                return counts.reduce(0) {
                    $0 + $1.weight * SpecialFunctions.betaShare(above, $1.chosen - $1.target + 1, $1.target)
                }
            }
        }
        let own = one.deviceLinks.map { (time: devices.time(over: $0.key), count: Double($0.value)) }
        let ordinary = (time: devices.any, count: Double(one.deviceCount) - own.reduce(0) { $0 + $1.count })
        guard let chance = choice.chance else {
            let share = one.deviceCount > 0 ? one.chosen / Double(one.deviceCount) : 0
            return .latest((own + [ordinary]).map { ($0.time, $0.count * share) })
        }
        let all = own + [ordinary].filter { $0.count > 0 }
        guard chance < 1 else { return .latest(all) }
        let start = all.map(\.time.start).min() ?? 0
        return TimeDistribution(from: 0, to: max(start, all.map(\.time.end).max() ?? 0)) { time in
            SpecialFunctions.oneMinusExp(
                all.reduce(0) { $0 + $1.count * SpecialFunctions.logOnePlus(-chance * $1.time.survival(time)) })
        }
    }

    // MARK: What follows

    /// The device times of the largest number of devices.
    private var typical: (parent: Int, devices: DeviceTimes)? {
        let parents = classes.all.indices.filter { classes.all[$0].children.isEmpty }
        let parent = parents.max { left, right in
            classes.all[left].chosen * Double(classes.all[left].count)
                < classes.all[right].chosen * Double(classes.all[right].count)
        }
        guard let parent, let dialogue = classes.all[parent].deviceDialogue, let devices = deviceTimes[dialogue] else {
            return nil
        }
        return (parent, devices)
    }

    var anyDevice: TimeDistribution { typical?.devices.any ?? TimeDistribution(always: 0) }

    /// Devices beyond the target send their deltas only if they have offered them before the round closes.
    func uploadShare() -> Double {
        guard tree.topology.selection.overSelect > 1, let (parent, devices) = typical else { return 1 }
        let end = times[parent].quantile(0.5)
        let total = devices.parts.reduce(0) { $0 + $1.kind.share }
        return devices.parts.reduce(0) { sum, part in
            let offer = LinkTime(devices.dialogue.offer, over: part.kind.link).adding(part.kind.compute, part.kind.work)
            return sum + part.kind.share / total * (1 - offer.survival(end))
        }
    }

    func onTimeShare(within seconds: Double) -> Double {
        guard let devices = typical?.devices else { return 1 }
        let simulation = tree.topology.simulation
        let time = devices.any.quantile(0.5)
        return (1 - devices.any.survival(seconds)) * simulation.availability.chanceToStay(time)
    }

    /// Follows the path that a round of median length waits for, from the root down; all parts add up to the round.
    func parts() -> [RoundTime.Part] {
        let topology = tree.topology
        var parts: [RoundTime.Part] = []
        var index = classes.all.count - 1
        var rounds = 1.0
        // What is left of the round for the node at hand.
        var end = times[index].quantile(0.5)
        while !classes.all[index].children.isEmpty, let last = lastChild(of: index, at: end) {
            index = last
            let one = classes.all[index]
            let tier = topology.tiers[one.tier]
            let link = Self.parts(one.dialogue ?? Dialogue(), over: one.link, tier.name)
            parts += link.map { $0.times(rounds) }
            end = max(0, end - link.reduce(0) { $0 + $1.seconds }) / Double(tier.edgeRounds)
            rounds *= Double(tier.edgeRounds)
        }
        guard let dialogue = classes.all[index].deviceDialogue, let devices = deviceTimes[dialogue],
            let critical = devices.critical(at: end)
        else { return parts }
        let name = topology.tiers[topology.tiers.count - 1].name
        let link = Self.parts(dialogue, over: critical.kind.link, name)
        let rest = max(0, end - link.reduce(0) { $0 + $1.seconds })
        // What is drawn beyond the average: by the compute model where it draws, else by the link.
        let median = critical.kind.compute.median(critical.kind.work)
        let training = critical.kind.compute.sigma > 0 ? rest : min(rest, median)
        let own = [
            RoundTime.Part(kind: .training, tier: name, seconds: training),
            RoundTime.Part(kind: .jitter, tier: name, seconds: rest - training),
        ]
        return parts + (link + own).map { $0.times(rounds) }
    }

    /// The class of the child that is most likely the last to answer at a moment.
    private func lastChild(of index: Int, at end: Double) -> Int? {
        let answers = classes.all[index].children.sorted { $0.key < $1.key }
            .map { (index: $0.key, count: Double($0.value), time: answer(of: $0.key)) }
        return answers.max { left, right in
            let chances = [left, right].map { $0.count * $0.time.survival(end * (1 - 1e-9)) }
            return (chances[0], left.time.end) < (chances[1], right.time.end)
        }?.index
    }

    private static func parts(
        _ dialogue: Dialogue, over link: LinkSettings, _ tier: String
    ) -> [RoundTime.Part] {
        let time = LinkTime(dialogue, over: link)
        return [
            RoundTime.Part(kind: .downlink, tier: tier, seconds: time.down),
            RoundTime.Part(kind: .uplink, tier: tier, seconds: time.up),
            RoundTime.Part(kind: .latency, tier: tier, seconds: time.latency),
            RoundTime.Part(kind: .jitter, tier: tier, seconds: dialogue.meanDraws(link)),
        ].filter { $0.seconds > 0 }
    }
}
