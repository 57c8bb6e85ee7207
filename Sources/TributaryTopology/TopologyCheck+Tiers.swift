// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

// Checks of the tiers and nodes that need no tree.

extension TopologyCheck {
    /// Checks every tier by itself and the tiers' order.
    mutating func checkTiers() {
        let tiers = topology.tiers
        guard tiers.count >= 2 else {
            report(.tiers, "tiers", "a tree needs at least two tiers, a root and devices; found \(tiers.count)")
            return
        }
        guard tiers.count <= Limits.tierCountMax else {
            report(.limit, "tiers", "at most \(Limits.tierCountMax) tiers are possible; found \(tiers.count)")
            return
        }
        var names: Set<String> = []
        for index in tiers.indices {
            checkName(tiers[index].name, "tiers[\(index)].name", &names, of: "tier")
            checkFanOut(index)
            if index < tiers.count - 1 { checkAggregatorTier(index) } else { checkDeviceTier(index) }
        }
        checkDeadlines()
        for (name, override) in topology.nodes.sorted(by: { $0.key < $1.key }) { checkOverride(override, of: name) }
    }

    private mutating func checkName(_ name: String, _ path: String, _ names: inout Set<String>, of what: String) {
        if !Self.isNodeName(name) { report(.name, path, "'\(name)' cannot be a \(what)'s name; \(Self.nameRule)") }
        if !names.insert(name).inserted {
            report(.duplicateName, path, "two \(what)s are called '\(name)'; give each its own name")
        }
    }

    private mutating func checkFanOut(_ index: Int) {
        let path = topology.fanOutPath(tier: index)
        switch topology.tiers[index].fanOut {
        case .one:
            if index > 0 {
                report(
                    .count, path,
                    "tier '\(topology.tiers[index].name)' does not say how many nodes it has; "
                        + "give 'nodes', 'count' or 'per-parent'")
            }
        case .names(let listed):
            if listed.isEmpty { report(.count, path, "a tier needs at least one node") }
            if index == 0, listed.count > 1 { report(.count, path, "the first tier is the root: one node only") }
            var names: Set<String> = []
            for (position, name) in listed.enumerated() {
                checkName(name, "\(path)[\(position)]", &names, of: "node")
            }
        case .count(let count), .perParent(let count):
            if index == 0 {
                report(.misplaced, path, "the first tier is the root: one node, named as its tier or by 'nodes'")
            } else if count < 1 {
                report(.count, path, "a tier needs at least one node")
            }
            checkCountedName(index)
        }
    }

    private mutating func checkCountedName(_ index: Int) {
        // A hyphen and at most 13 digits (2^40 nodes) follow the stem.
        let name = topology.tiers[index].name
        if name.utf8.count > Limits.nameByteCountMax - 14 {
            report(
                .name, "tiers[\(index)].name",
                "'\(name)' is too long to be followed by a number; use at most \(Limits.nameByteCountMax - 14) bytes")
        }
    }

    private mutating func checkAggregatorTier(_ index: Int) {
        let tier = topology.tiers[index]
        let path = "tiers[\(index)]"
        checkQuorum(tier.quorum, "\(path).quorum")
        if tier.edgeRounds < 1 || tier.edgeRounds > 1000 {
            report(.range, "\(path).edge-rounds", "edge rounds must lie in 1...1000")
        } else if index == 0, tier.edgeRounds > 1 {
            report(.misplaced, "\(path).edge-rounds", "the root has no edge rounds; say 'rounds' at the top instead")
        }
        if tier.islandRounds > 1000 {
            report(.range, "\(path).island.edge-rounds", "edge rounds without the parent must lie in 0...1000")
        } else if index == 0, tier.islandRounds > 0 {
            report(.misplaced, "\(path).island", "the root has no parent to be without")
        }
        if let deadline = tier.deadline, index > 0 {
            report(
                .misplaced, "\(path).deadline",
                "only the root has a deadline (\(deadline.unitText) here); inner ones are derived, 'config' shows them")
        }
        if index > 0, tier.signatures != .checked {
            report(.misplaced, "\(path).signatures", "only the root demands signatures, of the whole tree")
        }
        if let optimizer = tier.optimizer { checkOptimizer(optimizer, "\(path).optimizer") }
        if let uplink = tier.uplink, index > 0 {
            let natural = topology.uplink(ofTier: index)
            if uplink != natural {
                report(
                    .misplaced, "\(path).uplink.encoding",
                    natural == .exact
                        ? "a pass-through tier sends exact sums; use exact, or give the tier an optimizer"
                        : "a stepping tier sends one delta, not sums; use float32")
            }
        } else if tier.uplink != nil {
            report(.misplaced, "\(path).uplink", "the root has no uplink")
        }
    }

