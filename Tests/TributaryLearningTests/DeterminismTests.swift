// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryLearning

@Suite struct DeterminismTests {
    static let models: [(ModelSpecification, [Int])] = [
        (.linear, [19]), (.mlp(hidden: [21, 17]), [37]),
        (
            .cnn(
                blocks: [ConvolutionBlock(channels: 5, kernel: 3), ConvolutionBlock(channels: 18, kernel: 3)],
                hidden: [11]), [2, 9, 8]
        ),
    ]
    static let optimizers: [ClientOptimizer] = [
        .sgd(learningRate: 0.05, momentum: 0), .sgd(learningRate: 0.05, momentum: 0.9),
        .adam(learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8),
    ]

    /// FNV-1a over the bit patterns.
    static func hash(_ values: [Float]) -> UInt64 {
        values.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1.bitPattern)) &* 0x100_0000_01B3 }
    }

    static func run(
        _ model: (ModelSpecification, [Int]), _ optimizer: ClientOptimizer, variant: KernelVariant, client: UInt64 = 0
    ) throws -> [Float] {
        let examples = examples(shape: model.1, count: 45, classes: 5, seed: 40 + client)
        let architecture = try ModelArchitecture(specification: model.0, featureShape: model.1, classCount: 5)
        var trainer = try ShardTrainer(architecture: architecture, examples: examples, variant: variant)
        let settings = TrainSettings(work: .epochs(3), batch: 10, optimizer: optimizer, proximal: 0.1)
        return try train(&trainer, settings, from: architecture.initialParameters(seed: 3), client: client)
    }

    @Test func variantsGiveTheSameBits() throws {
        for model in Self.models {
            for optimizer in Self.optimizers {
                let reference = try Self.run(model, optimizer, variant: .baseline)
                for variant in variants {
                    let result = try Self.run(model, optimizer, variant: variant)
                    #expect(Self.hash(result) == Self.hash(reference), "\(variant) \(model.0) \(optimizer)")
                }
            }
        }
    }

    /// Pins the bits across machines, compilers and versions: a change here changes every trained model.
    @Test func bitsAreTheRecordedOnes() throws {
        let hashes = try Self.models.map { model in
            try Self.optimizers.map { Self.hash(try Self.run(model, $0, variant: .best)) }
        }
        #expect(
            hashes == [
                [0x8521_F209_EF13_13CB, 0x3386_E5E3_C8A7_C8DF, 0x7F47_5208_5BFE_1A61],
                [0xB580_3A53_BCF7_738A, 0x70AE_7FEB_26C7_D56B, 0x5442_FE35_F16E_2B0D],
                [0x4189_4D47_3DE1_489A, 0xF7F0_87BE_EC43_B8ED, 0xCC80_D4D5_2CF8_4246],
            ])
    }

    @Test func threadsAndNeighboursChangeNothing() async throws {
        let model = Self.models[1]
        let alone = try (0..<6).map { try Self.run(model, Self.optimizers[1], variant: .best, client: UInt64($0)) }
        let together = try await withThrowingTaskGroup(of: (Int, [Float]).self) { group in
            for client in 0..<6 {
                group.addTask {
                    (client, try Self.run(model, Self.optimizers[1], variant: .best, client: UInt64(client)))
                }
            }
            var results: [Int: [Float]] = [:]
            for try await (client, result) in group { results[client] = result }
            return results
        }
        for client in 0..<6 { #expect(together[client] == alone[client]) }
        #expect(alone[0] != alone[1])
    }

    /// Jobs leave nothing behind in a trainer: the same job gives the same bits after other jobs.
    @Test func aTrainerForgetsEarlierJobs() throws {
        let examples = examples(shape: [6], count: 30, classes: 3)
        let architecture = try ModelArchitecture(
            specification: .mlp(hidden: [8]), featureShape: [6], classCount: 3)
        let base = architecture.initialParameters(seed: 1)
        let adam = TrainSettings(work: .steps(7), batch: 4, optimizer: Self.optimizers[2])
        let heavy = TrainSettings(work: .epochs(2), batch: 16, optimizer: Self.optimizers[1], proximal: 1)
        var fresh = try ShardTrainer(architecture: architecture, examples: examples, holdOut: examples)
        let expected = try train(&fresh, adam, from: base)
        var used = try ShardTrainer(architecture: architecture, examples: examples, holdOut: examples)
        _ = try train(&used, heavy, from: base)
        #expect(try train(&used, adam, from: base) == expected)
    }

    @Test func evaluationDoesNotDependOnTheBatch() throws {
        let all = examples(shape: [37], count: 300, classes: 5)
        let architecture = try ModelArchitecture(
            specification: Self.models[1].0, featureShape: [37], classCount: 5)
        let parameters = architecture.initialParameters(seed: 9)
        let together = try Evaluation.run(architecture, parameters: parameters.span, examples: all)
        var (lossSum, correct) = (0.0, 0)
        for index in 0..<all.count {
            let one = Examples(
                featureShape: [37], features: Array(all.features[index * 37..<(index + 1) * 37]),
                labels: [all.labels[index]], classCount: 5)
            let alone = try Evaluation.run(architecture, parameters: parameters.span, examples: one)
            lossSum += alone.lossSum
            correct += alone.correct
        }
        #expect(together.correct == correct)
        #expect(abs(together.lossSum - lossSum) < 1e-9)
    }
}
