// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

// Checks of the numbers that steer learning, on the devices and where models are stepped.

extension TopologyCheck {
    /// Checks how devices train.
    mutating func checkTraining(_ training: Training, _ path: String) {
        switch training.settings.work {
        case .epochs(let count):
            if count < 1 || count > 10_000 { report(.range, "\(path).local-epochs", "must lie in 1...10000") }
        case .steps(let count):
            if count < 1 || count > 10_000_000 { report(.range, "\(path).local-steps", "must lie in 1...10000000") }
        case .none:
            // A file cannot say more than `train: none`, so that what is written out must not need more.
            if training != .none { report(.range, path, "'none' stands alone; leave every other setting as it is") }
            return
        }
        if training.settings.batch < 1 || training.settings.batch > 65_536 {
            report(.range, "\(path).batch", "must lie in 1...65536")
        }
        if !(training.settings.proximal >= 0 && training.settings.proximal.isFinite) {
            report(.range, "\(path).proximal", "must be at least 0")
        }
        if !(training.deltaBound > 0 && training.deltaBound.isFinite) {
            report(.range, "\(path).delta-bound", "must be positive")
        }
        if training.weightMax < 1 || training.weightMax > 1 << 40 {
            report(.range, "\(path).weight-max", "must lie in 1...\(UInt64(1) << 40)")
        }
        switch training.settings.optimizer {
        case .sgd(let learningRate, let momentum):
            checkPositive(learningRate, "\(path).optimizer.learning-rate")
            checkShare(momentum, "\(path).optimizer.momentum")
        case .adam(let learningRate, let beta1, let beta2, let epsilon):
            checkPositive(learningRate, "\(path).optimizer.learning-rate")
            checkShare(beta1, "\(path).optimizer.beta1")
            checkShare(beta2, "\(path).optimizer.beta2")
            checkPositive(epsilon, "\(path).optimizer.epsilon")
        }
    }

    /// Checks a server optimizer.
    mutating func checkOptimizer(_ optimizer: ServerOptimizer, _ path: String) {
        switch optimizer {
        case .fedAvg(let learningRate):
            checkPositive(learningRate, "\(path).learning-rate")
        case .fedAvgM(let learningRate, let momentum):
            checkPositive(learningRate, "\(path).learning-rate")
            checkShare(momentum, "\(path).momentum")
        case .fedAdam(let learningRate, let beta1, let beta2, let tau),
            .fedYogi(let learningRate, let beta1, let beta2, let tau):
            checkPositive(learningRate, "\(path).learning-rate")
            checkShare(beta1, "\(path).beta1")
            checkShare(beta2, "\(path).beta2")
            checkPositive(tau, "\(path).tau")
        case .fedAdagrad(let learningRate, let beta1, let tau):
            checkPositive(learningRate, "\(path).learning-rate")
            checkShare(beta1, "\(path).beta1")
            checkPositive(tau, "\(path).tau")
        }
    }

    private mutating func checkPositive(_ value: Float, _ path: String) {
        if !(value > 0 && value.isFinite) { report(.range, path, "must be positive") }
    }

    private mutating func checkShare(_ value: Float, _ path: String) {
        if !(value >= 0 && value < 1) { report(.range, path, "must lie in [0, 1)") }
    }
}
