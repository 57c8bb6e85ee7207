// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import TributaryCore
internal import TributaryRing

/// What an accumulator holds beside its values: total weights, contributors and metrics.
struct AccumulatorTotals: Hashable, Sendable {
    var weights: [UInt64]
    var contributorCount: UInt64 = 0
    var metrics = MetricTotals()

    /// Adds contributors, their weights (one for each group) and their checked metrics.
    ///
    /// - Throws: when a bound would be exceeded; nothing changes.
    mutating func add(
        contributorCount count: UInt64, weights added: [UInt64], metrics: [MetricCounter], groups: [GroupPlan]
    ) throws(AggregationError) {
        guard count <= Limits.cohortMax, contributorCount <= Limits.cohortMax - count else {
            throw .contributorCount(maximum: Limits.cohortMax)
        }
        for (index, group) in groups.enumerated() {
            let maximum = group.ring.weightTotalMax
            guard added[index] <= maximum, weights[index] <= maximum - added[index] else {
                throw .totalWeight(group: group.name, maximum: maximum)
            }
        }
        try self.metrics.add(metrics)
        contributorCount += count
        for index in groups.indices { weights[index] += added[index] }
    }

    /// Takes out what was added.
    ///
    /// - Throws: `AggregationError.notContained`; nothing changes.
    mutating func takeOut(
        contributorCount count: UInt64, weights removed: [UInt64], metrics: [MetricCounter]
    ) throws(AggregationError) {
        var next = self
        guard contributorCount >= count, zip(weights, removed).allSatisfy({ $0 >= $1 }) else { throw .notContained }
        next.contributorCount -= count
        next.weights = zip(weights, removed).map { $0 - $1 }
        guard next.contributorCount > 0 || next.weights.allSatisfy({ $0 == 0 }) else { throw .notContained }
        try next.metrics.takeOut(metrics)
        self = next
    }
}
