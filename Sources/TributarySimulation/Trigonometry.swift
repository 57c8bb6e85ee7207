// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// Circular functions that give the same bits on every machine.
enum Trigonometry {
    /// The cosine of an angle in full turns; the error is below 1e-9.
    ///
    /// Reduced to an eighth of a turn by symmetry, then Taylor's series in explicit fused multiply-adds.
    static func cosine(turns: Double) -> Double {
        // In [-0.5, 0.5]; the cosine is even.
        let folded = abs(turns - turns.rounded())
        if folded > 0.25 { return -cosine(turns: 0.5 - folded) }
        if folded > 0.125 { return sine(turns: 0.25 - folded) }
        let square = radians(folded) * radians(folded)
        return series(square, [1, -1.0 / 2, 1.0 / 24, -1.0 / 720, 1.0 / 40_320, -1.0 / 3_628_800])
    }

    /// The sine of at most an eighth of a turn.
    private static func sine(turns: Double) -> Double {
        let angle = radians(turns)
        return angle
            * series(angle * angle, [1, -1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362_880, -1.0 / 39_916_800])
    }

    private static func radians(_ turns: Double) -> Double { 2 * Double.pi * turns }

    private static func series(_ x: Double, _ coefficients: [Double]) -> Double {
        coefficients.reversed().reduce(0) { sum, coefficient in coefficient.addingProduct(sum, x) }
    }
}
