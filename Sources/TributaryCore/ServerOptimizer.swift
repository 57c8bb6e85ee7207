// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// The step from an average delta to the next model.
///
/// Reddi and others 2021, "Adaptive Federated Optimization", arXiv 2003.00295; FedAvgM: Hsu, Qi and Brown 2019,
/// arXiv 1909.06335. The average delta is used as `-gradient`.
package enum ServerOptimizer: Hashable, Sendable {
    /// `w += learningRate * delta`; the classic FedAvg has learning rate 1.
    case fedAvg(learningRate: Float)
    /// `v = momentum * v + delta; w += learningRate * v`.
    case fedAvgM(learningRate: Float, momentum: Float)
    /// Adam on the average delta, without bias correction as in the paper; `tau` is the adaptivity.
    case fedAdam(learningRate: Float, beta1: Float, beta2: Float, tau: Float)
    case fedYogi(learningRate: Float, beta1: Float, beta2: Float, tau: Float)
    case fedAdagrad(learningRate: Float, beta1: Float, tau: Float)
}
