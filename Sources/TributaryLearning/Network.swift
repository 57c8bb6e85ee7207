// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import CTributaryKernels
import TributaryCore

/// One architecture's forward and backward pass over batches of at most `rows` examples.
///
/// Every function works in an arena of `workspace.count` floats that its caller owns. A row's results do not depend on
/// the other rows of its batch; gradients are means over the batch, summed in the order of its rows.
struct Network {
    let architecture: ModelArchitecture
    let workspace: Workspace
    let variant: Int32

    init(architecture: ModelArchitecture, rows: Int, forTraining: Bool, variant: KernelVariant) throws(LearningError) {
        self.architecture = architecture
        self.workspace = try Workspace(architecture: architecture, rows: rows, forTraining: forTraining)
        self.variant = variant.rawValue
    }

    /// Copies the chosen examples into the arena's input, images as `[height, width, channels]`.
    func gather(
        _ rows: some RandomAccessCollection<UInt32>, of examples: Examples, labels: inout [Int32],
        arena: UnsafeMutablePointer<Float>
    ) {
        let width = architecture.featureCount
        let channels = architecture.layers[0].kind.imageChannels
        examples.features.withUnsafeBufferPointer { features in
            guard let base = features.baseAddress else { return }
            for (position, row) in rows.enumerated() {
                let source = base + Int(row) * width
                let target = arena + workspace.input + position * width
                if channels == 1 {
                    target.update(from: source, count: width)
                } else {
                    tributary_learn_planes_to_image(channels, width / channels, source, target)
                }
                labels[position] = examples.labels[Int(row)]
            }
        }
    }

    /// Runs the arena's first `rows` inputs through the layers; the logits are in the last layer's output.
    func forward(_ parameters: UnsafePointer<Float>, rows: Int, arena: UnsafeMutablePointer<Float>) {
        var source = arena + workspace.input
        for (layer, place) in zip(architecture.layers, workspace.layers) {
            let output = arena + place.output
            let (weights, biases) = (parameters + layer.weights.lowerBound, parameters + layer.biases.lowerBound)
            switch layer.kind {
            case .dense:
                let (inputs, outputs) = (layer.inputs, layer.outputs)
                tributary_learn_fill_rows(rows, outputs, biases, output)
                tributary_learn_gemm(
                    variant, rows, outputs, inputs, source, inputs, 1, weights, outputs, output, outputs, true)
                if !layer.isOutput { tributary_learn_relu(variant, rows * outputs, output) }
            case .convolution(let shape):
                for row in 0..<rows {
                    let image = arena + place.image + row * shape.pixelCount * layer.outputs
                    convolve(
                        shape, layer: layer, weights: weights, biases: biases, from: source + row * layer.inputCount,
                        into: image, arena: arena)
                    tributary_learn_pool(
                        variant, shape.height, shape.width, layer.outputs, image, output + row * layer.outputCount)
                }
            }
            source = output
        }
    }

    private func convolve(
        _ shape: Convolution, layer: Layer, weights: UnsafePointer<Float>, biases: UnsafePointer<Float>,
        from source: UnsafePointer<Float>, into image: UnsafeMutablePointer<Float>, arena: UnsafeMutablePointer<Float>
    ) {
        let patches = arena + workspace.patches
        tributary_learn_image_to_rows(variant, shape.patches, source, arena + workspace.padded, patches)
        tributary_learn_fill_rows(shape.pixelCount, layer.outputs, biases, image)
        tributary_learn_gemm(
            variant, shape.pixelCount, layer.outputs, shape.patchCount, patches, shape.patchCount, 1, weights,
            layer.outputs, image, layer.outputs, true)
        tributary_learn_relu(variant, shape.pixelCount * layer.outputs, image)
    }

    /// The loss of the logits that `forward` left; with `gradient`, they become the mean loss's gradient.
    func loss(
        rows: Int, labels: [Int32], gradient: Bool, arena: UnsafeMutablePointer<Float>
    ) -> tributary_learn_loss {
        let logits = arena + workspace.layers[workspace.layers.count - 1].output
        return tributary_learn_softmax_loss(
            variant, rows, architecture.classCount, logits, labels, gradient, 1 / Float(rows))
    }

