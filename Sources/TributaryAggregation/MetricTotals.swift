// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// Metric counters by name; like every sum, they add up and can be taken out exactly.
package struct MetricTotals: Hashable, Sendable {
    private struct Counter: Hashable {
        var numerator: Int64
        var denominator: Int64
    }

    // A counter that is zero is not kept, so equal totals are equal values.
    private var counters: [String: Counter] = [:]

    package init() {}

    /// The counters, sorted by the bytes of their names.
    package var metrics: [MetricCounter] {
        counters
            .map { MetricCounter(name: $0.key, numerator: $0.value.numerator, denominator: $0.value.denominator) }
            .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// Checks what one sender may report: few counters of short, distinct names, and denominators of at least 0.
    ///
    /// - Throws: `AggregationError.metric`.
    package static func check(_ metrics: [MetricCounter]) throws(AggregationError) {
        guard metrics.count <= Limits.metricCountMax else {
            throw .metric("\(metrics.count) metrics are reported; report at most \(Limits.metricCountMax)")
        }
        var names: Set<String> = []
        for metric in metrics {
            guard (1...Limits.nameByteCountMax).contains(metric.name.utf8.count) else {
                throw .metric(
                    "a metric's name has \(metric.name.utf8.count) bytes; use 1 to \(Limits.nameByteCountMax)")
            }
            guard names.insert(metric.name).inserted else {
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
        var next = counters
        for metric in metrics {
            let old = next[metric.name] ?? Counter(numerator: 0, denominator: 0)
            let (numerator, overflow) = old.numerator.addingReportingOverflow(metric.numerator)
            let (denominator, overflowBelow) = old.denominator.addingReportingOverflow(metric.denominator)
            guard !overflow, !overflowBelow else {
                throw .metric("the counters of metric '\(metric.name)' overflow; report smaller values")
            }
            next[metric.name] = Self.kept(numerator, denominator)
        }
        guard next.count <= Limits.metricCountMax else {
            throw .metric(
                "the sum would hold more than \(Limits.metricCountMax) metrics; report the same ones everywhere")
        }
        counters = next
    }

    /// Takes out metrics that were added.
    ///
    /// - Throws: `AggregationError.notContained` when a counter would leave its range; nothing changes.
    package mutating func takeOut(_ metrics: [MetricCounter]) throws(AggregationError) {
        var next = counters
        for metric in metrics {
            let old = next[metric.name] ?? Counter(numerator: 0, denominator: 0)
            let (numerator, overflow) = old.numerator.subtractingReportingOverflow(metric.numerator)
            guard !overflow, old.denominator >= metric.denominator else { throw .notContained }
            next[metric.name] = Self.kept(numerator, old.denominator - metric.denominator)
        }
        counters = next
    }

    private static func kept(_ numerator: Int64, _ denominator: Int64) -> Counter? {
        numerator == 0 && denominator == 0 ? nil : Counter(numerator: numerator, denominator: denominator)
    }
}
