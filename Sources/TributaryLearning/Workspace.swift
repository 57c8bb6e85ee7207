// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// Where in one arena of floats a network's activations and intermediate gradients lie, for batches of `rows` examples.
struct Workspace: Sendable {
    /// A layer's places: `image` is a convolution's activation before pooling.
    struct Place: Sendable {
        let image: Int
        let output: Int
    }

    let rows: Int
    let input: Int
    let layers: [Place]
    /// The gradients at a layer's output and input, in turns.
    let signals: (Int, Int)
    /// The gradient at one example's convolution before pooling.
    let imageSignal: Int
    /// One example's patches, or their gradient.
    let patches: Int
    /// One example's image inside a border of zeros.
    let padded: Int
    /// One layer's transposed weights.
    let transposed: Int
    /// The arena's length.
    let count: Int

    init(architecture: ModelArchitecture, rows: Int, forTraining: Bool) throws(LearningError) {
        var cursor = ArenaCursor()
        let rows = max(rows, 1)
        self.rows = rows
        input = try cursor.take(architecture.featureCount, times: rows)
        var layers: [Place] = []
        var (signal, image, patch, border, weights) = (0, 0, 0, 0, 0)
        for (position, layer) in architecture.layers.enumerated() {
            var imageStart = 0
            if case .convolution(let shape) = layer.kind {
                imageStart = try cursor.take(shape.pixelCount * layer.outputs, times: rows)
                image = max(image, shape.pixelCount * layer.outputs)
                patch = max(patch, shape.pixelCount * shape.patchCount)
                border = max(border, shape.paddedCount)
            }
            layers.append(Place(image: imageStart, output: try cursor.take(layer.outputCount, times: rows)))
            guard position > 0 else { continue }
            signal = max(signal, layer.inputCount)
            weights = max(weights, layer.weights.count)
        }
        self.layers = layers
        patches = try cursor.take(patch, times: 1)
        padded = try cursor.take(border, times: 1)
        let training = forTraining ? 1 : 0
        signals = (try cursor.take(signal, times: rows * training), try cursor.take(signal, times: rows * training))
        imageSignal = try cursor.take(image, times: training)
        transposed = try cursor.take(weights, times: training)
        count = cursor.position
    }
}