    /// Writes the parameters' gradient from the logits' gradient that `loss` left.
    func backward(
        _ parameters: UnsafePointer<Float>, rows: Int, arena: UnsafeMutablePointer<Float>,
        gradient: UnsafeMutablePointer<Float>
    ) {
        let last = architecture.layers.count - 1
        var signal = arena + workspace.layers[last].output
        for position in stride(from: last, through: 0, by: -1) {
            let layer = architecture.layers[position]
            let place = workspace.layers[position]
            let input = arena + (position == 0 ? workspace.input : workspace.layers[position - 1].output)
            let transposed = arena + workspace.transposed
            if position > 0 {
                tributary_learn_transpose(
                    layer.inputs, layer.outputs, parameters + layer.weights.lowerBound, transposed)
            }
            let below = arena + (position % 2 == 0 ? workspace.signals.0 : workspace.signals.1)
            let pass = Pass(
                layer: layer, input: input, signal: signal, gradient: gradient, transposed: transposed,
                below: position > 0 ? below : nil)
            switch layer.kind {
            case .dense:
                if !layer.isOutput {
                    tributary_learn_relu_backward(variant, rows * layer.outputs, arena + place.output, signal)
                }
                backwardDense(pass, rows: rows)
            case .convolution(let shape):
                for row in 0..<rows {
                    backwardConvolution(pass, shape: shape, place: place, row: row, arena: arena)
                }
            }
            signal = below
        }
    }

    /// One layer's share of the backward pass: `signal` is the loss's gradient at its output, `below` at its input.
    private struct Pass {
        let layer: Layer
        let input: UnsafeMutablePointer<Float>
        let signal: UnsafeMutablePointer<Float>
        let gradient: UnsafeMutablePointer<Float>
        let transposed: UnsafeMutablePointer<Float>
        let below: UnsafeMutablePointer<Float>?
    }

    private func backwardDense(_ pass: Pass, rows: Int) {
        let (inputs, outputs) = (pass.layer.inputs, pass.layer.outputs)
        let weights = pass.gradient + pass.layer.weights.lowerBound
        tributary_learn_gemm(
            variant, inputs, outputs, rows, pass.input, 1, inputs, pass.signal, outputs, weights, outputs, false)
        tributary_learn_add_rows(
            variant, rows, outputs, pass.signal, pass.gradient + pass.layer.biases.lowerBound, false)
        guard let below = pass.below else { return }
        tributary_learn_gemm(
            variant, rows, inputs, outputs, pass.signal, outputs, 1, pass.transposed, inputs, below, inputs, false)
    }

    private func backwardConvolution(
        _ pass: Pass, shape: Convolution, place: Workspace.Place, row: Int, arena: UnsafeMutablePointer<Float>
    ) {
        let layer = pass.layer
        let (outputs, pixels, patch) = (layer.outputs, shape.pixelCount, shape.patchCount)
        let (patches, image) = (arena + workspace.patches, arena + workspace.imageSignal)
        tributary_learn_pool_backward(
            variant, shape.height, shape.width, outputs, arena + place.image + row * pixels * outputs,
            arena + place.output + row * layer.outputCount, pass.signal + row * layer.outputCount, image)
        tributary_learn_image_to_rows(
            variant, shape.patches, pass.input + row * layer.inputCount, arena + workspace.padded, patches)
        let weights = pass.gradient + layer.weights.lowerBound
        tributary_learn_gemm(
            variant, patch, outputs, pixels, patches, 1, patch, image, outputs, weights, outputs, row > 0)
        tributary_learn_add_rows(
            variant, pixels, outputs, image, pass.gradient + layer.biases.lowerBound, row > 0)
        guard let below = pass.below else { return }
        tributary_learn_gemm(
            variant, pixels, patch, outputs, image, outputs, 1, pass.transposed, patch, patches, patch, false)
        tributary_learn_rows_to_image(variant, shape.patches, patches, below + row * layer.inputCount)
    }

    /// Evaluates all examples in batches of the workspace's rows, adding losses in the order of the examples.
    func evaluate(
        _ parameters: UnsafePointer<Float>, on examples: Examples, arena: UnsafeMutablePointer<Float>
    ) -> Evaluation {
        var labels = [Int32](repeating: 0, count: workspace.rows)
        var (lossSum, correct) = (0.0, 0)
        for start in stride(from: 0, to: examples.count, by: workspace.rows) {
            let rows = UInt32(start)..<UInt32(min(start + workspace.rows, examples.count))
            gather(rows, of: examples, labels: &labels, arena: arena)
            forward(parameters, rows: rows.count, arena: arena)
            let loss = loss(rows: rows.count, labels: labels, gradient: false, arena: arena)
            lossSum += loss.sum
            correct += loss.correct
        }
        return Evaluation(count: examples.count, correct: correct, lossSum: lossSum)
    }
}

extension Layer.Kind {
    /// The channels of the images that the layer takes; 1 where the order of the input's values is kept.
    var imageChannels: Int {
        switch self {
        case .dense: 1
        case .convolution(let shape): shape.channels
        }
    }
}

extension Convolution {
    /// The values of an image with a border of zeros as wide as half the kernel.
    var paddedCount: Int { (height + kernel - 1) * (width + kernel - 1) * channels }

    var patches: tributary_learn_patches {
        tributary_learn_patches(height: height, width: width, channels: channels, kernel: kernel)
    }
}
