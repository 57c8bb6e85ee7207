// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCodec
import TributaryCore
import TributaryLearning

@Suite struct CohortTrainerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let specification: ModelSpecification
        let shape: [Int]
        let classes: Int
        let batch: UInt32
        var testDescription: String { "\(specification) \(shape) \(classes) classes, batch \(batch)" }
    }

    /// Widths around a vector, a panel and a block; batches around a tile and a block of the loss.
    static let cases = [
        Case(specification: .linear, shape: [19], classes: 2, batch: 7),
        Case(specification: .linear, shape: [1], classes: 70, batch: 40),
        Case(specification: .mlp(hidden: [32]), shape: [64], classes: 10, batch: 16),
        Case(specification: .mlp(hidden: [128]), shape: [300], classes: 10, batch: 32),
        Case(specification: .mlp(hidden: [1, 16]), shape: [5], classes: 17, batch: 1),
        Case(specification: .mlp(hidden: [33, 48]), shape: [129], classes: 16, batch: 17),
        Case(specification: .mlp(hidden: [49, 15, 31]), shape: [2, 3, 4], classes: 33, batch: 45),
    ]
    static let convolutions = Case(
        specification: .cnn(blocks: [ConvolutionBlock(channels: 5, kernel: 3)], hidden: [11]), shape: [2, 9, 8],
        classes: 5, batch: 10)
    static let optimizers: [(ClientOptimizer, Float)] = [
        (.sgd(learningRate: 0.05, momentum: 0), 0), (.sgd(learningRate: 0.05, momentum: 0), 0.1),
        (.sgd(learningRate: 0.05, momentum: 0.9), 0.1),
        (.adam(learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8), 0),
    ]

    static func job(client: UInt64 = 3, settings: TrainSettings) -> TrainJob {
        TrainJob(client: ClientIndex(client), number: RoundNumber(round: 4), kind: .train(settings), seed: 11)
    }

    static func train(
        _ trainer: inout CohortTrainer, _ settings: TrainSettings, shard: ExampleView, client: UInt64 = 3
    ) throws -> (delta: [UInt32], report: TrainReport) {
        let base = trainer.architecture.initialParameters(seed: 5)
        var delta = [Float](repeating: .nan, count: base.count)
        var span = delta.mutableSpan
        let report = try trainer.train(
            job(client: client, settings: settings), settings: settings, shard: shard, base: base.span, delta: &span)
        return (delta.map(\.bitPattern), report)
    }

    /// The whole step in one kernel gives the bits of the layers one after another, metrics included.
    @Test(arguments: cases) func oneKernelGivesTheBitsOfManyKernels(test: Case) throws {
        let architecture = try ModelArchitecture(
            specification: test.specification, featureShape: test.shape, classCount: test.classes)
        let shard = try ExampleView(examples(shape: test.shape, count: 45, classes: test.classes))
        for (optimizer, proximal) in Self.optimizers {
            let settings = TrainSettings(work: .epochs(2), batch: test.batch, optimizer: optimizer, proximal: proximal)
            var reference = CohortTrainer(architecture: architecture, variant: .best, layerByLayer: true)
            let expected = try Self.train(&reference, settings, shard: shard)
            for variant in variants {
                var trainer = CohortTrainer(architecture: architecture, variant: variant)
                let actual = try Self.train(&trainer, settings, shard: shard)
                #expect(actual.delta == expected.delta, "\(variant) \(optimizer)")
                #expect(actual.report == expected.report)
            }
            #expect(expected.delta.contains { $0 != 0 })
        }
    }

    @Test(arguments: cases + [convolutions]) func theDeltaIsTheShardTrainersMinusTheBase(test: Case) throws {
        let architecture = try ModelArchitecture(
            specification: test.specification, featureShape: test.shape, classCount: test.classes)
        let examples = examples(shape: test.shape, count: 45, classes: test.classes)
        let base = architecture.initialParameters(seed: 5)
        for (optimizer, proximal) in Self.optimizers {
            let settings = TrainSettings(work: .steps(5), batch: test.batch, optimizer: optimizer, proximal: proximal)
            var single = try ShardTrainer(architecture: architecture, examples: examples)
            var local = base
            var span = local.mutableSpan
            let report = try single.run(Self.job(settings: settings), parameters: &span, progress: { _ in })
            try local.withUnsafeMutableBufferPointer { local in
                try base.withUnsafeBufferPointer { try Delta.subtract($0, from: local) }
            }
            var trainer = CohortTrainer(architecture: architecture)
            let actual = try Self.train(&trainer, settings, shard: ExampleView(examples))
            #expect(actual.delta == local.map(\.bitPattern))
            #expect(actual.report == report)
        }
    }

    /// One trainer for many clients of different sizes and settings gives each what a fresh trainer gives it alone.
    @Test(arguments: [cases[5], cases[6], convolutions]) func earlierClientsLeaveNothingBehind(test: Case) throws {
        let architecture = try ModelArchitecture(
            specification: test.specification, featureShape: test.shape, classCount: test.classes)
        let dataset = examples(shape: test.shape, count: 60, classes: test.classes)
        var shared = CohortTrainer(architecture: architecture)
        for client in 0..<12 {
            let (optimizer, proximal) = Self.optimizers[client % 4]
            let settings = TrainSettings(
                work: .epochs(1), batch: UInt32(1 + client * 7 % 20), optimizer: optimizer, proximal: proximal)
            let rows = (0..<UInt32(5 + client * 11 % 40)).map { ($0 * 7 + UInt32(client)) % 60 }
            let shard = try ExampleView(dataset, rows: rows)
            var alone = CohortTrainer(architecture: architecture)
            let expected = try Self.train(&alone, settings, shard: shard, client: UInt64(client))
            let actual = try Self.train(&shared, settings, shard: shard, client: UInt64(client))
            #expect(actual.delta == expected.delta && actual.report == expected.report, "client \(client)")
        }
    }

    /// Rows of a shared data set are the same shard as a copy of them.
    @Test(arguments: [cases[2], convolutions]) func aViewIsItsCopy(test: Case) throws {
        let architecture = try ModelArchitecture(
            specification: test.specification, featureShape: test.shape, classCount: test.classes)
        let dataset = examples(shape: test.shape, count: 50, classes: test.classes)
        let rows: [UInt32] = [49, 0, 7, 7, 13, 21, 20, 48, 3]
        let width = dataset.featureCount
        let copy = Examples(
            featureShape: test.shape,
            features: rows.flatMap { dataset.features[Int($0) * width..<(Int($0) + 1) * width] },
            labels: rows.map { dataset.labels[Int($0)] }, classCount: test.classes)
        let settings = TrainSettings(work: .epochs(3), batch: 4, optimizer: Self.optimizers[0].0)
        var trainer = CohortTrainer(architecture: architecture)
        let view = try Self.train(&trainer, settings, shard: ExampleView(dataset, rows: rows))
        let copied = try Self.train(&trainer, settings, shard: ExampleView(copy))
        #expect(view.delta == copied.delta && view.report == copied.report)
    }

    @Test func badInputIsAnError() throws {
        let dataset = examples(shape: [6], count: 10, classes: 3)
        let architecture = try ModelArchitecture(
            specification: .mlp(hidden: [8]), featureShape: [6], classCount: 3)
        #expect(throws: LearningError.self) { _ = try ExampleView(dataset, rows: [3, 10]) }
        var wrongLabel = dataset
        wrongLabel.labels[4] = 3
        #expect(throws: LearningError.self) { _ = try ExampleView(wrongLabel) }
        #expect(throws: LearningError.self) { _ = try ExampleView(wrongLabel, rows: [4]) }
        _ = try ExampleView(wrongLabel, rows: [3])
        var short = dataset
        short.features.removeLast()
        #expect(throws: LearningError.self) { _ = try ExampleView(short, rows: [0]) }

        let settings = TrainSettings(work: .epochs(1), batch: 4, optimizer: Self.optimizers[0].0)
        var trainer = CohortTrainer(architecture: architecture)
        #expect(throws: LearningError.emptyShard(client: ClientIndex(3))) {
            _ = try Self.train(&trainer, settings, shard: ExampleView(dataset, rows: []))
        }
        let other = examples(shape: [5], count: 10, classes: 3)
        #expect(throws: LearningError.self) { _ = try Self.train(&trainer, settings, shard: ExampleView(other)) }
        var small = [Float](repeating: 0, count: 5)
        var span = small.mutableSpan
        #expect(throws: LearningError.parameterCount(expected: architecture.parameterCount, actual: 5)) {
            _ = try trainer.train(
                Self.job(settings: settings), settings: settings, shard: ExampleView(dataset),
                base: architecture.initialParameters(seed: 1).span, delta: &span)
        }
        let wild = TrainSettings(
            work: .epochs(9), batch: 4, optimizer: .sgd(learningRate: 1e30, momentum: 0))
        #expect(throws: LearningError.self) { _ = try Self.train(&trainer, wild, shard: ExampleView(dataset)) }
        // A failed job leaves nothing behind either.
        var fresh = CohortTrainer(architecture: architecture)
        let expected = try Self.train(&fresh, settings, shard: ExampleView(dataset))
        #expect(try Self.train(&trainer, settings, shard: ExampleView(dataset)).delta == expected.delta)
    }
}
