// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import CTributaryKernels

/// The instruction set that the learning kernels use; every variant gives the same bits.
package enum KernelVariant: Int32, CaseIterable, Hashable, Sendable {
    /// What every machine of this architecture has; without fused multiply-add it is exact but slow.
    case baseline = 0
    /// x86-64 with AVX2 and FMA.
    case avx2 = 1
    /// x86-64 with AVX-512 F, VL, DQ and BW.
    case avx512 = 2

    /// Whether this machine can run the variant.
    package var isAvailable: Bool { tributary_learn_variant_available(rawValue) }

    /// The fastest variant that this machine can run.
    package static let best = KernelVariant(rawValue: tributary_learn_variant_best()) ?? .baseline
}
