// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// What can be wrong with a layout, ring parameters, or the values that enter the ring.
package enum RingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The layout is inconsistent; the text says how and what to do.
    case layout(String)
    /// No exponent of at least `RingParameters.exponentMin` fits the bounds.
    case exponentTooSmall(exponent: Int, minimum: Int)
    /// A bound that must be positive and finite is not.
    case bound(String)
    /// A vector has the wrong length.
    case length(expected: Int, actual: Int)
    /// A value is infinite or not a number; `index` is its position in the group.
    case notFinite(index: Int)
    /// A value lies beyond the delta bound; `index` is its position in the group.
    case outOfBound(index: Int)
    /// A sum lies beyond what its total weight allows; `index` is the first value of its packed block in the group.
    case sumOutOfBound(index: Int)
    /// A weight is zero or beyond the maximum.
    case weight(actual: UInt64, maximum: UInt64)
    /// Packed ring values are malformed.
    case packed(String)
    /// The system has no memory for so many sums.
    case memory(valueCount: Int)

    package var description: String {
        switch self {
        case .layout(let text), .bound(let text), .packed(let text):
            text
        case .exponentTooSmall(let exponent, let minimum):
            "the ring would keep only 2^-\(exponent) of precision (at least 2^-\(minimum) is needed); "
                + "lower the delta bound, the maximum weight or the cohort"
        case .length(let expected, let actual):
            "the vector has \(actual) values where the layout has \(expected)"
        case .outOfBound(let index):
            "the value at position \(index) lies beyond the delta bound; scale the group onto its bound"
        case .notFinite(let index):
            "the value at position \(index) is infinite or not a number; lower the learning rate"
        case .sumOutOfBound(let index):
            "a sum in the block of position \(index) lies beyond what the total weight allows"
        case .weight(let actual, let maximum):
            "the weight \(actual) lies outside 1...\(maximum)"
        case .memory(let valueCount):
            "no memory for \(valueCount) sums of 8 bytes; use a smaller model or a larger machine"
        }
    }
}
