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
    private let client: ClientIndex
    private let data: SeededData
    /// The seed that the law and the examples follow.
    private var seed: UInt64
    private var law: TransformationLaw
    /// The device's examples as they are before any drift; `nil` when there is none, and the trainer has them all.
    private var shard: Shard?
    private var trainer: ShardTrainer

    /// Takes a device's shard of the initial model's round, drawn by `seed` until a plan has another.
    ///
    /// - Throws: when the data cannot be read, and `LearningError.examples` when the shard does not fit the model.
    init(
        objects: HeldObjects, onExcess: Training.OnExcess, client: ClientIndex, data: SeededData, seed: UInt64
    ) throws {
        self.objects = objects
        self.onExcess = onExcess
        self.client = client
        self.data = data
        self.seed = seed
        (law, shard, trainer) = try Self.draw(client, data, seed)
    }

    private static func draw(
        _ client: ClientIndex, _ data: SeededData, _ seed: UInt64
    ) throws -> (TransformationLaw, Shard?, ShardTrainer) {
        let data = try data.take(seed: seed)
        let law = data.shards.law
        let shard = try data.shard(of: client, round: 0)
        let trainer = try ShardTrainer(
            architecture: data.architecture(), examples: shard.training(), holdOut: shard.holdOut())
        return (law, law.isDrifting ? shard : nil, trainer)
    }

    /// Trains or evaluates, and writes the delta, `local - base`, which its receiver lets go of.
    ///
    /// - Throws: when the model cannot be read, training diverges, or the delta may not be scaled onto its bound.
    mutating func perform(
        _ job: TrainJob, plan: RoundPlan, progress: (UInt32) -> Void
    ) throws -> TrainOutcome {
        try follow(plan)
        let model = try objects.store.mapped(plan.model.digest)
        let parameters = try baseParameters(model)
        var report = try parameters.withMutableSpan { span in try run(job, plan, &span, progress) }
        guard case .train = plan.kind else { return TrainOutcome(report: report, groups: [], body: nil) }
        if try !turnIntoDelta(parameters, base: model, groups: plan.groups) {
            report.metrics += [MetricCounter(name: "scaled", sum: 1, count: 1)].compactMap(\.self)
        }
        let body = try objects.put(parameters)
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

    /// Gives the trainer the examples of the plan's seed and round.
    private mutating func follow(_ plan: RoundPlan) throws {
        if plan.seed != seed {
            // The root runs with a seed of its own; everybody's shards follow it, else they would overlap.
            (law, shard, trainer) = try Self.draw(client, data, plan.seed)
            seed = plan.seed
        }
        guard var shard else { return }
        let transformation = law.transformation(of: client, round: plan.number.round)
        guard transformation != shard.transformation else { return }
        shard.transformation = transformation
        trainer = try ShardTrainer(
            architecture: trainer.architecture, examples: shard.training(), holdOut: shard.holdOut())
        self.shard = shard
    }

    /// Whether the delta was within its bounds as it was.
    private func turnIntoDelta(
        _ parameters: HeapVector, base: MappedFile, groups: [GroupPlan]
    ) throws -> Bool {
        let factors = try parameters.withUnsafeMutableBuffer { local in
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

    private func baseParameters(_ model: MappedFile) throws -> HeapVector {
        let expected = trainer.architecture.layout.byteCount
        guard model.byteCount == expected else {
            throw LocalWorkError.modelSize(bytes: model.byteCount, expected: expected)
        }
        return model.withFloats { HeapVector(copying: $0) }
    }
}
