// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryLearning

/// One plain SGD step with learning rate 1 over the whole shard leaves `base - gradient`.
func gradient(_ architecture: ModelArchitecture, _ examples: Examples, at base: [Float]) throws -> [Double] {
    var trainer = try ShardTrainer(architecture: architecture, examples: examples)
    let settings = TrainSettings(
        work: .steps(1), batch: UInt32(examples.count), optimizer: .sgd(learningRate: 1, momentum: 0))
    let result = try train(&trainer, settings, from: base)
    return zip(base, result).map { Double($0) - Double($1) }
}

/// Runs one train job for client 0 in round 1.
func train(
    _ trainer: inout ShardTrainer, _ settings: TrainSettings, from base: [Float], client: UInt64 = 0, seed: UInt64 = 1
) throws -> [Float] {
    var parameters = base
    var span = parameters.mutableSpan
    let job = TrainJob(
        client: ClientIndex(client), number: RoundNumber(round: 1), kind: .train(settings), seed: seed)
    _ = try trainer.run(job, parameters: &span, progress: { _ in })
    return parameters
}

/// Seeded examples with labels in turn.
func examples(shape: [Int], count: Int, classes: Int, seed: UInt64 = 5) -> Examples {
    Examples(
        featureShape: shape, features: numbers(count * shape.reduce(1, *), seed: seed),
        labels: (0..<count).map { Int32($0 % classes) }, classCount: classes)
}

@Suite struct GradientTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let specification: ModelSpecification
        let shape: [Int]
        var testDescription: String { "\(specification) on \(shape)" }
    }

    static let cases = [
        Case(specification: .linear, shape: [7]),
        Case(specification: .linear, shape: [2, 3, 3]),
        Case(specification: .mlp(hidden: [9]), shape: [5]),
        Case(specification: .mlp(hidden: [18, 6, 5]), shape: [4]),
        Case(specification: .cnn(blocks: [ConvolutionBlock(channels: 3, kernel: 3)], hidden: []), shape: [1, 5, 4]),
        Case(
            specification: .cnn(
                blocks: [ConvolutionBlock(channels: 4, kernel: 3), ConvolutionBlock(channels: 3, kernel: 5)],
                hidden: [6]), shape: [2, 7, 6]),
        Case(
            specification: .cnn(
                blocks: [
                    ConvolutionBlock(channels: 2, kernel: 1), ConvolutionBlock(channels: 3, kernel: 3),
                    ConvolutionBlock(channels: 2, kernel: 3),
                ], hidden: [4, 3]), shape: [1, 9, 8]),
    ]

    /// Central differences of a double-precision reference.
    ///
    /// A parameter is a float32 of size about 1, so the difference of two of them carries an error of 1e-7; the
    /// products' float32 sums stay below the rest.
    @Test(arguments: cases) func gradientEqualsFiniteDifferences(_ test: Case) throws {
        let examples = examples(shape: test.shape, count: 7, classes: 3)
        let architecture = try ModelArchitecture(
            specification: test.specification, featureShape: test.shape, classCount: 3)
        let base = numbers(architecture.parameterCount, seed: 11).map { $0 / 2 }
        let actual = try gradient(architecture, examples, at: base)
        let reference = ReferenceModel(architecture: architecture, examples: examples)
        let step = 1e-6
        var largest = 0.0
        for index in base.indices {
            var shifted = base.map(Double.init)
            shifted[index] += step
            let above = reference.loss(shifted)
            shifted[index] -= 2 * step
            let expected = (above - reference.loss(shifted)) / (2 * step)
            largest = max(largest, abs(expected))
            #expect(abs(actual[index] - expected) < 2e-6, "parameter \(index)")
        }
        #expect(largest > 0.01)
    }

    @Test(arguments: cases) func lossEqualsTheReference(_ test: Case) throws {
        let examples = examples(shape: test.shape, count: 9, classes: 3)
        let architecture = try ModelArchitecture(
            specification: test.specification, featureShape: test.shape, classCount: 3)
        let parameters = numbers(architecture.parameterCount, seed: 12)
        let evaluation = try Evaluation.run(architecture, parameters: parameters.span, examples: examples)
        let reference = ReferenceModel(architecture: architecture, examples: examples)
        #expect(abs(evaluation.loss - reference.loss(parameters.map(Double.init))) < 1e-5)
    }
}
