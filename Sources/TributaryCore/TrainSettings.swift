// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// How a device trains on its own data in one round.
package struct TrainSettings: Hashable, Sendable {
    /// How much local work: passes over the shard, or SGD steps.
    package enum Work: Hashable, Sendable {
        /// Passes over the local examples, at least 1.
        case epochs(UInt32)
        /// Steps of one batch each, at least 1; the shard is walked again and again.
        case steps(UInt32)
        /// None: a seeded pseudo-delta stands for the result, for studies of the protocol and of capacity.
        case none
    }

    package var work: Work
    /// Examples per step, at least 1; the last batch of a pass may be smaller.
    package var batch: UInt32
    package var optimizer: ClientOptimizer
    /// FedProx's mu (Li and others 2020, arXiv 1812.06127): the pull towards the round's base; 0 is plain local SGD.
    package var proximal: Float

    /// Whether devices send seeded pseudo-deltas in place of training.
    package var isNone: Bool { work == .none }

    package init(work: Work, batch: UInt32, optimizer: ClientOptimizer, proximal: Float = 0) {
        self.work = work
        self.batch = batch
        self.optimizer = optimizer
        self.proximal = proximal
    }

    /// No training; the settings beside the work have no meaning then and are not sent.
    package static let noTraining = TrainSettings(work: .none, batch: 1, optimizer: .sgd(learningRate: 1, momentum: 0))
}

/// The optimizer of a device's local steps; its state starts anew each round.
package enum ClientOptimizer: Hashable, Sendable {
    /// Stochastic gradient descent: `v = momentum * v + gradient; w -= learningRate * v`.
    case sgd(learningRate: Float, momentum: Float)
    /// Adam (Kingma and Ba 2015, arXiv 1412.6980) with bias correction.
    case adam(learningRate: Float, beta1: Float, beta2: Float, epsilon: Float)
}
