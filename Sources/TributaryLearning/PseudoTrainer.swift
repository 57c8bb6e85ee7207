// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// Parameter i of a client moves by
//     p[i] = deltaBound / 1000 * 2^-23 * s[i],   s[i] uniform in -2^23 ..< 2^23,
// where s[i] is a hash of i under the first word of the counter-based stream (seed, pseudo-delta, round, edge round,
// client index); `tributary_learn_pseudo_local` spells it out. The weight is 1 + the top 7 bits of the stream's second
// word: uniform in 1...128.

import CTributaryKernels
package import TributaryCore

/// A stand-in for training in studies of protocol and capacity: a seeded delta, a function of seed, round and client.
///
/// Nothing is learnt and no data is needed. It works on the calling thread, every kernel variant gives the same bits,
/// and a value costs well under a nanosecond.
package struct PseudoTrainer: Trainer, Sendable {
    /// The largest weight.
    package static let weightMax: UInt64 = 128

    package let parameterCount: Int
    private let scale: Float
    private let variant: KernelVariant

    /// No parameter moves by more than a thousandth of `deltaBound`, the plan's bound.
    ///
    /// - Throws: `LearningError.settings` when the bound is not positive and finite.
    package init(
        parameterCount: Int, deltaBound: Float, variant: KernelVariant = .best
    ) throws(LearningError) {
        guard deltaBound.isFinite, deltaBound > 0 else {
            throw .settings("the delta bound is \(deltaBound); it must be positive and finite")
        }
        self.parameterCount = parameterCount
        scale = deltaBound / 1000 * 0x1p-23
        self.variant = variant
    }

    /// Adds the pseudo-delta to the parameters; `evaluate` counts nothing.
    package mutating func run(
        _ job: TrainJob, parameters: inout MutableSpan<Float>, progress: (_ permille: UInt32) -> Void
    ) throws -> TrainReport {
        guard case .train = job.kind else { return Self.nothing }
        try check(parameters.count)
        let (key, report) = Self.draw(job)
        parameters.withUnsafeMutableBufferPointer { parameters in
            guard let start = parameters.baseAddress else { return }
            tributary_learn_pseudo_local(variant.rawValue, parameterCount, key, scale, start, false, start)
        }
        progress(1000)
        return report
    }

    /// Writes `local - base`, the delta that `run` on a copy of the base would leave.
    ///
    /// - Throws: `LearningError.parameterCount`.
    package func train(
        _ job: TrainJob, base: Span<Float>, delta: inout MutableSpan<Float>
    ) throws(LearningError) -> TrainReport {
        try check(base.count)
        try check(delta.count)
        let (key, report) = Self.draw(job)
        base.withUnsafeBufferPointer { base in
            delta.withUnsafeMutableBufferPointer { delta in
                guard let base = base.baseAddress, let delta = delta.baseAddress else { return }
                tributary_learn_pseudo_local(variant.rawValue, parameterCount, key, scale, base, true, delta)
            }
        }
        return report
    }

    private static let nothing = TrainReport(
        exampleCount: 0,
        metrics: ["accuracy", "loss"].map { MetricCounter(name: $0, numerator: 0, denominator: 0) })

    private static func draw(_ job: TrainJob) -> (key: UInt64, report: TrainReport) {
        var random = CounterRandom(
            seed: job.seed, purpose: .pseudoDelta, round: job.number, client: job.client.value)
        let key = random.next()
        let weight = 1 + random.next() >> 57
        let metric = MetricCounter(name: "train.examples", sum: Double(weight), count: 1)
        return (key, TrainReport(exampleCount: weight, metrics: metric.map { [$0] } ?? []))
    }

    private func check(_ count: Int) throws(LearningError) {
        guard count == parameterCount else { throw .parameterCount(expected: parameterCount, actual: count) }
    }
}
