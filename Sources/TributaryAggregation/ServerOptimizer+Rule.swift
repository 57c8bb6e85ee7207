// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// The server optimizers, one parameter at a time, in Double. x is the parameter, d the average delta (used as the
// negative gradient), m and v the state:
//
//   FedAvg       x += lr d                          McMahan et al. 2017, https://arxiv.org/abs/1602.05629
//   FedAvgM      m = momentum m + d;  x += lr m     Hsu, Qi and Brown 2019, https://arxiv.org/abs/1909.06335
//   adaptive     m = b1 m + (1 - b1) d;  x += lr m / (sqrt(v) + tau), with
//     FedAdagrad   v += d^2
//     FedAdam      v = b2 v + (1 - b2) d^2
//     FedYogi      v -= (1 - b2) d^2 sign(v - d^2)
//                Reddi et al. 2021, "Adaptive Federated Optimization", algorithm 2, https://arxiv.org/abs/2003.00295
//
// There is no bias correction, as in the paper. State starts at zero: tau in the denominator keeps the first steps
// bounded, which is what the paper's v >= tau^2 at the start is for. Nothing is reduced across parameters and every
// operation rounds on its own, so the bits are the same on every machine.

package import TributaryCore

extension ServerOptimizer {
    /// The number of state vectors that a step reads and writes, one `Float32` a parameter each; zero at first.
    ///
    /// In order: the momentum m, then the second moment v.
    package var stateVectorCount: Int {
        switch self {
        case .fedAvg: 0
        case .fedAvgM: 1
        case .fedAdam, .fedYogi, .fedAdagrad: 2
        }
    }

    /// The optimizer's arithmetic in `Double`.
    var rule: StepRule {
        switch self {
        case .fedAvg(let learningRate):
            .plain(learningRate: Double(learningRate))
        case .fedAvgM(let learningRate, let momentum):
            .momentum(learningRate: Double(learningRate), momentum: Double(momentum))
        case .fedAdam(let learningRate, let beta1, let beta2, let tau):
            .adaptive(AdaptiveRule(.adam, learningRate: learningRate, beta1: beta1, beta2: beta2, tau: tau))
        case .fedYogi(let learningRate, let beta1, let beta2, let tau):
            .adaptive(AdaptiveRule(.yogi, learningRate: learningRate, beta1: beta1, beta2: beta2, tau: tau))
        case .fedAdagrad(let learningRate, let beta1, let tau):
            .adaptive(AdaptiveRule(.adagrad, learningRate: learningRate, beta1: beta1, beta2: 0, tau: tau))
        }
    }
}

/// What a step gives for one parameter: the next parameter and state, as they are stored.
struct StepValues {
    var parameter: Float
    var first: Float
    var second: Float

    var isFinite: Bool { parameter.isFinite && first.isFinite && second.isFinite }
}

/// One optimizer's function of one parameter, its state and its average delta.
enum StepRule {
    case plain(learningRate: Double)
    case momentum(learningRate: Double, momentum: Double)
    case adaptive(AdaptiveRule)

    /// The next values from the present ones; state that the rule has not stays as it is.
    @inline(__always)
    func next(_ now: StepValues, delta: Double) -> StepValues {
        let parameter = Double(now.parameter)
        switch self {
        case .plain(let learningRate):
            return StepValues(
                parameter: Float(parameter + learningRate * delta), first: now.first, second: now.second)
        case .momentum(let learningRate, let momentum):
            let velocity = momentum * Double(now.first) + delta
            return StepValues(
                parameter: Float(parameter + learningRate * velocity), first: Float(velocity), second: now.second)
        case .adaptive(let rule):
            return rule.next(now, delta: delta)
        }
    }
}

/// The adaptive optimizers, which differ in their second moment.
struct AdaptiveRule {
    enum Moment {
        case adam
        case yogi
        case adagrad
    }

    private let moment: Moment
    private let learningRate: Double
    private let beta1: Double
    private let beta2: Double
    private let tau: Double

    init(_ moment: Moment, learningRate: Float, beta1: Float, beta2: Float, tau: Float) {
        self.moment = moment
        self.learningRate = Double(learningRate)
        self.beta1 = Double(beta1)
        self.beta2 = Double(beta2)
        self.tau = Double(tau)
    }

    @inline(__always)
    func next(_ now: StepValues, delta: Double) -> StepValues {
        let first = beta1 * Double(now.first) + (1 - beta1) * delta
        let square = delta * delta
        let old = Double(now.second)
        let second =
            switch moment {
            case .adam: beta2 * old + (1 - beta2) * square
            case .yogi: old - (1 - beta2) * square * (old > square ? 1 : old < square ? -1 : 0)
            case .adagrad: old + square
            }
        let parameter = Double(now.parameter) + learningRate * first / (second.squareRoot() + tau)
        return StepValues(parameter: Float(parameter), first: Float(first), second: Float(second))
    }
}
