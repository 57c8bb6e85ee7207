// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryTopology

/// What a capacity plan warns of, and what it takes for granted.
struct CapacityCheck {
    let tree: Tree
    let tiers: [CapacityPlan.Tier]
    let classes: NodeClasses
    /// The chance that one chosen device has answered in time and stayed awake.
    let onTimeShare: Double
    /// The share of the devices that are awake on average.
    let availability: Double
    let descriptorMax: UInt64?

    var issues: [TopologyIssue] { deadlines + quorums + fanIns + descriptors }

    private func warning(_ code: TopologyIssue.Code, _ path: String, _ message: String) -> TopologyIssue {
        TopologyIssue(code, at: path, message, severity: .warning)
    }

    private var deadlines: [TopologyIssue] {
        tiers.enumerated().compactMap { index, tier in
            guard tier.mode != .devices, tier.time.p95 > tier.timeOpen.seconds else { return nil }
            let what = tree.topology.tiers[index].edgeRounds > 1 ? "an edge round" : "a round"
            let often = tier.time.median > tier.timeOpen.seconds ? "more than half" : "at least one in twenty"
            return warning(
                .deadline, "tiers[0].deadline",
                "\(what) of '\(tier.name)' needs \(Self.text(tier.time.p95)) at p95 (median "
                    + "\(Self.text(tier.time.median))) and is closed after \(Self.text(tier.timeOpen.seconds)): "
                    + "\(often) end without the slowest; raise the deadline or over-select")
        }
    }

    private var quorums: [TopologyIssue] {
        let topology = tree.topology
        var issues: [TopologyIssue] = []
        let reported = min(1 / topology.selection.overSelect, onTimeShare)
        for (index, tier) in topology.tiers.dropLast().enumerated() where tier.quorum > reported * (1 + 1e-9) {
            issues.append(
                warning(
                    .quorum, "tiers[\(index)].quorum",
                    "'\(tier.name)' needs \(Self.percent(tier.quorum)) of the chosen devices, and about "
                        + "\(Self.percent(reported)) answer in \((topology.timesOpen.last ?? .zero).unitText) and stay "
                        + "awake; lower the quorum, raise the deadline or give the devices less work"))
        }
        for (index, tier) in topology.tiers.dropLast().enumerated() where tier.quorum > availability {
            issues.append(
                warning(
                    .quorum, "tiers[\(index)].quorum",
                    "on average \(Self.percent(availability)) of the devices are awake, fewer than the "
                        + "\(Self.percent(tier.quorum)) of all that '\(tier.name)' waits for before its first round; "
                        + "that round opens late"))
        }
        if case .count(let count, let overSelect) = topology.selection {
            let awake = Double(tree.deviceCount) * availability
            if (Double(count) * overSelect).rounded(.up) > awake {
                issues.append(
                    warning(
                        .quorum, "tiers[\(topology.tiers.count - 1)].cohort.count",
                        "a round asks \(Int((Double(count) * overSelect).rounded(.up))) devices, and on average "
                            + "\(Int(awake)) are awake; choose fewer"))
            }
        }
        return issues
    }

    private var fanIns: [TopologyIssue] {
        tiers.enumerated().compactMap { index, tier in
            guard tier.mode != .devices, tier.fanIn > UInt64(Limits.childCountMax) else { return nil }
            return warning(
                .limit, "tiers[\(index + 1)]",
                "a node of '\(tier.name)' has \(tier.fanIn) children, and at most \(Limits.childCountMax) can be "
                    + "connected at a time; add nodes to '\(tier.name)' or a tier below it (a simulation does not mind)"
            )
        }
    }

    private var descriptors: [TopologyIssue] {
        guard let descriptorMax else { return [] }
        return tiers.enumerated().compactMap { index, tier in
            let needed = tier.resources.descriptorCount
            guard needed > descriptorMax else { return nil }
            return warning(
                .limit, "tiers[\(index)]",
                "a node of '\(tier.name)' needs \(needed) open files, and a process may have \(descriptorMax) "
                    + "here; raise the limit (ulimit -n, LimitNOFILE) on its host")
        }
    }

    static func assumptions(_ topology: Topology) -> [String] {
        let simulation = topology.simulation
        var texts = [
            "every link has its own capacity; a node's computing, a host's interface and disks take no time",
            "sums between aggregators: the mean delta's largest value in a block of 1024 is 1/16; four times more or "
                + "less changes their size by about a twentieth",
        ]
        if simulation.compute == .default, simulation.classes.isEmpty {
            texts.append("a batch takes 10 ms, as where a file's 'simulate' section says nothing")
        }
        if topology.hasPerfectLinks {
            texts.append("all links are perfect, as where a file's 'simulate' section says nothing")
        }
        if !simulation.faults.isEmpty { texts.append("the faults of the 'simulate' section are not priced") }
        let models = [simulation.availability] + simulation.classes.compactMap(\.availability)
        if models.contains(where: { if case .diurnal = $0 { true } else { false } }) {
            texts.append("availability is the mean over the day")
        }
        if models.contains(where: { if case .trace = $0 { true } else { false } }) {
            texts.append("a trace of availability is not read: its devices count as always awake")
        }
        if topology.evaluation.onDevices != nil {
            texts.append("evaluation on the devices is not priced: each sends the model down once more")
        }
        return texts
    }

    private static func percent(_ share: Double) -> String { "\(Int((share * 100).rounded())) %" }

    private static func text(_ seconds: Double) -> String { seconds.secondsText }
}

extension Double {
    /// Seconds for people, with three digits: `12.3 s`, `450 ms`, `2.5 h`.
    package var secondsText: String {
        guard isFinite, self < 1e12 else { return "forever" }
        let units: [(name: String, size: Double, from: Double)] = [
            ("d", 86_400, 172_800), ("h", 3600, 7200), ("min", 60, 120), ("s", 1, 0.9995), ("ms", 1e-3, 0.9995e-3),
            ("us", 1e-6, 0.5e-6),
        ]
        guard let (name, size, _) = units.first(where: { self >= $0.from }) else { return "0 s" }
        let value = self / size
        if value >= 99.5 { return "\(Int(value.rounded())) \(name)" }
        let scale = value >= 9.995 ? 10.0 : 100.0
        let digits = Int((value * scale).rounded())
        let fraction = String(digits % Int(scale))
        let padded = String(repeating: "0", count: (scale == 10 ? 1 : 2) - fraction.count) + fraction
        return "\(digits / Int(scale)).\(padded) \(name)"
    }
}
