// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// The fixed point of one group in one run: how `weight x delta` becomes an integer.
///
/// A product `weight * delta * 2^exponent` stays below 2^51 in magnitude, so that it is exact after one rounding in
/// `Double`, and a whole round's total stays below 2^62, so that no order of additions overflows `Int64`.
package struct RingParameters: Hashable, Sendable {
    /// The smallest exponent that a topology may ask for.
    package static let exponentMin = 16

    /// `s`: ring integers count units of `2^-exponent` (weight units times delta units).
    package let exponent: Int
    /// The largest magnitude of a delta's value.
    package let deltaBound: Float
    /// The largest weight of one update, in `1...2^53`: a `Double` holds every weight exactly.
    package let weightMax: UInt64
    /// The largest total weight of a round: `cohortMax * weightMax`.
    package let weightTotalMax: UInt64

    /// Chooses the largest exponent that keeps one product below 2^51 and a round's total below 2^62.
    ///
    /// - Throws: `RingError.bound` for a bound that is not positive or too large, `RingError.exponentTooSmall` below
    ///   `exponentMin`.
    package init(deltaBound: Float, weightMax: UInt64, cohortMax: UInt64) throws(RingError) {
        guard deltaBound.isFinite, deltaBound > 0 else {
            throw .bound("the delta bound \(deltaBound) must be positive and finite")
        }
        guard (1...(1 << 53)).contains(weightMax) else {
            throw .bound("weightMax \(weightMax) must lie in 1...2^53")
        }
        let (total, overflow) = weightMax.multipliedReportingOverflow(by: cohortMax)
        guard cohortMax > 0, !overflow, total < 1 << 62 else {
            throw .bound("weightMax \(weightMax) x cohortMax \(cohortMax) must lie in 1..<2^62")
        }
        // x < 2^(e+1) with e = floor(log2 x), so x * 2^s < 2^51 holds exactly when s <= 50 - e.
        let product = Double(weightMax) * Double(deltaBound)
        let sum = Double(total) * Double(deltaBound)
        let exponent = min(50 - Int(product.exponent), 61 - Int(sum.exponent))
        guard exponent >= Self.exponentMin else {
            throw .exponentTooSmall(exponent: exponent, minimum: Self.exponentMin)
        }
        self.exponent = exponent
        self.deltaBound = deltaBound
        self.weightMax = weightMax
        self.weightTotalMax = total
    }

    /// Rebuilds parameters that came over the wire.
    ///
    /// - Throws: `RingError.bound` when the exponent is not the one that the bounds give, and as the other initialiser.
    package init(exponent: Int, deltaBound: Float, weightMax: UInt64, weightTotalMax: UInt64) throws(RingError) {
        guard weightMax > 0, weightTotalMax % weightMax == 0 else {
            throw .bound("weightTotalMax \(weightTotalMax) is not a multiple of weightMax \(weightMax)")
        }
        let derived = try RingParameters(
            deltaBound: deltaBound, weightMax: weightMax, cohortMax: weightTotalMax / weightMax)
        guard derived.exponent == exponent else {
            throw .bound("exponent \(exponent) differs from \(derived.exponent), which the bounds give")
        }
        self = derived
    }

    /// `2^exponent`.
    package var scale: Double { Double(sign: .plus, exponent: exponent, significand: 1) }
}
