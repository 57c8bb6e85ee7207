// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// Trains many clients' jobs one after another on one thread, in memory that it keeps from job to job.
///
/// A job's bits are those of `ShardTrainer`, whatever was trained before. Make one trainer for each thread. In the
/// steady state a job allocates nothing but its report.
package struct CohortTrainer: ~Copyable {
    package let architecture: ModelArchitecture
    private let engine: any LocalEngine
    private var schedule = BatchSchedule()

    package init(architecture: ModelArchitecture, variant: KernelVariant = .best) {
        self.init(architecture: architecture, variant: variant, layerByLayer: false)
    }

    /// Chooses the engine: `layerByLayer` is the slower one that every model can take, with the same bits.
    package init(architecture: ModelArchitecture, variant: KernelVariant, layerByLayer: Bool) {
        self.architecture = architecture
        if !layerByLayer, let engine = DenseEngine(architecture: architecture, variant: variant) {
            self.engine = engine
        } else {
            engine = LayerEngine(architecture: architecture, variant: variant)
        }
    }

    /// Trains a client on its shard, from `base: [parameterCount]`, and writes `delta = local - base`.
    ///
    /// - Returns: the report that `ShardTrainer` gives.
    /// - Throws: `LearningError`; the delta of a failed training is unspecified.
    package mutating func train(
        _ job: TrainJob, settings: TrainSettings, shard: ExampleView, base: Span<Float>,
        delta: inout MutableSpan<Float>
    ) throws(LearningError) -> TrainReport {
        try architecture.check(parameterCount: base.count)
        try architecture.check(parameterCount: delta.count)
        return try base.withUnsafeBufferPointer { base throws(LearningError) in
            try delta.withUnsafeMutableBufferPointer { delta throws(LearningError) in
                guard let base = base.baseAddress, let delta = delta.baseAddress else {
                    throw .model("the model has no parameters")
                }
                return try run(
                    job, settings: settings, shard: shard, base: base, result: delta, subtracting: true,
                    progress: { _ in })
            }
        }
    }

    /// Trains in place: `parameters: [parameterCount]` hold the base on entry and the local model on return.
    mutating func train(
        _ job: TrainJob, settings: TrainSettings, shard: ExampleView, parameters: inout MutableSpan<Float>,
        progress: (_ permille: UInt32) -> Void
    ) throws(LearningError) -> TrainReport {
        try architecture.check(parameterCount: parameters.count)
        return try parameters.withUnsafeMutableBufferPointer { parameters throws(LearningError) in
            guard let parameters = parameters.baseAddress else { throw .model("the model has no parameters") }
            return try run(
                job, settings: settings, shard: shard, base: parameters, result: parameters, subtracting: false,
                progress: progress)
        }
    }

    private mutating func run(
        _ job: TrainJob, settings: TrainSettings, shard: ExampleView, base: UnsafePointer<Float>,
        result: UnsafeMutablePointer<Float>, subtracting: Bool, progress: (UInt32) -> Void
    ) throws(LearningError) -> TrainReport {
        try settings.check()
        try architecture.check(shapeOf: shard.dataset)
        guard shard.count > 0 else { throw .emptyShard(client: job.client) }
        let batch = min(Int(settings.batch), shard.count)
        try engine.prepare(rows: batch, settings: settings)
        schedule.restart(
            shard, batch: batch,
            random: CounterRandom(seed: job.seed, purpose: .shuffle, round: job.number, client: job.client.value))
        engine.begin(base: base)
        var steps = LocalSteps(job: job, count: settings.work.stepCount(examples: shard.count, batch: batch))
        for step in 1...steps.count {
            let range = schedule.next()
            let loss = schedule.order.withUnsafeBufferPointer {
                engine.step(
                    UnsafeBufferPointer(rebasing: $0[range]), ahead: min(range.count, $0.count - range.upperBound),
                    of: shard.dataset)
            }
            try steps.add(step, rows: range.count, loss: loss, progress: progress)
        }
        guard engine.finish(minus: subtracting ? base : nil, result: result) else { throw steps.diverged(steps.count) }
        return try steps.report(exampleCount: shard.count)
    }
}
