// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryAggregation
import TributaryCore
import TributaryRing
import TributaryTestSupport

@Suite struct AccumulatorTests {
    private static func plan(
        _ name: String, _ count: UInt64, weightMax: UInt64 = 100, cohortMax: UInt64 = 10,
        normaliser: GroupPlan.Normaliser = .weight
    ) throws -> GroupPlan {
        GroupPlan(
            name: name, parameterCount: count,
            ring: try RingParameters(deltaBound: 1, weightMax: weightMax, cohortMax: cohortMax), encoding: .float32,
            normaliser: normaliser)
    }

    private static func update(_ values: [[Float]], _ weights: [UInt64], _ metrics: [MetricCounter] = []) -> TestUpdate
    {
        TestUpdate(values: values, weights: weights, metrics: metrics)
    }

    @Test func refusalsNameTheFactAndLeaveNoTrace() throws {
        let plans = try [Self.plan("a", 2), Self.plan("b", 3)]
        var accumulator = try Accumulator(groups: plans)
        let good = Self.update(
            [[0.5, -1], [1, 0, 0.25]], [3, 7], [MetricCounter(name: "m", numerator: 5, denominator: 2)])
        var alone = try Accumulator(groups: plans)
        _ = alone.fold([good, good])

        let wrongEncoding = Self.update([[0, 0], [0, 0, 0]], [1, 1])
        wrongEncoding.contribution.groups[1].encoding = .ring
        let wrongSize = Self.update([[0, 0], [0, 0, 0]], [1, 1])
        wrongSize.contribution.groups[0].byteCount = 12
        let short = Self.update([[0, 0], [0, 0, 0]], [1, 1])
        short.contribution.body = UnsafeRawBufferPointer(rebasing: short.contribution.body.dropLast())
        let twice = [MetricCounter](repeating: MetricCounter(name: "m", numerator: 1, denominator: 1), count: 2)
        let negative = [MetricCounter(name: "m", numerator: 1, denominator: -1)]
        let overflow = [MetricCounter(name: "m", numerator: .max, denominator: 1)]
        let above = Float(1).nextUp
        let cases: [(TestUpdate, ReasonCode)] = [
            (Self.update([[0, 0]], [1]), .wrongShape),
            (Self.update([[0, 0], [0, 0, 0], [0]], [1, 1, 1]), .wrongShape),
            (wrongEncoding, .wrongEncoding), (wrongSize, .wrongSize), (short, .wrongSize),
            (Self.update([[0, 0], [0, 0, 0]], [0, 1]), .wrongWeight),
            (Self.update([[0, 0], [0, 0, 0]], [1, 101]), .wrongWeight),
            (Self.update([[0, 0], [0, 0, 0]], [1, .max]), .wrongWeight),
            (Self.update([[0.5, .nan], [0, 0, 0]], [1, 1]), .notFinite),
            (Self.update([[0.5, 0.5], [0.5, 0.5, -.infinity]], [1, 1]), .notFinite),
            (Self.update([[0.5, 0.5], [0.5, above, 0.5]], [1, 1]), .outOfBound),
            (Self.update([[0, 0], [0, 0, 0]], [1, 1], twice), .malformed),
            (Self.update([[0, 0], [0, 0, 0]], [1, 1], negative), .malformed),
            (Self.update([[1, 1], [1, 1, 1]], [1, 1], overflow), .malformed),
        ]
        let batch = [good] + cases.map(\.0) + [good]
        let errors = accumulator.fold(batch)
        #expect(errors.map { $0?.reason } == [nil] + cases.map(\.1) + [nil])
        #expect(Contents(accumulator) == Contents(alone))
        #expect(errors[10] == .notFinite(group: "b", index: 2))
        #expect(errors[11] == .outOfBound(group: "b", index: 1))
    }

