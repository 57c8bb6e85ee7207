// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TributaryCore
import TributaryLearning

/// A model's loss in double precision, written from the definitions: plain loops over `[channels, height, width]`,
/// no matrix products, no code shared with the kernels.
struct ReferenceModel {
    let architecture: ModelArchitecture
    let examples: Examples

    /// The mean cross-entropy over all examples.
    func loss(_ parameters: [Double]) -> Double {
        let width = examples.featureCount
        var total = 0.0
        for index in 0..<examples.count {
            let features = examples.features[index * width..<(index + 1) * width].map(Double.init)
            total += loss(of: features, label: Int(examples.labels[index]), parameters)
        }
        return total / Double(examples.count)
    }

    private func loss(of features: [Double], label: Int, _ parameters: [Double]) -> Double {
        var values = features
        var reader = Reader(values: parameters)
        if case .cnn(let blocks, _) = architecture.specification {
            var (channels, height, width) = (
                examples.featureShape[0], examples.featureShape[1], examples.featureShape[2]
            )
            for block in blocks {
                values = convolve(values, (channels, height, width), block, &reader)
                (channels, height, width) = (block.channels, height / 2, width / 2)
            }
            // The dense layers see a pixel's channels side by side.
            let planes = values
            values = (0..<height * width).flatMap { pixel in
                (0..<channels).map { planes[$0 * height * width + pixel] }
            }
        }
        for outputs in hiddenWidths {
            values = dense(values, outputs, &reader).map { max($0, 0) }
        }
        let logits = dense(values, examples.classCount, &reader)
        let top = logits.max() ?? 0
        return top + log(logits.reduce(0) { $0 + exp($1 - top) }) - logits[label]
    }

    private var hiddenWidths: [Int] {
        switch architecture.specification {
        case .linear: []
        case .mlp(let hidden), .cnn(_, let hidden): hidden
        }
    }

    private struct Reader {
        let values: [Double]
        var position = 0
        mutating func take(_ count: Int) -> ArraySlice<Double> {
            defer { position += count }
            return values[position..<position + count]
        }
    }

    private func dense(_ x: [Double], _ outputs: Int, _ reader: inout Reader) -> [Double] {
        let weights = Array(reader.take(x.count * outputs))
        let biases = Array(reader.take(outputs))
        return (0..<outputs).map { o in
            x.indices.reduce(biases[o]) { $0 + x[$1] * weights[$1 * outputs + o] }
        }
    }

    private func convolve(
        _ x: [Double], _ shape: (channels: Int, height: Int, width: Int), _ block: ConvolutionBlock,
        _ reader: inout Reader
    ) -> [Double] {
        let (channels, height, width) = shape
        let (edge, half) = (block.kernel, block.kernel / 2)
        let weights = Array(reader.take(edge * edge * channels * block.channels))
        let biases = Array(reader.take(block.channels))
        func activation(_ out: Int, _ row: Int, _ column: Int) -> Double {
            var sum = biases[out]
            for dy in 0..<edge {
                for dx in 0..<edge {
                    let (y, x0) = (row + dy - half, column + dx - half)
                    guard (0..<height).contains(y), (0..<width).contains(x0) else { continue }
                    for channel in 0..<channels {
                        sum +=
                            x[(channel * height + y) * width + x0]
                            * weights[((dy * edge + dx) * channels + channel) * block.channels + out]
                    }
                }
            }
            return max(sum, 0)
        }
        var pooled: [Double] = []
        for out in 0..<block.channels {
            for row in 0..<height / 2 {
                for column in 0..<width / 2 {
                    let corners = [(0, 0), (0, 1), (1, 0), (1, 1)].map {
                        activation(out, 2 * row + $0.0, 2 * column + $0.1)
                    }
                    pooled.append(corners.reduce(0, max))
                }
            }
        }
        return pooled
    }
}
