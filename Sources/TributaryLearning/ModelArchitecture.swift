// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
package import TributaryRing

/// A model for data of one shape: which layers, and where their parameters lie in the flat vector.
///
/// Weights are `[in, out]` (dense) and `[kernel, kernel, in, out]` (convolution). The output layer is the group
/// `head`, everything before it the group `body`; a linear model has only a head. Images are `[channels, height,
/// width]` outside and `[height, width, channels]` inside, so the first dense layer behind convolutions sees the
/// channels of a pixel side by side.
package struct ModelArchitecture: Hashable, Sendable {
    /// The largest number of parameters: what one object may hold as float32.
    package static let parameterCountMax = Int(Limits.objectByteCountMax / 4)
    /// The most classes; bounds the output of one example.
    package static let classCountMax = 1 << 20
    /// The most values that one example may occupy in one layer, with its patches; bounds a trainer's memory.
    package static let activationCountMax = 1 << 26
    /// The most hidden layers or blocks: each has two tensors of the layout, whose number is bounded too.
    package static let layerCountMax = 256

    package let specification: ModelSpecification
    package let featureShape: [Int]
    package let classCount: Int
    /// Named tensors and groups of the flat parameter vector.
    package let layout: ParameterLayout
    let layers: [Layer]

    /// Lays the model out for examples of `featureShape` (`[features]` or `[channels, height, width]`).
    ///
    /// - Throws: `LearningError.model` when the shapes do not fit each other or are too large.
    package init(
        specification: ModelSpecification, featureShape: [Int], classCount: Int
    ) throws(LearningError) {
        guard (2...Self.classCountMax).contains(classCount) else {
            throw .model("the data has \(classCount) classes; a classifier needs 2 to \(Self.classCountMax)")
        }
        var builder = try ArchitectureBuilder(featureShape: featureShape)
        switch specification {
        case .linear:
            break
        case .mlp(let hidden):
            try builder.addDense(widths: hidden)
        case .cnn(let blocks, let hidden):
            try builder.addConvolutions(blocks, featureShape: featureShape)
            try builder.addDense(widths: hidden)
        }
        try builder.addOutput(classCount: classCount)
        self.specification = specification
        self.featureShape = featureShape
        self.classCount = classCount
        self.layers = builder.layers
        do {
            layout = try ParameterLayout(tensors: builder.tensors)
        } catch {
            throw .model(error.description)
        }
    }

    /// The length of the flat parameter vector.
    package var parameterCount: Int { layout.parameterCount }
    /// The number of values of one example's features.
    package var featureCount: Int { featureShape.reduce(1, *) }

    /// The parameters of round 0, a function of the seed alone.
    ///
    /// Hidden weights are He-uniform, `U(-sqrt(6 / in), sqrt(6 / in))`; output weights Glorot-uniform,
    /// `U(-sqrt(6 / (in + out)), sqrt(6 / (in + out)))`; biases are zero.
    package func initialParameters(seed: UInt64) -> [Float] {
        var parameters = [Float](repeating: 0, count: parameterCount)
        for (position, layer) in layers.enumerated() {
            let fan = layer.isOutput ? layer.inputs + layer.outputs : layer.inputs
            let limit = (6 / Double(fan)).squareRoot()
            var random = CounterRandom(seed: seed, purpose: .initialModel, client: UInt64(position))
            for index in layer.weights {
                parameters[index] = Float((2 * random.nextUniform() - 1) * limit)
            }
        }
        return parameters
    }

    /// - Throws: `LearningError.parameterCount` when a vector's length is not the layout's.
    func check(parameterCount actual: Int) throws(LearningError) {
        guard actual == parameterCount else { throw .parameterCount(expected: parameterCount, actual: actual) }
    }

    /// Checks that examples can be fed to this model: shape, number of values, labels in range.
    ///
    /// - Throws: `LearningError.examples`.
    package func check(_ examples: Examples) throws(LearningError) {
        try check(shapeOf: examples)
        try examples.checkValues()
    }

    /// - Throws: `LearningError.examples` when shape or number of classes are not the model's.
    func check(shapeOf examples: Examples) throws(LearningError) {
        guard examples.featureShape == featureShape, examples.classCount == classCount else {
            throw .examples(
                "the examples have shape \(examples.featureShape) and \(examples.classCount) classes where the model "
                    + "expects \(featureShape) and \(classCount)")
        }
    }
}

/// One layer with parameters; pooling belongs to its convolution.
struct Layer: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// `y = x W + b`, with ReLU except in the output layer.
        case dense
        /// Convolution over `[height, width, channels]`, ReLU, 2x2 max-pool.
        case convolution(Convolution)
    }

    let kind: Kind
    /// Rows of the weight matrix: the inputs of one output value.
    let inputs: Int
    /// Columns of the weight matrix: output values, or output channels.
    let outputs: Int
    /// Where the weights and the biases lie in the flat vector.
    let weights: Range<Int>
    let biases: Range<Int>
    let isOutput: Bool

    /// The values that one example has on entry.
    var inputCount: Int {
        switch kind {
        case .dense: inputs
        case .convolution(let shape): shape.height * shape.width * shape.channels
        }
    }

    /// The values that one example has on leaving (after pooling).
    var outputCount: Int {
        switch kind {
        case .dense: outputs
        case .convolution(let shape): shape.pooledHeight * shape.pooledWidth * outputs
        }
    }
}

/// The extents of a convolution's input, and its kernel's edge.
struct Convolution: Hashable, Sendable {
    let height: Int
    let width: Int
    let channels: Int
    let kernel: Int

    var pooledHeight: Int { height / 2 }
    var pooledWidth: Int { width / 2 }
    var pixelCount: Int { height * width }
    /// The values under the kernel at one pixel.
    var patchCount: Int { kernel * kernel * channels }
}
