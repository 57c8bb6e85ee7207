// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CTributaryKernels

/// Checks of dense little-endian float32 values at any address.
package enum DenseValues {
    /// The first value that is not finite or lies beyond `bound` in magnitude, as an error; `nil` when all are fine.
    ///
    /// `bytes` are whole values, 4 bytes each.
    package static func firstFault(in bytes: UnsafeRawBufferPointer, bound: Float) -> RingError? {
        precondition(bytes.count.isMultiple(of: 4) && bound.isFinite && bound > 0)
        guard let start = bytes.baseAddress else { return nil }
        let index = tributary_ring_first_bad(start, bytes.count / 4, bound)
        return index < 0 ? nil : fault(in: bytes, at: Int(index))
    }

    /// The largest magnitude; infinite or not a number when one of the values is.
    package static func largestMagnitude(in bytes: UnsafeRawBufferPointer) -> Float {
        precondition(bytes.count.isMultiple(of: 4))
        guard let start = bytes.baseAddress else { return 0 }
        return Float(bitPattern: tributary_ring_magnitude_bits(start, bytes.count / 4))
    }

    /// What is wrong with the value at `index`, which a kernel has rejected.
    static func fault(in bytes: UnsafeRawBufferPointer, at index: Int) -> RingError {
        let value = Float(bitPattern: bytes.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self))
        return value.isFinite ? .outOfBound(index: index) : .notFinite(index: index)
    }
}
