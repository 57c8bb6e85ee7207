// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryLearning

@Suite struct ShardTrainerTests {
    static let settings = TrainSettings(work: .epochs(2), batch: 4, optimizer: .sgd(learningRate: 0.1, momentum: 0.5))

    static func architecture(_ specification: ModelSpecification = .mlp(hidden: [8])) throws -> ModelArchitecture {
        try ModelArchitecture(specification: specification, featureShape: [6], classCount: 3)
    }

    static func run(
        _ kind: RoundPlan.Kind, trainer: inout ShardTrainer, parameters: inout [Float], round: UInt32 = 1,
        progress: (UInt32) -> Void = { _ in }
    ) throws -> TrainReport {
        var span = parameters.mutableSpan
        let job = TrainJob(client: ClientIndex(2), number: RoundNumber(round: round), kind: kind, seed: 9)
        return try trainer.run(job, parameters: &span, progress: progress)
    }

    @Test func reportsWhatItTrainedOn() throws {
        let architecture = try Self.architecture()
        var trainer = try ShardTrainer(
            architecture: architecture, examples: examples(shape: [6], count: 10, classes: 3))
        var parameters = architecture.initialParameters(seed: 1)
        var permilles: [UInt32] = []
        let report = try Self.run(
            .train(Self.settings), trainer: &trainer, parameters: &parameters, progress: { permilles.append($0) })
        #expect(report.exampleCount == 10)
        #expect(report.metrics.map(\.name) == ["train.loss", "train.accuracy", "train.examples"])
        #expect(report.metrics.map(\.denominator) == [20, 20, 1])
        #expect(report.metrics[2].value == 10)
        // Two passes of three steps, the last of each with two examples.
        #expect(permilles == [166, 333, 500, 666, 833, 1000])
    }

    @Test func epochsAreStepsOverTheWholeShard() throws {
        let architecture = try Self.architecture()
        let base = architecture.initialParameters(seed: 1)
        var trainer = try ShardTrainer(
            architecture: architecture, examples: examples(shape: [6], count: 10, classes: 3))
        var steps = Self.settings
        steps.work = .steps(6)
        #expect(try train(&trainer, Self.settings, from: base) == train(&trainer, steps, from: base))
    }

    @Test func orderDependsOnSeedRoundAndClient() throws {
        let architecture = try Self.architecture()
        let base = architecture.initialParameters(seed: 1)
        var trainer = try ShardTrainer(
            architecture: architecture, examples: examples(shape: [6], count: 10, classes: 3))
        var first = base
        _ = try Self.run(.train(Self.settings), trainer: &trainer, parameters: &first, round: 1)
        var second = base
        _ = try Self.run(.train(Self.settings), trainer: &trainer, parameters: &second, round: 2)
        #expect(first != second)
        let other = try train(&trainer, Self.settings, from: base, client: 3)
        #expect(try train(&trainer, Self.settings, from: base, client: 4) != other)
        #expect(try train(&trainer, Self.settings, from: base, client: 3, seed: 2) != other)
    }

    @Test func proximalTermKeepsParametersNearTheirBase() throws {
        let architecture = try Self.architecture()
        let base = architecture.initialParameters(seed: 1)
        var trainer = try ShardTrainer(
            architecture: architecture, examples: examples(shape: [6], count: 10, classes: 3))
        let distances = try [0, 0.5, 5].map { (mu: Float) in
            var settings = Self.settings
            settings.work = .epochs(20)
            settings.proximal = mu
            let result = try train(&trainer, settings, from: base)
            return zip(base, result).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        }
        #expect(distances[0] > distances[1] && distances[1] > distances[2])
    }

    @Test func evaluatesTheHoldOutAndLeavesParametersAlone() throws {
        let architecture = try Self.architecture()
        let holdOut = examples(shape: [6], count: 7, classes: 3, seed: 77)
        var trainer = try ShardTrainer(
            architecture: architecture, examples: examples(shape: [6], count: 10, classes: 3), holdOut: holdOut)
        var parameters = architecture.initialParameters(seed: 1)
        let before = parameters
        let report = try Self.run(.evaluate, trainer: &trainer, parameters: &parameters)
        let expected = try Evaluation.run(architecture, parameters: before.span, examples: holdOut)
        #expect(parameters == before)
        #expect(report.exampleCount == 7)
        #expect(report.metrics.map(\.name) == ["accuracy", "loss"])
        #expect(report.metrics[0].value == expected.accuracy)
        #expect(abs((report.metrics[1].value ?? 0) - expected.loss) < 1e-5)
    }

    @Test func withoutHoldOutNothingIsCounted() throws {
        let architecture = try Self.architecture()
        let shard = examples(shape: [6], count: 10, classes: 3)
        let empty = Examples(featureShape: [6], features: [], labels: [], classCount: 3)
        for holdOut in [nil, empty] {
            var trainer = try ShardTrainer(architecture: architecture, examples: shard, holdOut: holdOut)
            var parameters = architecture.initialParameters(seed: 1)
            let report = try Self.run(.evaluate, trainer: &trainer, parameters: &parameters)
            #expect(report.exampleCount == 0)
            #expect(report.metrics.allSatisfy { $0.denominator == 0 && $0.numerator == 0 })
        }
    }

