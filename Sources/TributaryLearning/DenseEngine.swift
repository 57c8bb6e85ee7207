// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import CTributaryKernels
import TributaryCore

/// Steps of networks without convolutions, each one call of a kernel, on packed parameters.
final class DenseEngine: LocalEngine {
    /// Padding may double a large vector; a small one may grow to this many floats.
    private static let smallCount = 1 << 20

    private let architecture: ModelArchitecture
    private let variant: KernelVariant
    private let packedCount: Int
    private var optimizer: LocalOptimizer
    /// What the memory holds: rows of a batch, and floats of gradient and optimizer state.
    private var capacity = (rows: 0, state: 0)
    private var memory = AlignedFloats(count: 0)
    private var pointers = UnsafeMutablePointer<UnsafePointer<Float>?>.allocate(capacity: 1)
    private let layers: UnsafeMutablePointer<tributary_learn_dense_layer>
    private var network: tributary_learn_dense

    /// - Returns: `nil` for a model with convolutions, or a large one that padding would more than double.
    init?(architecture: ModelArchitecture, variant: KernelVariant) {
        guard architecture.layers.allSatisfy({ $0.kind == .dense }) else { return nil }
        let packed = architecture.layers.reduce(0) { $0 + Self.packedCount($1) }
        guard packed <= max(Self.smallCount, 2 * architecture.parameterCount) else { return nil }
        self.architecture = architecture
        self.variant = variant
        packedCount = packed
        optimizer = LocalOptimizer(
            .sgd(learningRate: 0, momentum: 0), proximal: 0, parameterCount: packed, variant: variant)
        layers = .allocate(capacity: architecture.layers.count)
        var start = 0
        for (position, layer) in architecture.layers.enumerated() {
            (layers + position).initialize(
                to: tributary_learn_dense_layer(
                    inputs: layer.inputs, outputs: layer.outputs, width: tributary_learn_dense_width(layer.outputs),
                    flat: layer.weights.lowerBound, packed: start, activations: memory.start, transposed: nil))
            start += Self.packedCount(layer)
        }
        network = tributary_learn_dense(
            layers: layers, count: architecture.layers.count, parameters: memory.start, gradient: nil,
            pointers: pointers, logits: memory.start, rate: 0)
    }

    deinit {
        layers.deallocate()
        pointers.deallocate()
    }

    private static func packedCount(_ layer: Layer) -> Int {
        (layer.inputs + 1) * tributary_learn_dense_width(layer.outputs)
    }

    func prepare(rows: Int, settings: TrainSettings) throws(LearningError) {
        optimizer = LocalOptimizer(
            settings.optimizer, proximal: settings.proximal, parameterCount: packedCount, variant: variant)
        let rate = optimizer.plainRate
        let state = rate == nil ? packedCount + optimizer.stateCount : 0
        if rows > capacity.rows || state > capacity.state {
            try makeRoom(rows: max(rows, capacity.rows), state: max(state, capacity.state))
        }
        network.rate = rate ?? 0
        network.gradient = rate == nil ? gradient : nil
    }

    private var gradient: UnsafeMutablePointer<Float> { network.parameters + packedCount }

    private func makeRoom(rows: Int, state: Int) throws(LearningError) {
        var cursor = ArenaCursor()
        let rowsPadded = (rows + 15) / 16 * 16
        let last = architecture.layers.count - 1
        let parameters = try cursor.take(packedCount)
        _ = try cursor.take(state)
        var places: [(activations: Int, transposed: Int)] = []
        for position in 0...last {
            let activations = try cursor.take(layers[position].width, times: rowsPadded)
            let below = position == 0 ? 0 : layers[position - 1].width
            places.append((activations, try cursor.take(below * layers[position].outputs)))
        }
        let logits = try cursor.take(layers[last].width, times: 16)
        memory = AlignedFloats(count: cursor.position)
        for (position, place) in places.enumerated() {
            layers[position].activations = memory.start + place.activations
            layers[position].transposed = memory.start + place.transposed
        }
        pointers.deallocate()
        pointers = .allocate(capacity: rows)
        network.pointers = pointers
        network.parameters = memory.start + parameters
        network.logits = memory.start + logits
        capacity = (rows, state)
    }

    func begin(base: UnsafePointer<Float>) {
        tributary_learn_dense_pack(variant.rawValue, &network, architecture.parameterCount, base)
        if network.gradient != nil { optimizer.reset(state: gradient + packedCount, base: network.parameters) }
    }

    func step(_ rows: UnsafeBufferPointer<UInt32>, ahead: Int, of dataset: Examples) -> tributary_learn_loss {
        let loss = dataset.features.withUnsafeBufferPointer { features in
            dataset.labels.withUnsafeBufferPointer { labels in
                guard let features = features.baseAddress, let labels = labels.baseAddress,
                    let first = rows.baseAddress
                else { return tributary_learn_loss(sum: 0, correct: 0) }
                return tributary_learn_dense_step(
                    variant.rawValue, &network, features, labels, first, rows.count, ahead)
            }
        }
        if let gradient = network.gradient {
            optimizer.step(parameters: network.parameters, gradient: gradient, state: gradient + packedCount)
        }
        return loss
    }

    func finish(minus base: UnsafePointer<Float>?, result: UnsafeMutablePointer<Float>) -> Bool {
        tributary_learn_dense_unpack(variant.rawValue, &network, architecture.parameterCount, base, result)
    }
}
