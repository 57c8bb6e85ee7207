// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TributaryCodec
import TributaryCore
package import TributaryLearning
import TributaryRing

/// What devices do when they train: the model, their shards, and what becomes of a delta beyond its bound.
package final class FleetWork: Sendable {
    /// What a piece of work costs a device.
    struct Load {
        var batchCount: Double
        /// Bits of the features of a full batch, 32 for each value.
        var bitCountPerBatch: Double
    }

    /// Evaluating a batch takes this part of the time of training on it: forward without backward and update.
    private static let evaluationShare = 1.0 / 3

    let architecture: ModelArchitecture
    private let shards: any ShardSource
    private let refusesExcess: Bool
    private let cache: ShardCache

    /// The work on these shards and this model.
    ///
    /// `shardsChange`: whether a device's shard depends on the round, so that none is worth keeping.
    /// `refusesExcess`: whether a delta beyond its bound is not sent, rather than scaled onto it.
    package init(
        architecture: ModelArchitecture, shards: any ShardSource, shardsChange: Bool, refusesExcess: Bool
    ) {
        self.architecture = architecture
        self.shards = shards
        self.refusesExcess = refusesExcess
        cache = ShardCache(isOpen: !shardsChange)
    }

    // MARK: Cost

    func load(of job: TrainJob) throws -> Load {
        let featureCount = architecture.featureCount
        func load(_ batchCount: Double, rows: Int) -> Load {
            Load(batchCount: batchCount, bitCountPerBatch: Double(rows * featureCount * 32))
        }
        switch job.kind {
        case .train(let settings):
            if settings.isNone { return load(1, rows: 1) }
            let count = try shards.sizes(of: job.client).training
            let batch = min(Int(settings.batch), max(1, count))
            let batches = settings.work.stepCount(examples: count, batch: batch)
            return load(Double(batches), rows: batch)
        case .evaluate:
            let count = try shards.sizes(of: job.client).holdOut
            let batch = Evaluation.batch
            return load(Double((count + batch - 1) / batch) * Self.evaluationShare, rows: batch)
        }
    }

    // MARK: Work

    /// What one thread computes with.
    func makeWorker() -> TrainingPool.Worker {
        let desk = Desk(architecture)
        return { task in
            Result {
                switch task.job.kind {
                case .train(let settings): try self.train(task, settings, desk)
                case .evaluate: try self.evaluate(task)
                }
            }.mapError { TrainingTask.Failure(text: "\($0)") }
        }
    }

    /// How well a model does on a device's own examples: those kept for evaluation, else those it trains on.
    ///
    /// - Returns: the share of examples that it gets right; `nil` without examples.
    func accuracy(of model: [Float], on client: ClientIndex, round: UInt32) throws -> Double? {
        let shard = try shards.shard(of: client, round: round)
        let examples = shard.holdOut() ?? shard.training()
        guard examples.count > 0 else { return nil }
        return try Evaluation.run(architecture, parameters: model.span, examples: examples).accuracy
    }

    /// One thread's trainer.
    private final class Desk {
        var trainer: CohortTrainer

        init(_ architecture: ModelArchitecture) { trainer = CohortTrainer(architecture: architecture) }
    }

    private func train(_ task: TrainingTask, _ settings: TrainSettings, _ desk: Desk) throws -> TrainingTask.Result {
        let shard = settings.isNone ? nil : try prepared(task.job)
        let base = task.base.values
        let delta = DeltaBuffer(count: base.count)
        var span = delta.values.mutableSpan
        let report: TrainReport
        if let shard {
            report = try desk.trainer.train(
                task.job, settings: settings, shard: shard.training, base: base.span, delta: &span)
        } else {
            let bound = task.groups.map(\.ring.deltaBound).min() ?? 0
            report = try PseudoTrainer(parameterCount: base.count, deltaBound: bound)
                .train(task.job, base: base.span, delta: &span)
        }
        let factors = try Delta.scaleOntoBounds(delta.values, groups: task.groups)
        if refusesExcess, let index = factors.firstIndex(where: { $0 < 1 }) {
            throw ExcessError(group: task.groups[index].name)
        }
        return TrainingTask.Result(report: report, delta: delta, wasScaled: factors.contains { $0 < 1 })
    }

    private func evaluate(_ task: TrainingTask) throws -> TrainingTask.Result {
        var sums = (correct: 0, lossSum: 0.0, count: 0)
        if let holdOut = try prepared(task.job).holdOut, holdOut.count > 0 {
            let parameters = task.base.values
            let result = try Evaluation.run(architecture, parameters: parameters.span, examples: holdOut)
            sums = (result.correct, result.lossSum, result.count)
        }
        let metrics = [
            MetricCounter(name: "accuracy", sum: Double(sums.correct), count: sums.count),
            MetricCounter(name: "loss", sum: sums.lossSum, count: sums.count),
        ]
        guard metrics.allSatisfy({ $0 != nil }) else {
            throw LearningError.evaluation(client: task.job.client, number: task.job.number)
        }
        let report = TrainReport(exampleCount: UInt64(sums.count), metrics: metrics.compactMap(\.self))
        return TrainingTask.Result(report: report, delta: nil, wasScaled: false)
    }

    private func prepared(_ job: TrainJob) throws -> PreparedShard {
        if let kept = cache[job.client] { return kept }
        let shard = try PreparedShard(shards.shard(of: job.client, round: job.number.round))
        cache.keep(shard, of: job.client)
        return shard
    }
}

/// A delta that may not be scaled onto its bound.
struct ExcessError: Error, CustomStringConvertible {
    let group: String

    var description: String {
        "the delta of group '\(group)' exceeds its bound and the topology says 'on-excess: refuse'; "
            + "lower the learning rate or raise delta-bound"
    }
}