    @Test func divergenceIsAnError() throws {
        let architecture = try Self.architecture()
        var trainer = try ShardTrainer(
            architecture: architecture, examples: examples(shape: [6], count: 10, classes: 3))
        var settings = Self.settings
        settings.optimizer = .sgd(learningRate: 1e30, momentum: 0.9)
        var parameters = architecture.initialParameters(seed: 1)
        #expect(throws: LearningError.self) {
            _ = try Self.run(.train(settings), trainer: &trainer, parameters: &parameters)
        }
        var broken = architecture.initialParameters(seed: 1)
        broken[0] = .nan
        #expect(throws: LearningError.diverged(client: ClientIndex(2), number: RoundNumber(round: 1), step: 1)) {
            _ = try Self.run(.train(Self.settings), trainer: &trainer, parameters: &broken)
        }
    }

    @Test func badInputIsAnError() throws {
        let architecture = try Self.architecture()
        let shard = examples(shape: [6], count: 10, classes: 3)
        var trainer = try ShardTrainer(architecture: architecture, examples: shard)
        var short = [Float](repeating: 0, count: 5)
        #expect(throws: LearningError.parameterCount(expected: architecture.parameterCount, actual: 5)) {
            _ = try Self.run(.train(Self.settings), trainer: &trainer, parameters: &short)
        }
        let empty = Examples(featureShape: [6], features: [], labels: [], classCount: 3)
        var idle = try ShardTrainer(architecture: architecture, examples: empty)
        var parameters = architecture.initialParameters(seed: 1)
        #expect(throws: LearningError.emptyShard(client: ClientIndex(2))) {
            _ = try Self.run(.train(Self.settings), trainer: &idle, parameters: &parameters)
        }
        var bad = [shard, shard, shard, shard]
        bad[0].labels[3] = 3
        bad[1].labels[3] = -1
        bad[2].features.removeLast()
        bad[3].featureShape = [2, 3]
        for examples in bad {
            #expect(throws: LearningError.self) { _ = try ShardTrainer(architecture: architecture, examples: examples) }
        }
    }

    static let badSettings: [TrainSettings] = [
        .noTraining,
        TrainSettings(work: .epochs(0), batch: 4, optimizer: .sgd(learningRate: 0.1, momentum: 0)),
        TrainSettings(work: .steps(0), batch: 4, optimizer: .sgd(learningRate: 0.1, momentum: 0)),
        TrainSettings(work: .steps(1), batch: 0, optimizer: .sgd(learningRate: 0.1, momentum: 0)),
        TrainSettings(work: .steps(1), batch: 1, optimizer: .sgd(learningRate: 0, momentum: 0)),
        TrainSettings(work: .steps(1), batch: 1, optimizer: .sgd(learningRate: .nan, momentum: 0)),
        TrainSettings(work: .steps(1), batch: 1, optimizer: .sgd(learningRate: 0.1, momentum: 1)),
        TrainSettings(work: .steps(1), batch: 1, optimizer: .sgd(learningRate: 0.1, momentum: 0), proximal: -1),
        TrainSettings(work: .steps(1), batch: 1, optimizer: .sgd(learningRate: 0.1, momentum: 0), proximal: .infinity),
        TrainSettings(
            work: .steps(1), batch: 1, optimizer: .adam(learningRate: 0.1, beta1: 1, beta2: 0.9, epsilon: 1e-8)),
        TrainSettings(
            work: .steps(1), batch: 1, optimizer: .adam(learningRate: 0.1, beta1: 0.9, beta2: -0.1, epsilon: 1e-8)),
        TrainSettings(
            work: .steps(1), batch: 1, optimizer: .adam(learningRate: 0.1, beta1: 0.9, beta2: 0.9, epsilon: 0)),
    ]

    @Test(arguments: badSettings) func settingsOutOfRangeAreAnError(settings: TrainSettings) throws {
        let architecture = try Self.architecture(.linear)
        var trainer = try ShardTrainer(
            architecture: architecture, examples: examples(shape: [6], count: 4, classes: 3))
        var parameters = architecture.initialParameters(seed: 1)
        #expect {
            _ = try Self.run(.train(settings), trainer: &trainer, parameters: &parameters)
        } throws: { error in
            if case LearningError.settings = error { true } else { false }
        }
    }

    /// A batch beyond the shard is the shard: it neither traps nor takes memory.
    @Test func hugeBatchIsTheShard() throws {
        let architecture = try Self.architecture(.linear)
        let base = architecture.initialParameters(seed: 1)
        var trainer = try ShardTrainer(
            architecture: architecture, examples: examples(shape: [6], count: 4, classes: 3))
        var settings = Self.settings
        settings.batch = .max
        var whole = settings
        whole.batch = 4
        #expect(try train(&trainer, settings, from: base) == train(&trainer, whole, from: base))
    }
}
