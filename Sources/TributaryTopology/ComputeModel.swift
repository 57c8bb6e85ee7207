// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// The cpu model is HierFAVG's (Liu, Zhang, Song and Letaief 2020, "Client-Edge-Cloud Hierarchical Federated Learning",
// https://arxiv.org/abs/1905.06641): a batch of D bits takes c x D / f seconds, c in cycles per bit, f in Hz.

/// How long a device computes on one batch, that is, one SGD step.
package enum ComputeModel: Hashable, Sendable {
    /// The same time for every batch, at least 0.
    case constant(Duration)
    /// `median x exp(sigma x z)` with `z` standard normal; `median` is positive, `sigma` lies in 0...4.
    case lognormal(median: Duration, sigma: Double)
    /// Rows of the batch x bits of a row's features x `cyclesPerBit` / `frequency` (Hz); both are positive.
    case cpu(frequency: Double, cyclesPerBit: Double)

    /// 10 ms a batch: a small model on a small board.
    package static let `default` = ComputeModel.constant(.milliseconds(10))

    /// The name of the kind in files.
    package var kindName: String {
        switch self {
        case .constant: "constant"
        case .lognormal: "lognormal"
        case .cpu: "cpu"
        }
    }
}
