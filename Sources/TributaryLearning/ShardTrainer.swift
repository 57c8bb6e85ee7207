// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// The embedded trainer: SGD or Adam on one client's examples, and evaluation on its hold-out examples.
///
/// The same job on the same parameters gives the same bits on every machine, whatever else runs. It works on the
/// calling thread; run many trainers on many threads instead. Work memory is allocated by the first job and reused;
/// copies are independent values.
package struct ShardTrainer: Trainer, Sendable {
    package let architecture: ModelArchitecture
    package let examples: Examples
    /// What `evaluate` uses; `nil` and empty count nothing.
    package let holdOut: Examples?
    private let variant: KernelVariant
    private var arena: [Float] = []

    /// Takes a client's examples, and checks that they fit the model.
    ///
    /// - Throws: `LearningError.examples` when shapes or labels do not fit.
    package init(
        architecture: ModelArchitecture, examples: Examples, holdOut: Examples? = nil, variant: KernelVariant = .best
    ) throws(LearningError) {
        try architecture.check(examples)
        if let holdOut { try architecture.check(holdOut) }
        self.architecture = architecture
        self.examples = examples
        self.holdOut = holdOut
        self.variant = variant
    }

    /// Trains in place, or evaluates; `progress` gets each new permille of the steps, ending with 1000.
    ///
    /// Train metrics are `train.loss` and `train.accuracy` (means over the examples of all local steps, each with the
    /// parameters of its step) and `train.examples` (mean shard size); evaluate metrics are `accuracy` and `loss`.
    ///
    /// - Throws: `LearningError`; the parameters of a failed training are unspecified.
    package mutating func run(
        _ job: TrainJob, parameters: inout MutableSpan<Float>, progress: (_ permille: UInt32) -> Void
    ) throws -> TrainReport {
        try architecture.check(parameterCount: parameters.count)
        switch job.kind {
        case .train(let settings):
            return try train(job, settings: settings, parameters: &parameters, progress: progress)
        case .evaluate:
            return try evaluate(job, parameters: parameters.span)
        }
    }

    private mutating func train(
        _ job: TrainJob, settings: TrainSettings, parameters: inout MutableSpan<Float>, progress: (UInt32) -> Void
    ) throws(LearningError) -> TrainReport {
        guard examples.count > 0 else { throw .emptyShard(client: job.client) }
        var training = try LocalTraining(
            job: job, settings: settings, architecture: architecture, examples: examples, variant: variant)
        growArena(to: training.arenaCount)
        try parameters.withUnsafeMutableBufferPointer { parameters throws(LearningError) in
            try arena.withUnsafeMutableBufferPointer { arena throws(LearningError) in
                guard let parameters = parameters.baseAddress, let arena = arena.baseAddress else { return }
                try training.run(parameters: parameters, arena: arena, progress: progress)
            }
        }
        return try training.report()
    }

    private mutating func evaluate(_ job: TrainJob, parameters: Span<Float>) throws(LearningError) -> TrainReport {
        var evaluation = Evaluation(count: 0, correct: 0, lossSum: 0)
        if let holdOut, holdOut.count > 0 {
            let network = try Network(
                architecture: architecture, rows: min(Evaluation.batch, holdOut.count), forTraining: false,
                variant: variant)
            growArena(to: network.workspace.count)
            parameters.withUnsafeBufferPointer { parameters in
                arena.withUnsafeMutableBufferPointer { arena in
                    guard let parameters = parameters.baseAddress, let arena = arena.baseAddress else { return }
                    evaluation = network.evaluate(parameters, on: holdOut, arena: arena)
                }
            }
        }
        let metrics = [
            MetricCounter(name: "accuracy", sum: Double(evaluation.correct), count: evaluation.count),
            MetricCounter(name: "loss", sum: evaluation.lossSum, count: evaluation.count),
        ]
        guard metrics.allSatisfy({ $0 != nil }) else { throw .evaluation(client: job.client, number: job.number) }
        return TrainReport(exampleCount: UInt64(evaluation.count), metrics: metrics.compactMap { $0 })
    }

    /// Gives the work memory back until the next job.
    package mutating func releaseWorkMemory() { arena = [] }

    private mutating func growArena(to count: Int) {
        guard arena.count < count else { return }
        arena = []
        arena = [Float](repeating: 0, count: count)
    }
}
