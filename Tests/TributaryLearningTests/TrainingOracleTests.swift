// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TributaryCore
import TributaryLearning

/// Numbers of other people's code: Tests/Oracles/learning/make_training_fixtures.py says whose.
@Suite struct TrainingOracleTests {
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        struct Model: Decodable, Sendable {
            let kind: String
            let hidden: [Int]?
            let blocks: [[Int]]?
        }
        struct Optimizer: Decodable, Sendable {
            let kind: String
            let rate: Float
            let momentum: Float?
            let beta1: Float?
            let beta2: Float?
            let epsilon: Float?
        }
        let name: String
        let model: Model
        let shape: [Int]
        let classes: Int
        let features: [Double]
        let labels: [Int32]
        let optimizer: Optimizer
        let proximal: Float
        let steps: UInt32
        let base: [Double]
        let result: [Double]
        var testDescription: String { name }

        var specification: ModelSpecification {
            switch model.kind {
            case "linear": .linear
            case "mlp": .mlp(hidden: model.hidden ?? [])
            default:
                .cnn(
                    blocks: (model.blocks ?? []).map { ConvolutionBlock(channels: $0[0], kernel: $0[1]) },
                    hidden: model.hidden ?? [])
            }
        }

        var clientOptimizer: ClientOptimizer {
            guard let beta1 = optimizer.beta1, let beta2 = optimizer.beta2, let epsilon = optimizer.epsilon else {
                return .sgd(learningRate: optimizer.rate, momentum: optimizer.momentum ?? 0)
            }
            return .adam(learningRate: optimizer.rate, beta1: beta1, beta2: beta2, epsilon: epsilon)
        }
    }

    static let cases: [Case] = fixture("training.json")

    /// Reads a fixture of Tests/Oracles/learning; an unreadable one gives no cases, which `fixturesAreThere` reports.
    static func fixture<Value: Decodable>(_ name: String) -> [Value] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let file = folder.appendingPathComponent("Oracles/learning/\(name)")
        guard let data = try? Data(contentsOf: file) else { return [] }
        return (try? JSONDecoder().decode([Value].self, from: data)) ?? []
    }

    @Test func fixturesAreThere() {
        #expect(Self.cases.count == 6)
    }

    /// The oracle's numbers are float64; a few float32 steps over parameters of size 1 stay within 3e-6 of them.
    ///
    /// Adam divides by the root of small squares and gets a wider margin.
    @Test(arguments: cases) func stepsEqualTheOracle(_ test: Case) throws {
        let examples = Examples(
            featureShape: test.shape, features: test.features.map { Float($0) }, labels: test.labels,
            classCount: test.classes)
        let architecture = try ModelArchitecture(
            specification: test.specification, featureShape: test.shape, classCount: test.classes)
        #expect(architecture.parameterCount == test.base.count)
        let settings = TrainSettings(
            work: .steps(test.steps), batch: UInt32(examples.count), optimizer: test.clientOptimizer,
            proximal: test.proximal)
        var trainer = try ShardTrainer(architecture: architecture, examples: examples)
        let base = test.base.map { Float($0) }
        let actual = try train(&trainer, settings, from: base)
        let margin = test.optimizer.kind == "adam" ? 2e-5 : 3e-6
        var moved = 0.0
        for (index, expected) in test.result.enumerated() {
            #expect(abs(Double(actual[index]) - expected) < margin, "parameter \(index)")
            moved = max(moved, abs(expected - test.base[index]))
        }
        #expect(moved > 0.02)
    }
}
