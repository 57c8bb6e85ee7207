// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryRing

/// Adds layer after layer, checking every product before it is formed.
struct ArchitectureBuilder {
    private(set) var layers: [Layer] = []
    private(set) var tensors: [ParameterTensor] = []
    /// Values of one example after the layers so far.
    private var width: Int
    private var parameterCount = 0

    init(featureShape: [Int]) throws(LearningError) {
        guard featureShape.count == 1 || featureShape.count == 3, featureShape.allSatisfy({ $0 > 0 }) else {
            throw .model(
                "the features have shape \(featureShape); a model takes [features] or [channels, height, width]")
        }
        width = try Self.product(featureShape, limit: ModelArchitecture.activationCountMax, of: "values per example")
    }

    /// Appends dense layers with ReLU.
    mutating func addDense(widths: [Int]) throws(LearningError) {
        try checkLayerCount(widths.count)
        for (position, outputs) in widths.enumerated() {
            guard (1...ModelArchitecture.activationCountMax).contains(outputs) else {
                throw .model("hidden layer \(position + 1) has width \(outputs); it must be at least 1")
            }
            try add(name: "dense\(position + 1)", kind: .dense, shape: [width, outputs], isOutput: false)
            width = outputs
        }
    }

    /// Appends convolution blocks; each halves height and width, rounding down.
    mutating func addConvolutions(_ blocks: [ConvolutionBlock], featureShape: [Int]) throws(LearningError) {
        guard featureShape.count == 3 else {
            throw .model(
                "a CNN needs images of shape [channels, height, width], but the features have shape \(featureShape); "
                    + "use an MLP or give the data an image shape")
        }
        try checkLayerCount(blocks.count)
        var (channels, height, width) = (featureShape[0], featureShape[1], featureShape[2])
        for (position, block) in blocks.enumerated() {
            let name = "convolution\(position + 1)"
            guard (1...11).contains(block.kernel), block.kernel % 2 == 1 else {
                throw .model("\(name) has kernel \(block.kernel); it must be odd and in 1...11")
            }
            guard (1...ModelArchitecture.activationCountMax).contains(block.channels) else {
                throw .model("\(name) has \(block.channels) channels; it must have at least 1")
            }
            guard height >= 2, width >= 2 else {
                throw .model(
                    "\(name) would pool an image of \(height) x \(width); remove a block or use larger images")
            }
            let limit = ModelArchitecture.activationCountMax
            _ = try Self.product([height, width, block.channels], limit: limit, of: "values of \(name)")
            let patch = [height, width, block.kernel, block.kernel, channels]
            _ = try Self.product(patch, limit: limit, of: "patch values of \(name)")
            let shape = Convolution(height: height, width: width, channels: channels, kernel: block.kernel)
            try add(
                name: name, kind: .convolution(shape), shape: [block.kernel, block.kernel, channels, block.channels],
                isOutput: false)
            (channels, height, width) = (block.channels, height / 2, width / 2)
            self.width = channels * height * width
        }
    }

    /// Appends the output layer.
    mutating func addOutput(classCount: Int) throws(LearningError) {
        try add(name: "output", kind: .dense, shape: [width, classCount], isOutput: true)
    }

    private func checkLayerCount(_ count: Int) throws(LearningError) {
        guard count <= ModelArchitecture.layerCountMax else {
            throw .model("the model has \(count) hidden layers or blocks; at most \(ModelArchitecture.layerCountMax)")
        }
    }

    private mutating func add(name: String, kind: Layer.Kind, shape: [Int], isOutput: Bool) throws(LearningError) {
        let limit = ModelArchitecture.parameterCountMax
        let weightCount = try Self.product(shape, limit: limit, of: "weights in \(name)")
        let outputs = shape[shape.count - 1]
        let weights = parameterCount..<(parameterCount + weightCount)
        let biases = weights.upperBound..<(weights.upperBound + outputs)
        guard biases.upperBound <= limit else {
            throw .model("the model has more than \(limit) parameters; use narrower layers")
        }
        parameterCount = biases.upperBound
        let group = isOutput ? "head" : "body"
        tensors.append(ParameterTensor(name: "\(name).weight", group: group, shape: shape))
        tensors.append(ParameterTensor(name: "\(name).bias", group: group, shape: [outputs]))
        layers.append(
            Layer(
                kind: kind, inputs: weightCount / outputs, outputs: outputs, weights: weights, biases: biases,
                isOutput: isOutput))
    }

    /// Multiplies extents of at least 1, refusing more than `limit`.
    private static func product(_ extents: [Int], limit: Int, of what: String) throws(LearningError) -> Int {
        var product = 1
        for extent in extents {
            let (next, overflow) = product.multipliedReportingOverflow(by: extent)
            guard !overflow, next <= limit else {
                throw .model("the shape \(extents) gives too many \(what) (at most \(limit)); use a smaller model")
            }
            product = next
        }
        return product
    }
}
