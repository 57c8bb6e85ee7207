// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryLearning
import TributaryRing

@Suite struct ModelArchitectureTests {
    static let cnn = ModelSpecification.cnn(blocks: [ConvolutionBlock(channels: 16, kernel: 5)], hidden: [32])

    @Test func layoutNamesBodyAndHead() throws {
        let mlp = try ModelArchitecture(specification: .mlp(hidden: [128]), featureShape: [784], classCount: 10)
        #expect(mlp.parameterCount == 101_770)
        #expect(mlp.layout.tensors.map(\.name) == ["dense1.weight", "dense1.bias", "output.weight", "output.bias"])
        #expect(mlp.layout.tensors.map(\.shape) == [[784, 128], [128], [128, 10], [10]])
        #expect(mlp.layout.groups.map(\.name) == ["body", "head"])
        let linear = try ModelArchitecture(specification: .linear, featureShape: [1, 28, 28], classCount: 10)
        #expect(linear.layout.groups.map(\.name) == ["head"])
        #expect(linear.parameterCount == 7_850)
        let cnn = try ModelArchitecture(specification: Self.cnn, featureShape: [3, 9, 7], classCount: 4)
        #expect(cnn.layout.tensors.prefix(3).map(\.shape) == [[5, 5, 3, 16], [16], [4 * 3 * 16, 32]])
        #expect(cnn.layout.tensors.first?.name == "convolution1.weight")
    }

    @Test func initialParametersAreSeededAndBounded() throws {
        let mlp = try ModelArchitecture(specification: .mlp(hidden: [50]), featureShape: [24], classCount: 10)
        let parameters = mlp.initialParameters(seed: 4)
        #expect(parameters == mlp.initialParameters(seed: 4))
        #expect(parameters != mlp.initialParameters(seed: 5))
        // He: sqrt(6 / 24) = 0.5; Glorot: sqrt(6 / 60).
        let (hidden, output) = (parameters[..<1_200], parameters[1_250..<1_750])
        #expect(hidden.allSatisfy { abs($0) <= 0.5 } && (hidden.max() ?? 0) > 0.49 && (hidden.min() ?? 0) < -0.49)
        #expect(output.allSatisfy { abs($0) <= 0.31623 } && (output.max() ?? 0) > 0.3)
        #expect(parameters[1_200..<1_250].allSatisfy { $0 == 0 } && parameters[1_750...].allSatisfy { $0 == 0 })
    }

    struct Bad: Sendable {
        let specification: ModelSpecification
        let shape: [Int]
        let classes: Int
        let says: String
    }

    static let impossible: [Bad] = [
        Bad(specification: cnn, shape: [784], classes: 10, says: "a CNN needs images"),
        Bad(specification: cnn, shape: [1, 1, 28], classes: 10, says: "remove a block"),
        Bad(
            specification: .cnn(
                blocks: Array(repeating: ConvolutionBlock(channels: 4, kernel: 3), count: 4), hidden: []),
            shape: [1, 8, 8], classes: 10, says: "convolution4 would pool"),
        Bad(
            specification: .cnn(blocks: [ConvolutionBlock(channels: 4, kernel: 4)], hidden: []), shape: [1, 8, 8],
            classes: 10, says: "must be odd"),
        Bad(
            specification: .cnn(blocks: [ConvolutionBlock(channels: 0, kernel: 3)], hidden: []), shape: [1, 8, 8],
            classes: 10, says: "at least 1"),
        Bad(
            specification: .cnn(blocks: [ConvolutionBlock(channels: .max, kernel: 3)], hidden: []), shape: [1, 8, 8],
            classes: 10, says: "channels"),
        Bad(specification: .mlp(hidden: [0]), shape: [4], classes: 2, says: "hidden layer 1"),
        Bad(specification: .mlp(hidden: [-3]), shape: [4], classes: 2, says: "hidden layer 1"),
        Bad(specification: .mlp(hidden: [.max]), shape: [4], classes: 2, says: "hidden layer 1"),
        Bad(specification: .mlp(hidden: [1 << 20, 1 << 20]), shape: [4], classes: 2, says: "too many weights"),
        Bad(specification: .mlp(hidden: Array(repeating: 1, count: 300)), shape: [4], classes: 2, says: "at most 256"),
        Bad(specification: .linear, shape: [4], classes: 1, says: "2 to"),
        Bad(specification: .linear, shape: [4], classes: .max, says: "2 to"),
        Bad(specification: .linear, shape: [], classes: 2, says: "[features]"),
        Bad(specification: .linear, shape: [28, 28], classes: 2, says: "[features]"),
        Bad(specification: .linear, shape: [0], classes: 2, says: "[features]"),
        Bad(specification: .linear, shape: [1, .max, .max], classes: 2, says: "too many values"),
    ]

    @Test(arguments: impossible) func impossibleShapesSaySo(bad: Bad) {
        #expect {
            _ = try ModelArchitecture(
                specification: bad.specification, featureShape: bad.shape, classCount: bad.classes)
        } throws: { error in
            guard case LearningError.model(let text) = error else { return false }
            return text.contains(bad.says)
        }
    }
}
