// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// SGD:  v = momentum v + g,  w -= rate v.
// Adam: m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,  w -= rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + e)
//       (Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, https://arxiv.org/abs/1412.6980).
// FedProx adds mu (w - base) to g (Li et al., "Federated Optimization in Heterogeneous Networks", 2020,
// https://arxiv.org/abs/1812.06127).

import CTributaryKernels
import TributaryCore

/// A client optimizer and its place in the arena: first or only moment, second moment, base.
struct LocalOptimizer {
    private let kind: ClientOptimizer
    private let proximal: Float
    private let parameterCount: Int
    private let variant: Int32
    private let momentCount: Int
    /// `beta1^t` and `beta2^t`.
    private var powers = (1.0, 1.0)

    init(_ kind: ClientOptimizer, proximal: Float, parameterCount: Int, variant: KernelVariant) {
        self.kind = kind
        self.proximal = proximal
        self.parameterCount = parameterCount
        self.variant = variant.rawValue
        switch kind {
        case .sgd(_, let momentum): momentCount = momentum == 0 ? 0 : 1
        case .adam: momentCount = 2
        }
    }

    private var keepsBase: Bool { proximal != 0 }

    /// The floats of state.
    var stateCount: Int { (momentCount + (keepsBase ? 1 : 0)) * parameterCount }

    /// The learning rate of SGD without momentum and proximal term, which a step can take without a gradient in memory.
    var plainRate: Float? {
        guard case .sgd(let rate, _) = kind, stateCount == 0 else { return nil }
        return rate
    }

    /// Clears the moments and keeps the base.
    func reset(state: UnsafeMutablePointer<Float>, base: UnsafePointer<Float>) {
        state.update(repeating: 0, count: momentCount * parameterCount)
        if keepsBase { (state + momentCount * parameterCount).update(from: base, count: parameterCount) }
    }

    /// Takes one step against the gradient.
    mutating func step(
        parameters: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>, state: UnsafeMutablePointer<Float>
    ) {
        let base = keepsBase ? UnsafePointer(state + momentCount * parameterCount) : nil
        switch kind {
        case .sgd(let rate, let momentum):
            tributary_learn_sgd(
                variant, parameterCount, parameters, momentCount == 0 ? nil : state, gradient, base, rate, momentum,
                proximal)
        case .adam(let rate, let beta1, let beta2, let epsilon):
            powers = (powers.0 * Double(beta1), powers.1 * Double(beta2))
            let step = tributary_learn_adam_step(
                rate: rate, beta1: beta1, beta2: beta2, epsilon: epsilon, first: Float(1 / (1 - powers.0)),
                second: Float(1 / (1 - powers.1)), proximal: proximal)
            tributary_learn_adam(
                variant, parameterCount, parameters, state, state + parameterCount, gradient, base, step)
        }
    }
}

extension TrainSettings {
    /// - Throws: `LearningError.settings` when a number lies outside its range.
    func check() throws(LearningError) {
        switch work {
        case .epochs(let count), .steps(let count):
            guard count > 0 else {
                throw .settings("a train plan asks for no local work; use at least 1 epoch or step")
            }
        case .none:
            throw .settings("the plan says 'train: none', and this trainer only trains; run a trainer of pseudo-deltas")
        }
        guard batch > 0 else { throw .settings("the batch size is 0; it must be at least 1") }
        guard proximal.isFinite, proximal >= 0 else {
            throw .settings("the proximal term is \(proximal); it must be finite and not negative")
        }
        switch optimizer {
        case .sgd(let rate, let momentum):
            try Self.check(rate: rate)
            try Self.check(decay: momentum, name: "momentum")
        case .adam(let rate, let beta1, let beta2, let epsilon):
            try Self.check(rate: rate)
            try Self.check(decay: beta1, name: "beta1")
            try Self.check(decay: beta2, name: "beta2")
            guard epsilon.isFinite, epsilon > 0 else {
                throw .settings("Adam's epsilon is \(epsilon); it must be positive and finite")
            }
        }
    }

    private static func check(rate: Float) throws(LearningError) {
        guard rate.isFinite, rate > 0 else {
            throw .settings("the learning rate is \(rate); it must be positive and finite")
        }
    }

    private static func check(decay: Float, name: String) throws(LearningError) {
        guard decay >= 0, decay < 1 else { throw .settings("\(name) is \(decay); it must lie in 0..<1") }
    }
}
