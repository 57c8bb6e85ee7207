// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryAggregation
import TributaryCore
import TributaryRing
import TributaryTestSupport

/// An update whose body lies in memory of its own.
final class TestUpdate {
    var contribution: Contribution
    let values: [[Float]]
    private let memory: UnsafeMutableRawBufferPointer

    /// Copies the values into a body that lies `shift` bytes off alignment.
    init(values: [[Float]], weights: [UInt64], metrics: [MetricCounter] = [], shift: Int = 0) {
        let flat = values.flatMap { $0 }
        memory = .allocate(byteCount: flat.count * 4 + shift, alignment: 64)
        let body = UnsafeMutableRawBufferPointer(rebasing: memory[shift...])
        flat.withUnsafeBytes { body.copyMemory(from: $0) }
        self.values = values
        let groups = zip(values, weights).map {
            Update.Group(weight: $1, encoding: .float32, byteCount: UInt64($0.count * 4))
        }
        contribution = Contribution(groups: groups, metrics: metrics, body: UnsafeRawBufferPointer(body))
    }

    deinit { memory.deallocate() }
}

extension Generator {
    /// An update that fits the plans.
    mutating func update(for plans: [GroupPlan]) -> TestUpdate {
        let values = plans.map { self.values(count: Int($0.parameterCount), bound: $0.ring.deltaBound) }
        let weights = plans.map { self.integer(1...$0.ring.weightMax) }
        let metrics = [
            MetricCounter(
                name: "loss", numerator: Int64(integer(0...1 << 40)) - 1 << 39, denominator: Int64(integer(1...500))),
            MetricCounter(name: "accuracy", numerator: Int64(integer(0...1 << 30)), denominator: 7),
        ]
        return TestUpdate(
            values: values, weights: weights, metrics: metrics, shift: Int(integer(0...3)))
    }
}

/// All that an accumulator holds, in the form in which it travels.
struct Contents: Equatable {
    var groups: [Sum.Group]
    var contributorCount: UInt64
    var metrics: [MetricCounter]
    var body: [UInt8]

    init(_ accumulator: borrowing Accumulator) {
        var body: [UInt8] = []
        groups = accumulator.encodeSum { piece in piece.withUnsafeBytes { body.append(contentsOf: $0) } }
        contributorCount = accumulator.contributorCount
        metrics = accumulator.metrics
        self.body = body
    }
}

extension Accumulator {
    /// Folds updates in batches of a size.
    mutating func fold(_ updates: [TestUpdate], batch: Int = Accumulator.batchCountMax) -> [AggregationError?] {
        var errors: [AggregationError?] = []
        for start in stride(from: 0, to: updates.count, by: batch) {
            let part = updates[start..<min(start + batch, updates.count)]
            withExtendedLifetime(part) { errors += fold(part.map(\.contribution)) }
        }
        return errors
    }

    mutating func takeOut(_ update: TestUpdate) throws {
        try withExtendedLifetime(update) { try takeOut(update.contribution) }
    }

    mutating func add(_ sum: Contents) throws {
        try sum.body.withUnsafeBytes {
            try addSum(groups: sum.groups, contributorCount: sum.contributorCount, metrics: sum.metrics, body: $0)
        }
    }

    mutating func subtract(_ sum: Contents) throws {
        try sum.body.withUnsafeBytes {
            try subtractSum(groups: sum.groups, contributorCount: sum.contributorCount, metrics: sum.metrics, body: $0)
        }
    }
}
