// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryLearning

@Suite struct PseudoTrainerTests {
    static func job(client: UInt64 = 7, round: UInt32 = 3, seed: UInt64 = 21, kind: RoundPlan.Kind? = nil) -> TrainJob {
        let settings = TrainSettings(work: .epochs(1), batch: 1, optimizer: .sgd(learningRate: 1, momentum: 0))
        return TrainJob(
            client: ClientIndex(client), number: RoundNumber(round: round), kind: kind ?? .train(settings), seed: seed)
    }

    static func delta(
        _ job: TrainJob, base: [Float], variant: KernelVariant = .best
    ) throws -> (values: [Float], report: TrainReport) {
        let trainer = try PseudoTrainer(parameterCount: base.count, deltaBound: 8, variant: variant)
        var values = [Float](repeating: .nan, count: base.count)
        var span = values.mutableSpan
        let report = try trainer.train(job, base: base.span, delta: &span)
        return (values, report)
    }

    /// The formula of the documentation, value by value; from base 0 the delta is the pseudo-delta itself.
    @Test(arguments: [1, 15, 16, 17, 1000]) func everyVariantFollowsTheFormula(count: Int) throws {
        var random = CounterRandom(seed: 21, purpose: .pseudoDelta, round: RoundNumber(round: 3), client: 7)
        let key = random.next()
        let weightWord = random.next()
        let expected = (0..<UInt32(count)).map { index in
            var x = index &* 0x9E37_79B9 &+ UInt32(truncatingIfNeeded: key)
            x ^= x >> 16
            x = x &* 0x7FEB_352D
            x ^= (x >> 15) ^ UInt32(key >> 32)
            x = x &* 0x846C_A68B
            x ^= x >> 16
            return Float(Int32(bitPattern: x) >> 8) * (Float(8) / 1000 * 0x1p-23)
        }
        for variant in variants {
            let (values, report) = try Self.delta(
                Self.job(), base: [Float](repeating: 0, count: count), variant: variant)
            #expect(values.map(\.bitPattern) == expected.map(\.bitPattern), "\(variant)")
            #expect(report.exampleCount == 1 + weightWord >> 57)
        }
    }

    @Test func theDeltaIsWhatRunLeaves() throws {
        let base = numbers(1003, seed: 2)
        for variant in variants {
            var trainer = try PseudoTrainer(parameterCount: base.count, deltaBound: 8, variant: variant)
            var local = base
            var span = local.mutableSpan
            var permilles: [UInt32] = []
            let report = try trainer.run(Self.job(), parameters: &span) { permilles.append($0) }
            let (values, other) = try Self.delta(Self.job(), base: base, variant: variant)
            #expect(zip(local, base).map { $0 - $1 } == values)
            #expect(report == other && permilles == [1000])
        }
    }

    /// Uniform in a thousandth of the bound, and another vector for each seed, round and client.
    @Test func deltasAreUniformAndIndependent() throws {
        let zero = [Float](repeating: 0, count: 40_000)
        let jobs = [Self.job(), Self.job(client: 8), Self.job(round: 4), Self.job(seed: 22)]
        let deltas = try jobs.map { try Self.delta($0, base: zero).values }
        for values in deltas {
            #expect(values.allSatisfy { abs($0) <= 0.008 })
            // Means of 40,000 uniform numbers on -1...1 and of their squares: 4.9 standard deviations.
            let scaled = values.map { Double($0) / 0.008 }
            let mean: Double = scaled.reduce(0, +) / 40_000
            let square: Double = Self.product(scaled, scaled) / 40_000
            #expect(abs(mean) < 0.0142)
            #expect(abs(square - 0.33333) < 0.0073)
        }
        for (position, one) in deltas.enumerated() {
            for other in deltas[(position + 1)...] {
                let correlation = Self.product(one.map { Double($0) / 0.008 }, other.map { Double($0) / 0.008 })
                #expect(abs(correlation / 40_000) < 0.0082)
            }
        }
    }

    static func product(_ a: [Double], _ b: [Double]) -> Double {
        var sum = 0.0
        for (x, y) in zip(a, b) { sum += x * y }
        return sum
    }

    @Test func weightsSpread() throws {
        let weights = try (0..<500).map { try Self.delta(Self.job(client: $0), base: [0]).report.exampleCount }
        #expect(weights.allSatisfy { (1...PseudoTrainer.weightMax).contains($0) })
        #expect(Set(weights).count > 100)
    }

    @Test func evaluationCountsNothingAndBadInputIsAnError() throws {
        var trainer = try PseudoTrainer(parameterCount: 3, deltaBound: 8)
        var parameters: [Float] = [1, 2, 3]
        var span = parameters.mutableSpan
        let report = try trainer.run(Self.job(kind: .evaluate), parameters: &span, progress: { _ in })
        #expect(report.exampleCount == 0 && report.metrics.allSatisfy { $0.denominator == 0 })
        #expect(parameters == [1, 2, 3])
        var short: [Float] = [1]
        var shortSpan = short.mutableSpan
        #expect(throws: LearningError.parameterCount(expected: 3, actual: 1)) {
            _ = try trainer.run(Self.job(), parameters: &shortSpan, progress: { _ in })
        }
        for bound in [0, -1, Float.nan, .infinity] {
            #expect(throws: LearningError.self) { _ = try PseudoTrainer(parameterCount: 3, deltaBound: bound) }
        }
    }
}
