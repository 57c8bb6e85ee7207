// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

extension RunRecord {
    /// A quantity over the rounds; `nil` where it was not measured.
    struct Curve: Hashable {
        var name: String
        var values: [Double?]
    }

    /// The accuracies that were measured at all.
    var accuracyCurves: [Curve] {
        curves([
            ("held-out examples", \.accuracy), ("on the devices", \.deviceAccuracy),
            ("while training", \.trainAccuracy),
        ])
    }

    /// The losses that were measured at all.
    var lossCurves: [Curve] {
        curves([
            ("held-out examples", \.loss), ("on the devices", \.deviceLoss), ("while training", \.trainLoss),
        ])
    }

    private func curves(_ paths: [(String, KeyPath<Round, Double?>)]) -> [Curve] {
        paths.map { name, path in Curve(name: name, values: rounds.map { $0[keyPath: path] }) }
            .filter { $0.values.contains { $0 != nil } }
    }

    /// All bytes over all links, both ways.
    package var totalBytes: Double {
        rounds.reduce(0) { total, round in
            total + round.bytesUp.values.reduce(0) { $0 + Double($1) }
                + round.bytesDown.values.reduce(0) { $0 + Double($1) }
        }
    }

    /// What all nodes spent, in joules; `nil` when nothing was measured.
    package var spentJoules: Double? {
        let spent = rounds.compactMap(\.spentJoules)
        return spent.isEmpty ? nil : spent.reduce(0, +)
    }

    /// Whether curves over time say something that curves over rounds do not.
    var hasTimeAxis: Bool { rounds.contains { $0.virtualEnd != nil } || !faults.isEmpty }

    /// Which clock the time axis shows.
    var timeAxisTitle: String { rounds.contains { $0.virtualEnd != nil } ? "virtual time" : "wall time" }

    /// When each round ended: on the virtual clock, or else after the real durations of the rounds before.
    var roundEnds: [Double] {
        var end = 0.0
        return rounds.map { round in
            end = round.virtualEnd ?? (end + (round.virtualSeconds ?? round.wallSeconds))
            return end
        }
    }

    /// Values over the rounds' numbers.
    func points(_ values: [Double?]) -> [(x: Double, y: Double?)] {
        zip(rounds, values).map { (x: Double($0.round), y: $1) }
    }

    /// The tiers among some names, root first; unknown ones follow in alphabetic order.
    func tierNames(in names: some Sequence<String>) -> [String] {
        let present = Set(names)
        let known = tiers.map(\.name).filter { present.contains($0) }
        return known + present.subtracting(known).sorted()
    }

    /// How often a tier's nodes dropped out and why, the most frequent first.
    var dropOuts: [(tier: String, reason: String, count: UInt64)] {
        var totals: [String: [String: UInt64]] = [:]
        for round in rounds {
            for (tier, reasons) in round.dropped {
                totals[tier, default: [:]].merge(reasons) { $0 &+ $1 }
            }
        }
        return totals.flatMap { tier, reasons in reasons.map { (tier: tier, reason: $0.key, count: $0.value) } }
            .sorted { ($1.count, $0.tier, $0.reason) < ($0.count, $1.tier, $1.reason) }
    }

    /// How often something was refused and why, the most frequent first.
    var refusals: [(reason: String, count: UInt64)] {
        var totals: [String: UInt64] = [:]
        for round in rounds { totals.merge(round.refused) { $0 &+ $1 } }
        return totals.map { (reason: $0.key, count: $0.value) }
            .sorted { ($1.count, $0.reason) < ($0.count, $1.reason) }
    }
}

extension RunRecord.Round {
    /// What all nodes spent in the round, in joules; `nil` when nothing was measured.
    var spentJoules: Double? {
        guard !energyJoules.isEmpty else { return nil }
        return energyJoules.sorted { $0.key < $1.key }.reduce(0) { $0 + $1.value.compute + $1.value.radio }
    }
}