    private mutating func checkDeviceTier(_ index: Int) {
        let tier = topology.tiers[index]
        let path = "tiers[\(index)]"
        for (key, isGiven) in [
            ("optimizer", tier.optimizer != nil), ("deadline", tier.deadline != nil),
            ("edge-rounds", tier.edgeRounds != 1), ("listen", tier.listen != nil),
            ("advertise", tier.advertise != nil), ("island", tier.islandRounds > 0),
            ("join", tier.join != nil),
            ("signatures", tier.signatures != .checked),
        ] where isGiven {
            report(.misplaced, "\(path).\(key)", "'\(key)' belongs to aggregators; '\(tier.name)' holds the devices")
        }
        if tier.uplink == .exact {
            report(.misplaced, "\(path).uplink.encoding", "devices send deltas, not sums; use float32")
        }
        checkCohort(tier.cohort, "\(path).cohort")
        checkTraining(tier.training, "\(path).train")
    }

    private mutating func checkQuorum(_ quorum: Double, _ path: String) {
        guard quorum > 0, quorum <= 1 else {
            report(.quorum, path, "a quorum is a share of the chosen clients in (0, 1]")
            return
        }
        let overSelect = topology.selection.overSelect
        if overSelect > 1, quorum * overSelect > 1 {
            let percent = Int((100 / overSelect).rounded(.down))
            report(
                .quorum, path,
                "no cohort can reach this quorum: with over-select \(overSelect) a round closes "
                    + "when \(percent) % of the chosen clients have reported")
        }
    }

    private mutating func checkCohort(_ cohort: Selection, _ path: String) {
        switch cohort {
        case .fraction(let fraction, _):
            if !(fraction > 0 && fraction <= 1) { report(.range, "\(path).fraction", "a fraction lies in (0, 1]") }
        case .count(let count, _):
            if count < 1 { report(.range, "\(path).count", "a cohort needs at least one client") }
        }
        if !(cohort.overSelect >= 1 && cohort.overSelect <= 10) {
            report(.range, "\(path).over-select", "over-select must lie in 1...10")
        }
    }

    private mutating func checkOverride(_ override: NodeOverride, of name: String) {
        if let quorum = override.quorum { checkQuorum(quorum, "nodes.\(name).quorum") }
        if let children = override.children, children < 1 {
            report(.count, "nodes.\(name).children", "a node needs at least one child")
        }
    }

    /// The shortest time that a device may be left with: below it, sending alone eats the round.
    private static let deviceTimeMin = Duration.milliseconds(100)

    private mutating func checkDeadlines() {
        let deadline = topology.tiers[0].deadline ?? Tier.deadlineDefault
        guard deadline > .zero, deadline <= .seconds(7 * 24 * 3600) else {
            report(.deadline, "tiers[0].deadline", "a deadline must be positive and at most a week")
            return
        }
        let last = topology.timesOpen.last ?? deadline
        if last < Self.deviceTimeMin {
            report(
                .deadline, "tiers[0].deadline",
                "after the inner tiers' shares and edge rounds a device would have \(last.milliseconds) ms, "
                    + "at least \(Self.deviceTimeMin.milliseconds) ms are needed; raise the deadline")
        }
    }
}

extension Topology {
    /// How long one round (or edge round) of each aggregator tier stays open when nothing is lost on the way.
    ///
    /// Root first; the last value is also what devices have.
    package var timesOpen: [Duration] {
        guard let root = tiers.first else { return [] }
        var times = [root.deadline ?? Tier.deadlineDefault]
        for tier in tiers.dropFirst().dropLast() {
            let open = DeadlineRule.derived.timeOpen(timeLeft: times[times.count - 1])
            times.append(DeadlineRule.edgeRound(of: open, edgeRoundsLeft: tier.edgeRounds))
        }
        return times
    }
}
