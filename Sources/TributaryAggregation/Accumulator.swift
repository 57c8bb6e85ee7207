// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
internal import TributaryRing

/// One update, or one stepping aggregator's voice, on its way into a sum.
package struct Contribution {
    /// One entry for each group of the plan, in its order.
    package var groups: [Update.Group]
    package var metrics: [MetricCounter]
    /// The groups' encoded values one after another, at any address; empty when the plan has no groups.
    package var body: UnsafeRawBufferPointer

    package init(groups: [Update.Group], metrics: [MetricCounter], body: UnsafeRawBufferPointer) {
        self.groups = groups
        self.metrics = metrics
        self.body = body
    }
}

/// The sum of one round at one node: ring integers and total weights per group, contributors and metric counters.
///
/// What it holds is a function of the set that was added: any order, any batches and any grouping into partial sums
/// give the same bits, and taking out undoes adding. Anonymous memory: 8 bytes a parameter and a constant; bodies are
/// read where they lie. One thread uses it at a time.
package struct Accumulator: ~Copyable, Sendable {
    /// The most updates that one call folds.
    package static let batchCountMax = RingVector.foldInputCountMax

    /// The plan of each group.
    package let groups: [GroupPlan]
    /// The number of parameters of all groups.
    package var parameterCount: Int { vector.count }
    /// Where each group's values lie in the flat vector of all groups.
    package let ranges: [Range<Int>]

    var vector: RingVector
    var totals: AccumulatorTotals

    /// Takes memory for the sums of a plan's groups; they start at zero.
    ///
    /// - Throws: `AggregationError.tooLarge` beyond `Limits.objectByteCountMax`, `AggregationError.memory`.
    package init(groups: [GroupPlan]) throws(AggregationError) {
        var ranges: [Range<Int>] = []
        var offset: UInt64 = 0
        for group in groups {
            let (end, overflow) = offset.addingReportingOverflow(group.parameterCount)
            guard !overflow, end <= Limits.objectByteCountMax / 4 else {
                throw .tooLarge(parameterCount: overflow ? .max : end)
            }
            ranges.append(Int(offset)..<Int(end))
            offset = end
        }
        do throws(RingError) {
            vector = try RingVector(count: Int(offset))
        } catch {
            throw .memory(error.description)
        }
        self.groups = groups
        self.ranges = ranges
        totals = AccumulatorTotals(weights: groups.map { _ in 0 })
    }

    /// The number of updates in the sum.
    package var contributorCount: UInt64 { totals.contributorCount }
    /// Whether nothing is in the sum.
    package var isEmpty: Bool { totals.contributorCount == 0 }
    /// What each group's sum is divided by for its mean: the total weight, or the contributors under `count`.
    package var totalWeights: [UInt64] { totals.weights }
    /// The metric counters, sorted by name.
    package var metrics: [MetricCounter] { totals.metrics.metrics }

    /// Forgets everything and returns the memory.
    package mutating func reset() {
        vector.reset()
        totals = AccumulatorTotals(weights: groups.map { _ in 0 })
    }

    /// Hands out one group's ring integers.
    package func withRing<Result>(group: Int, _ body: (UnsafeBufferPointer<Int64>) -> Result) -> Result {
        vector.withValues(in: ranges[group], body)
    }
}
