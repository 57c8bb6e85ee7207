// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// Normal tail: Hart's rational approximation (Hart and others 1968, "Computer Approximations", algorithm 5666) as given
// by West 2005, "Better approximations to cumulative normal functions", Wilmott Magazine; relative error below 1e-14.
// Incomplete beta: the continued fraction of DLMF 8.17.22 (https://dlmf.nist.gov/8.17) by Lentz's method, with Lanczos's
// approximation of the gamma function (Lanczos 1964, https://doi.org/10.1137/0701008; g = 7, n = 9).

import CTributaryKernels

/// The functions of probability theory that the standard library lacks.
enum SpecialFunctions {
    static func exp(_ x: Double) -> Double {
        if x < -700 { return 0 }
        return x > 700 ? .infinity : tributary_learn_exp_double(x)
    }

    /// The natural logarithm; minus infinity at 0.
    static func log(_ x: Double) -> Double {
        if x == .infinity { return x }
        return x > 0 ? tributary_learn_log_double(x) : -.infinity
    }

    /// `log(1 + x)`, precise for small `x`.
    static func logOnePlus(_ x: Double) -> Double {
        abs(x) < 1e-4 ? x * (1 - x * (0.5 - x * (1.0 / 3 - x / 4))) : log(1 + x)
    }

    /// `1 - exp(x)`, precise for small `x`.
    static func oneMinusExp(_ x: Double) -> Double {
        abs(x) < 1e-4 ? -x * (1 + x * (0.5 + x * (1.0 / 6 + x / 24))) : 1 - exp(x)
    }

    /// The probability that a standard normal number exceeds `z`.
    static func normalTail(_ z: Double) -> Double {
        let x = abs(z)
        guard x < 37 else { return z > 0 ? 0 : 1 }
        let density = exp(-x * x / 2)
        let tail: Double
        if x < 7.071_067_811_865_47 {
            let upper = polynomial(
                x,
                [
                    3.526_249_659_989_11e-02, 0.700_383_064_443_688, 6.373_962_203_531_65, 33.912_866_078_383,
                    112.079_291_497_871, 221.213_596_169_931, 220.206_867_912_376,
                ])
            let lower = polynomial(
                x,
                [
                    8.838_834_764_831_84e-02, 1.755_667_163_182_64, 16.064_177_579_207, 86.780_732_202_946_1,
                    296.564_248_779_674, 637.333_633_378_831, 793.826_512_519_948, 440.413_735_824_752,
                ])
            tail = density * upper / lower
        } else {
            tail = density / (x + 1 / (x + 2 / (x + 3 / (x + 4 / (x + 0.65))))) / 2.506_628_274_631
        }
        return z > 0 ? tail : 1 - tail
    }

    private static func polynomial(_ x: Double, _ coefficients: [Double]) -> Double {
        coefficients.reduce(0) { $0 * x + $1 }
    }

    /// The regularised incomplete beta function `I_x(a, b)`, for positive `a` and `b`.
    ///
    /// The probability that a binomial number of `a + b - 1` trials of probability `x` is at least `a`.
    static func betaShare(_ x: Double, _ a: Double, _ b: Double) -> Double {
        guard x > 0 else { return 0 }
        guard x < 1 else { return 1 }
        let front = exp(
            logGamma(a + b) - logGamma(a) - logGamma(b) + a * log(x) + b * logOnePlus(-x))
        if x < (a + 1) / (a + b + 2) { return min(1, front * betaFraction(x, a, b) / a) }
        return max(0, 1 - front * betaFraction(1 - x, b, a) / b)
    }

    private static func betaFraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
        let tiny = 1e-300
        func kept(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
        var c = 1.0
        var d = 1 / kept(1 - (a + b) * x / (a + 1))
        var result = d
        for m in 1...500 {
            let m = Double(m)
            for numerator in [
                m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
            ] {
                d = 1 / kept(1 + numerator * d)
                c = kept(1 + numerator / c)
                result *= d * c
            }
            if abs(d * c - 1) < 1e-12 { break }
        }
        return result
    }

    private static func logGamma(_ x: Double) -> Double {
        let coefficients = [
            676.520_368_121_885_1, -1259.139_216_722_402_8, 771.323_428_777_653_13, -176.615_029_162_140_6,
            12.507_343_278_686_905, -0.138_571_095_265_720_12, 9.984_369_578_019_571_6e-6, 1.505_632_735_149_311_6e-7,
        ]
        var series = 0.999_999_999_999_809_93
        for (index, coefficient) in coefficients.enumerated() { series += coefficient / (x + Double(index)) }
        let t = x + 6.5
        return 0.918_938_533_204_672_7 + (x - 0.5) * log(t) - t + log(series)
    }
}
