// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryRing

// A ring segment runs from the root or a stepping node down to the nearest stepping tier, or to the devices. Inside it
// sums only add up, so one ring serves it. Its contributors are devices, each with a weight of at most the devices'
// own maximum, or stepping nodes, each with one voice that weighs as much as all its members may together.

extension Topology {
    /// The most clients that a round can choose among `clientCount`, over-selection included.
    ///
    /// A fraction chooses by independent draws: the bound lies eight standard deviations and 64 above their mean, so
    /// that it is exceeded less than once in 10^14 rounds; what exceeds it is refused as surplus.
    package func cohortMax(among clientCount: UInt64) -> UInt64 {
        switch selection {
        case .fraction(let fraction, let overSelect):
            let mean = min(1, fraction * overSelect) * Double(clientCount)
            guard mean.isFinite, mean >= 0 else { return clientCount }
            return min(clientCount, UInt64((mean + 8 * mean.squareRoot() + 64).rounded(.up)))
        case .count(let count, let overSelect):
            let chosen = Double(count) * overSelect
            guard chosen.isFinite, chosen >= 0, chosen < Double(clientCount) else { return clientCount }
            return min(clientCount, UInt64(chosen.rounded(.up)))
        }
    }

    /// The tier whose nodes contribute to the sums of a stepping tier: the next stepping one, or the devices.
    package func contributorTier(below tier: Int) -> Int {
        tiers.indices.first { $0 > tier && ($0 == tiers.count - 1 || isStepping(tier: $0)) } ?? tiers.count - 1
    }
}

extension TreeLayout {
    /// Gives every stepping node the ring of its segment, lowest tier first; stops at the first that has none, because
    /// those above depend on it.
    mutating func assignRings(_ issues: inout [TopologyIssue]) {
        for position in aggregators.indices.reversed() where topology.isStepping(tier: aggregators[position].tier) {
            guard let bounds = segmentBounds(of: position) else { return }
            guard bounds.cohortMax <= Limits.cohortMax else {
                issues.append(
                    TopologyIssue(
                        .limit, at: "tiers[\(topology.tiers.count - 1)].cohort",
                        "a round may have \(bounds.cohortMax) contributors at '\(aggregators[position].name)', at most "
                            + "\(Limits.cohortMax) fit; choose a smaller cohort"))
                return
            }
            do throws(RingError) {
                aggregators[position].ring = try RingParameters(
                    deltaBound: topology.training.deltaBound, weightMax: bounds.weightMax, cohortMax: bounds.cohortMax)
            } catch {
                issues.append(
                    TopologyIssue(
                        .ring, at: "tiers[\(topology.tiers.count - 1)].train.weight-max",
                        "at '\(aggregators[position].name)' \(error)"))
                return
            }
        }
    }

    /// The largest weight of one contributor and the most contributors; `nil` when a segment below has no ring.
    private func segmentBounds(of position: Int) -> (weightMax: UInt64, cohortMax: UInt64)? {
        let contributorTier = topology.contributorTier(below: aggregators[position].tier)
        guard contributorTier < topology.tiers.count - 1 else {
            return (topology.training.weightMax, max(1, topology.cohortMax(among: aggregators[position].clients.count)))
        }
        var voices = [position]
        for _ in aggregators[position].tier..<contributorTier {
            voices = voices.flatMap { aggregators[$0].children }
        }
        let totals = voices.map { aggregators[$0].ring?.weightTotalMax }
        guard !totals.contains(nil), let weightMax = totals.compactMap(\.self).max() else { return nil }
        return (weightMax, UInt64(voices.count))
    }
}
