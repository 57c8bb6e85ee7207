// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryAggregation
import TributaryCore

@Suite struct MetricTotalsTests {
    private static func counter(_ name: String, _ numerator: Int64, _ denominator: Int64) -> MetricCounter {
        MetricCounter(name: name, numerator: numerator, denominator: denominator)
    }

    @Test func sortedByNameAndAddedByName() throws {
        var totals = MetricTotals()
        try totals.add([Self.counter("z", 1, 2), Self.counter("a", 3, 4)])
        try totals.add([Self.counter("a", -5, 1), Self.counter("é", 1, 1)])
        #expect(totals.metrics == [Self.counter("a", -2, 5), Self.counter("z", 1, 2), Self.counter("é", 1, 1)])
        try totals.takeOut([Self.counter("a", -5, 1), Self.counter("é", 1, 1)])
        try totals.takeOut([Self.counter("z", 1, 2), Self.counter("a", 3, 4)])
        #expect(totals == MetricTotals())
    }

    @Test func overflowChangesNothing() throws {
        var totals = MetricTotals()
        try totals.add([Self.counter("a", .max - 1, 1)])
        let before = totals
        #expect(throws: AggregationError.self) { try totals.add([Self.counter("b", 1, 1), Self.counter("a", 2, 1)]) }
        #expect(throws: AggregationError.self) { try totals.add([Self.counter("a", 0, .max)]) }
        #expect(throws: AggregationError.notContained) { try totals.takeOut([Self.counter("a", 0, 2)]) }
        #expect(throws: AggregationError.notContained) { try totals.takeOut([Self.counter("a", .min, 0)]) }
        #expect(totals == before)
    }

    @Test func fewNamesOfFewBytes() throws {
        let many = (0...Limits.metricCountMax).map { Self.counter("m\($0)", 1, 1) }
        #expect(throws: AggregationError.self) { try MetricTotals.check(many) }
        try MetricTotals.check(Array(many.dropLast()))
        var totals = MetricTotals()
        try totals.add(Array(many.dropLast()))
        #expect(throws: AggregationError.self) { try totals.add([many[Limits.metricCountMax]]) }
        let long = String(repeating: "é", count: Limits.nameByteCountMax / 2)
        try MetricTotals.check([Self.counter(long, 1, 1)])
        #expect(throws: AggregationError.self) { try MetricTotals.check([Self.counter(long + "x", 1, 1)]) }
        #expect(throws: AggregationError.self) { try MetricTotals.check([Self.counter("", 1, 1)]) }
    }
}