    @Test func totalsAreBounded() throws {
        let plans = try [Self.plan("a", 1, weightMax: 10, cohortMax: 2)]
        var accumulator = try Accumulator(groups: plans)
        let bad = Self.update([[.nan]], [10])
        let heavy = Self.update([[1]], [10])
        // The bad one takes no room, wherever it stands in the batch.
        #expect(
            accumulator.fold([bad, heavy, bad, heavy, heavy]).map { $0?.reason }
                == [.notFinite, nil, .notFinite, nil, .wrongWeight])
        #expect(accumulator.totalWeights == [20] && accumulator.contributorCount == 2)
        let sum = Contents(accumulator)
        #expect(throws: AggregationError.totalWeight(group: "a", maximum: 20)) { try accumulator.add(sum) }
        #expect(Contents(accumulator) == sum)
    }

    @Test func metricsOfBothSignsThatFitOnlyTogether() throws {
        let plans = try [Self.plan("a", 1)]
        var accumulator = try Accumulator(groups: plans)
        func metric(_ numerator: Int64) -> [MetricCounter] {
            [MetricCounter(name: "m", numerator: numerator, denominator: 1)]
        }
        // Reckoned together the three fit; without the bad one the last does not.
        let errors = accumulator.fold([
            Self.update([[1]], [1], metric(.max)), Self.update([[.nan]], [1], metric(-10)),
            Self.update([[1]], [2], metric(5)),
        ])
        #expect(errors.map { $0?.reason } == [nil, .notFinite, .malformed])
        var alone = try Accumulator(groups: plans)
        _ = alone.fold([Self.update([[1]], [1], metric(.max))])
        #expect(Contents(accumulator) == Contents(alone))
    }

    @Test func countNormaliserCountsEachOnce() throws {
        let plans = try [Self.plan("a", 1, normaliser: .count)]
        var accumulator = try Accumulator(groups: plans)
        _ = accumulator.fold([Self.update([[1]], [100]), Self.update([[0.5]], [1])])
        #expect(accumulator.totalWeights == [2])
        let scale = plans[0].ring.scale
        #expect(accumulator.withRing(group: 0) { Double($0[0]) } == 1.5 * scale)
    }

    @Test func evaluationCarriesMetricsOnly() throws {
        var accumulator = try Accumulator(groups: [])
        let metrics = [MetricCounter(name: "accuracy", numerator: 5, denominator: 10)]
        let update = TestUpdate(values: [], weights: [], metrics: metrics)
        #expect(accumulator.fold([update, update]) == [nil, nil])
        #expect(accumulator.metrics == [MetricCounter(name: "accuracy", numerator: 10, denominator: 20)])
        var above = try Accumulator(groups: [])
        try above.add(Contents(accumulator))
        #expect(Contents(above) == Contents(accumulator))
    }

    @Test func takingOutWhatIsNotInIsRefused() throws {
        let plans = try [Self.plan("a", 2), Self.plan("b", 1)]
        var accumulator = try Accumulator(groups: plans)
        let update = Self.update([[1, 0.5], [1]], [5, 5])
        #expect(throws: AggregationError.notContained) { try accumulator.takeOut(update) }
        _ = accumulator.fold([update])
        let held = Contents(accumulator)
        #expect(throws: AggregationError.notContained) {
            try accumulator.takeOut(Self.update([[1, 0.5], [1]], [6, 5]))
        }
        // The last contributor cannot leave weight behind.
        #expect(throws: AggregationError.notContained) {
            try accumulator.takeOut(Self.update([[1, 0.5], [1]], [4, 5]))
        }
        #expect(throws: AggregationError.notFinite(group: "b", index: 0)) {
            try accumulator.takeOut(Self.update([[1, 0.5], [.nan]], [5, 5]))
        }
        #expect(Contents(accumulator) == held)
    }

    @Test func hostilePlansAreErrors() throws {
        #expect(throws: AggregationError.tooLarge(parameterCount: .max)) {
            _ = try Accumulator(groups: [Self.plan("a", .max), Self.plan("b", 1)])
        }
        #expect(throws: AggregationError.tooLarge(parameterCount: 1 << 31)) {
            _ = try Accumulator(groups: [Self.plan("a", 1 << 30), Self.plan("b", 1 << 30)])
        }
    }

    @Test func brokenSumsAreRefusedWhole() throws {
        let plans = try [Self.plan("a", 1500), Self.plan("b", 40, normaliser: .count)]
        var generator = Generator(seed: 31)
        var below = try Accumulator(groups: plans)
        _ = below.fold((0..<4).map { _ in generator.update(for: plans) })
        let sum = Contents(below)
        var accumulator = try Accumulator(groups: plans)
        _ = accumulator.fold([generator.update(for: plans)])
        let held = Contents(accumulator)
        var broken: [(Contents, ReasonCode)] = []
        func breakIt(_ reason: ReasonCode, _ change: (inout Contents) -> Void) {
            var copy = sum
            change(&copy)
            broken.append((copy, reason))
        }
        breakIt(.wrongShape) { $0.groups.removeLast() }
        breakIt(.wrongSize) { $0.body.removeLast() }
        breakIt(.wrongSize) { $0.groups[0].byteCount = .max }
        breakIt(.malformed) { sum in
            sum.groups[0].byteCount -= 1
            sum.groups[1].byteCount += 1
        }
        breakIt(.malformed) { sum in sum.body[Int(sum.groups[0].byteCount)] = 200 }
        breakIt(.wrongWeight) { $0.groups[0].totalWeight = 3 }
        breakIt(.wrongWeight) { $0.groups[0].totalWeight = 401 }
        breakIt(.wrongWeight) { $0.groups[1].totalWeight = 5 }
        breakIt(.outOfBound) { $0.groups[0].totalWeight = 4 }
        breakIt(.surplus) { $0.contributorCount = .max }
        breakIt(.wrongWeight) { $0.contributorCount = 0 }
        breakIt(.malformed) { $0.metrics.append(MetricCounter(name: "", numerator: 0, denominator: 0)) }
        breakIt(.malformed) { $0.metrics[0].denominator = .max }
        for (sum, reason) in broken {
            do {
                try accumulator.add(sum)
                Issue.record("a broken sum was added: \(reason)")
            } catch let error as AggregationError {
                #expect(error.reason == reason, "\(error)")
            }
            #expect(Contents(accumulator) == held)
        }
        try accumulator.add(sum)
    }

    @Test func anyBytesAsASumAreAValueOrAnError() throws {
        let plans = try [Self.plan("a", 30), Self.plan("b", 5)]
        var generator = Generator(seed: 8)
        var below = try Accumulator(groups: plans)
        _ = below.fold((0..<3).map { _ in generator.update(for: plans) })
        let sum = Contents(below)
        for _ in 0..<2000 {
            var changed = sum
            let position = Int(generator.integer(0...UInt64(changed.body.count - 1)))
            changed.body[position] ^= UInt8(generator.integer(1...255))
            var accumulator = try Accumulator(groups: plans)
            let empty = Contents(accumulator)
            do {
                try accumulator.add(changed)
                #expect(Contents(accumulator) == changed)
            } catch {
                #expect(Contents(accumulator) == empty)
            }
        }
    }
}
