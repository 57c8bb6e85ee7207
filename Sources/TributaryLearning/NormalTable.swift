// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// Quantiles of the standard normal distribution: algorithm AS 241 (PPND16) of Wichura, "The Percentage Points of the
// Normal Distribution", 1988, https://doi.org/10.2307/2347330, for shares in 2^-17...1 - 2^-17, where its relative error
// is about 1e-16.

import CTributaryKernels
import TributaryCore

/// Standard normal numbers in 65,536 steps of equal probability: fast enough for noise on every feature.
///
/// A step is the quantile of its middle; the largest is 4.3 and the variance 1 - 2e-5.
enum NormalTable {
    static let steps: [Float] = (0..<65_536).map { Float(quantile((Double($0) + 0.5) / 65_536)) }

    /// Adds `deviation` times independent numbers to the values of a range; 16 random bits for each.
    static func add(
        _ deviation: Float, to values: inout [Float], in range: Range<Int>, _ random: inout CounterRandom
    ) {
        let steps = steps
        var bits: UInt64 = 0
        for index in range {
            if (index - range.lowerBound) % 4 == 0 { bits = random.next() }
            values[index] += deviation * steps[Int(bits & 0xFFFF)]
            bits >>= 16
        }
    }

    /// The value below which a share of the distribution lies; `share` in 2^-17...1 - 2^-17.
    static func quantile(_ share: Double) -> Double {
        let q = share - 0.5
        if abs(q) <= 0.425 {
            let r = 0.180625 - q * q
            return q * polynomial(middleAbove, r) / polynomial(middleBelow, r)
        }
        let r = (-tributary_learn_log_double(min(share, 1 - share))).squareRoot() - 1.6
        let value = polynomial(tailAbove, r) / polynomial(tailBelow, r)
        return q < 0 ? -value : value
    }

    /// By Horner's rule; the constant comes first.
    private static func polynomial(_ coefficients: [Double], _ x: Double) -> Double {
        coefficients.reversed().reduce(0) { $0 * x + $1 }
    }

    private static let middleAbove = [
        3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
        4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3,
    ]
    private static let middleBelow = [
        1, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3, 2.1213794301586595867e+4,
        3.9307895800092710610e+4, 2.8729085735721942674e+4, 5.2264952788528545610e+3,
    ]
    private static let tailAbove = [
        1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
        1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4,
    ]
    private static let tailBelow = [
        1, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1, 1.48103976427480074590e-1,
        1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9,
    ]
}
