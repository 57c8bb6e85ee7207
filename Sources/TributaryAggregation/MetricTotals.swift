// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// Metric counters by name; like every sum, they add up and can be taken out exactly.
package struct MetricTotals: Hashable, Sendable {
    /// The counters, sorted by the bytes of their names.
    ///
    /// A counter that is zero is not kept, so equal totals are equal values.
    package private(set) var metrics: [MetricCounter] = []

    package init() {}

    /// Checks what one sender may report: few counters of short, distinct names, and denominators of at least 0.
    ///
    /// - Throws: `AggregationError.metric`.
    package static func check(_ metrics: [MetricCounter]) throws(AggregationError) {
        guard metrics.count <= Limits.metricCountMax else {
            throw .metric("\(metrics.count) metrics are reported; report at most \(Limits.metricCountMax)")
        }
        for (position, metric) in metrics.enumerated() {
            guard (1...Limits.nameByteCountMax).contains(metric.name.utf8.count) else {
                throw .metric(
                    "a metric's name has \(metric.name.utf8.count) bytes; use 1 to \(Limits.nameByteCountMax)")
            }
            // Few enough that looking at all pairs is quicker than a set.
            guard !metrics[..<position].contains(where: { $0.name == metric.name }) else {
                throw .metric("metric '\(metric.name)' is reported twice; give each metric its own name")
            }
            guard metric.denominator >= 0 else {
                throw .metric("metric '\(metric.name)' has a negative denominator; count examples from 0")
            }
        }
    }

    /// Adds checked metrics.
    ///
    /// - Throws: `AggregationError.metric` when a counter would overflow or there would be too many; nothing changes.
    package mutating func add(_ metrics: [MetricCounter]) throws(AggregationError) {
        var count = self.metrics.count
        for added in metrics {
            guard let old = self[added.name] else {
                count += added.numerator == 0 && added.denominator == 0 ? 0 : 1
                continue
            }
            guard !old.numerator.addingReportingOverflow(added.numerator).overflow,
                !old.denominator.addingReportingOverflow(added.denominator).overflow
            else { throw .metric("the counters of metric '\(added.name)' overflow; report smaller values") }
        }
        guard count <= Limits.metricCountMax else {
            throw .metric(
                "the sum would hold more than \(Limits.metricCountMax) metrics; report the same ones everywhere")
        }
        for added in metrics { change(added.name, by: added.numerator, added.denominator) }
    }

    /// Takes out metrics that were added.
    ///
    /// - Throws: `AggregationError.notContained` when a counter would leave its range; nothing changes.
    package mutating func takeOut(_ metrics: [MetricCounter]) throws(AggregationError) {
        for taken in metrics {
            let old = self[taken.name]
            let overflow = (old?.numerator ?? 0).subtractingReportingOverflow(taken.numerator).overflow
            guard !overflow, old?.denominator ?? 0 >= taken.denominator else { throw .notContained }
        }
        for taken in metrics { change(taken.name, by: 0 &- taken.numerator, 0 &- taken.denominator) }
    }

    private subscript(name: String) -> MetricCounter? { metrics.first { $0.name == name } }

    /// Adds to a counter what was seen to fit, wrapping on the way.
    private mutating func change(_ name: String, by numerator: Int64, _ denominator: Int64) {
        guard let position = metrics.firstIndex(where: { $0.name == name }) else {
            guard numerator != 0 || denominator != 0 else { return }
            let counter = MetricCounter(name: name, numerator: numerator, denominator: denominator)
            let place = metrics.firstIndex { name.utf8.lexicographicallyPrecedes($0.name.utf8) }
            return metrics.insert(counter, at: place ?? metrics.count)
        }
        metrics[position].numerator &+= numerator
        metrics[position].denominator &+= denominator
        if metrics[position].numerator == 0, metrics[position].denominator == 0 { metrics.remove(at: position) }
    }
}
