// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import CTributaryKernels
import TributaryCore

/// Steps layer by layer on the flat vector: networks with convolutions, and what `DenseEngine` leaves.
///
/// The memory holds the parameters, the gradient, the optimizer's state and the network's workspace.
final class LayerEngine: LocalEngine {
    private let architecture: ModelArchitecture
    private let variant: KernelVariant
    private var network: Network?
    private var optimizer: LocalOptimizer
    private var capacity = (rows: 0, state: 0)
    private var memory = AlignedFloats(count: 0)
    private var labels: [Int32] = []

    init(architecture: ModelArchitecture, variant: KernelVariant) {
        self.architecture = architecture
        self.variant = variant
        optimizer = LocalOptimizer(
            .sgd(learningRate: 0, momentum: 0), proximal: 0, parameterCount: architecture.parameterCount,
            variant: variant)
    }

    private var parameters: UnsafeMutablePointer<Float> { memory.start }
    private var gradient: UnsafeMutablePointer<Float> { memory.start + architecture.parameterCount }
    private var state: UnsafeMutablePointer<Float> { gradient + architecture.parameterCount }
    private var arena: UnsafeMutablePointer<Float> { state + capacity.state }

    func prepare(rows: Int, settings: TrainSettings) throws(LearningError) {
        optimizer = LocalOptimizer(
            settings.optimizer, proximal: settings.proximal, parameterCount: architecture.parameterCount,
            variant: variant)
        guard rows > capacity.rows || optimizer.stateCount > capacity.state else { return }
        capacity = (max(rows, capacity.rows), max(optimizer.stateCount, capacity.state))
        let network = try Network(
            architecture: architecture, rows: capacity.rows, forTraining: true, variant: variant)
        var cursor = ArenaCursor()
        _ = try cursor.take(architecture.parameterCount, times: 2)
        _ = try cursor.take(capacity.state)
        _ = try cursor.take(network.workspace.count)
        memory = AlignedFloats(count: cursor.position)
        labels = [Int32](repeating: 0, count: capacity.rows)
        self.network = network
    }

    func begin(base: UnsafePointer<Float>) {
        parameters.update(from: base, count: architecture.parameterCount)
        optimizer.reset(state: state, base: base)
    }

    func step(_ rows: UnsafeBufferPointer<UInt32>, ahead: Int, of dataset: Examples) -> tributary_learn_loss {
        guard let network else { return tributary_learn_loss(sum: 0, correct: 0) }
        network.gather(rows, of: dataset, labels: &labels, arena: arena)
        network.forward(parameters, rows: rows.count, arena: arena)
        let loss = network.loss(rows: rows.count, labels: labels, gradient: true, arena: arena)
        network.backward(parameters, rows: rows.count, arena: arena, gradient: gradient)
        optimizer.step(parameters: parameters, gradient: gradient, state: state)
        return loss
    }

    func finish(minus base: UnsafePointer<Float>?, result: UnsafeMutablePointer<Float>) -> Bool {
        let count = architecture.parameterCount
        if let base {
            for index in 0..<count { result[index] = parameters[index] - base[index] }
        } else {
            result.update(from: parameters, count: count)
        }
        return tributary_learn_all_finite(count, parameters)
    }
}
