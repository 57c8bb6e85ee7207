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
    let store: ObjectStore
    let onExcess: Training.OnExcess
    var trainer: ShardTrainer
    /// The seed by which the trainer's shard was drawn.
    var seed: UInt64
    /// Draws the device's shard by another seed.
    let makeTrainer: @Sendable (_ seed: UInt64) throws -> ShardTrainer

    /// Trains or evaluates, and writes the delta, `local - base`, into the store.
    ///
    /// - Throws: when the model cannot be read, training diverges, or the delta may not be scaled onto its bound.
    mutating func perform(
        _ job: TrainJob, plan: RoundPlan, progress: (UInt32) -> Void
    ) throws -> TrainOutcome {
        if plan.seed != seed {
            // The root runs with a seed of its own; everybody's shards follow it, else they would overlap.
            trainer = try makeTrainer(plan.seed)
            seed = plan.seed
        }
        let model = try store.mapped(plan.model.digest)
        let parameters = try baseParameters(model)
        var report = try parameters.withMutableSpan { span in
            try trainer.run(job, parameters: &span, progress: progress)
        }
        guard case .train = plan.kind else { return TrainOutcome(report: report, groups: [], body: nil) }
        if try !turnIntoDelta(parameters, base: model, groups: plan.groups) {
            report.metrics += [MetricCounter(name: "scaled", sum: 1, count: 1)].compactMap(\.self)
        }
        let body = try store.hold(parameters)
        let groups = plan.groups.map { group in
            Update.Group(
                weight: min(max(1, report.exampleCount), group.ring.weightMax), encoding: .float32,
                byteCount: group.parameterCount * 4)
        }
        return TrainOutcome(report: report, groups: groups, body: body)
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
