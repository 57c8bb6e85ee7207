// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCodec
import TributaryCore
import TributaryFiles
import TributaryLearning
import TributaryProtocol
import TributaryRing
import TributaryTopology

/// Why a device cannot answer a plan.
enum LocalWorkError: Error, CustomStringConvertible {
    case modelSize(bytes: Int, expected: Int)
    case excess(group: String)

    var description: String {
        switch self {
        case .modelSize(let bytes, let expected):
            "the plan's model has \(bytes) bytes, this device's model \(expected); "
                + "check that all nodes read the same topology and data"
        case .excess(let group):
            "the delta of group '\(group)' exceeds its bound and the topology says 'on-excess: refuse'; "
                + "lower the learning rate or raise delta-bound"
        }
    }
}

/// One device's half of a round: from the base model to the encoded delta.
struct LocalWork {
    let objects: HeldObjects
    let onExcess: Training.OnExcess
    let law: TransformationLaw
    /// The device's examples as they are before any drift; `nil` when there is none, and the trainer has them all.
    private var shard: Shard?
    private var trainer: ShardTrainer

    /// Takes a device's shard of the initial model's round.
    ///
    /// - Throws: `LearningError.examples` when the shard does not fit the model.
    init(
        objects: HeldObjects, onExcess: Training.OnExcess, architecture: ModelArchitecture, shard: Shard,
        law: TransformationLaw
    ) throws(LearningError) {
        self.objects = objects
        self.onExcess = onExcess
        self.law = law
        self.shard = law.isDrifting ? shard : nil
        trainer = try ShardTrainer(architecture: architecture, examples: shard.training(), holdOut: shard.holdOut())
    }

    /// Trains or evaluates, and writes the delta, `local - base`, which its receiver lets go of.
    ///
    /// - Throws: when the model cannot be read, training diverges, or the delta may not be scaled onto its bound.
    mutating func perform(
        _ job: TrainJob, plan: RoundPlan, progress: (UInt32) -> Void
    ) throws -> TrainOutcome {
        try follow(job)
        let model = try objects.store.mapped(plan.model.digest)
        var parameters = try baseParameters(model)
        var span = parameters.mutableSpan
        var report = try run(job, plan, &span, progress)
        guard case .train = plan.kind else { return TrainOutcome(report: report, groups: [], body: nil) }
        if try !turnIntoDelta(&parameters, base: model, groups: plan.groups) {
            report.metrics += [MetricCounter(name: "scaled", sum: 1, count: 1)].compactMap(\.self)
        }
        let body = try objects.put(parameters.span.bytes)
        let groups = plan.groups.map { group in
            Update.Group(
                weight: min(max(1, report.exampleCount), group.ring.weightMax), encoding: .float32,
                byteCount: group.parameterCount * 4)
        }
        return TrainOutcome(report: report, groups: groups, body: body)
    }

    /// Trains, evaluates, or stands in for training.
    private mutating func run(
        _ job: TrainJob, _ plan: RoundPlan, _ parameters: inout MutableSpan<Float>, _ progress: (UInt32) -> Void
    ) throws -> TrainReport {
        guard case .train(let settings) = job.kind, settings.isNone else {
            return try trainer.run(job, parameters: &parameters, progress: progress)
        }
        var stand = try PseudoTrainer(parameterCount: parameters.count, deltaBound: plan.deltaBound)
        return try stand.run(job, parameters: &parameters, progress: progress)
    }

    /// Gives the trainer the examples of the job's round.
    private mutating func follow(_ job: TrainJob) throws(LearningError) {
        guard var shard else { return }
        let transformation = law.transformation(of: job.client, round: job.number.round)
        guard transformation != shard.transformation else { return }
        shard.transformation = transformation
        trainer = try ShardTrainer(
            architecture: trainer.architecture, examples: shard.training(), holdOut: shard.holdOut())
        self.shard = shard
    }

    /// Whether the delta was within its bounds as it was.
    private func turnIntoDelta(
        _ parameters: inout [Float], base: MappedFile, groups: [GroupPlan]
    ) throws -> Bool {
        let factors = try parameters.withUnsafeMutableBufferPointer { local in
            try base.withUnsafeBytes { bytes in
                try Delta.subtract(bytes.assumingMemoryBound(to: Float.self), from: local)
            }
            return try Delta.scaleOntoBounds(local, groups: groups)
        }
        if onExcess == .refuse, let index = factors.firstIndex(where: { $0 < 1 }) {
            throw LocalWorkError.excess(group: groups[index].name)
        }
        return factors.allSatisfy { $0 == 1 }
    }

    private func baseParameters(_ model: MappedFile) throws -> [Float] {
        let expected = trainer.architecture.layout.byteCount
        guard model.byteCount == expected else {
            throw LocalWorkError.modelSize(bytes: model.byteCount, expected: expected)
        }
        return model.withUnsafeBytes { Array($0.assumingMemoryBound(to: Float.self)) }
    }
}
