// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// The embedded trainer: SGD or Adam on one client's examples, and evaluation on its hold-out examples.
///
/// The same job on the same parameters gives the same bits on every machine, whatever else runs. It works on the
/// calling thread; run many trainers on many threads instead. Work memory lives as long as a job; `CohortTrainer` keeps
/// it from job to job.
package struct ShardTrainer: Trainer, Sendable {
    package let architecture: ModelArchitecture
    private let shard: ExampleView
    /// What `evaluate` uses; `nil` and empty count nothing.
    package let holdOut: Examples?
    private let variant: KernelVariant

    /// Takes a client's examples, and checks that they fit the model.
    ///
    /// - Throws: `LearningError.examples` when shapes or labels do not fit.
    package init(
        architecture: ModelArchitecture, examples: Examples, holdOut: Examples? = nil, variant: KernelVariant = .best
    ) throws(LearningError) {
        try architecture.check(shapeOf: examples)
        if let holdOut { try architecture.check(holdOut) }
        self.architecture = architecture
        shard = try ExampleView(examples)
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
        switch job.kind {
        case .train(let settings):
            var trainer = CohortTrainer(architecture: architecture, variant: variant)
            return try trainer.train(
                job, settings: settings, shard: shard, parameters: &parameters, progress: progress)
        case .evaluate:
            return try evaluate(job, parameters: parameters.span)
        }
    }

    private func evaluate(_ job: TrainJob, parameters: Span<Float>) throws(LearningError) -> TrainReport {
        try architecture.check(parameterCount: parameters.count)
        var evaluation = Evaluation(count: 0, correct: 0, lossSum: 0)
        if let holdOut, holdOut.count > 0 {
            evaluation = try Evaluation.run(
                architecture, parameters: parameters, examples: holdOut, variant: variant)
        }
        let metrics = [
            MetricCounter(name: "accuracy", sum: Double(evaluation.correct), count: evaluation.count),
            MetricCounter(name: "loss", sum: evaluation.lossSum, count: evaluation.count),
        ]
        guard metrics.allSatisfy({ $0 != nil }) else { throw .evaluation(client: job.client, number: job.number) }
        return TrainReport(exampleCount: UInt64(evaluation.count), metrics: metrics.compactMap { $0 })
    }
}
