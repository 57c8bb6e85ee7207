// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// Normal: the polar method (Marsaglia and Bray 1964, https://doi.org/10.1137/1006063). Gamma: Marsaglia and Tsang, "A
// Simple Method for Generating Gamma Variables", 2000, https://doi.org/10.1145/358407.358414; for shapes below 1,
// gamma(a) = gamma(a + 1) U^(1/a), kept as a logarithm because the power underflows for small a.

import CTributaryKernels
package import TributaryCore

/// Standard normal numbers, the same bits on every machine.
package struct NormalSampler: Sendable {
    private var spare: Double?

    package init() {}

    /// The next number of the stream that `random` feeds.
    package mutating func next(_ random: inout CounterRandom) -> Double {
        if let value = spare {
            spare = nil
            return value
        }
        while true {
            let (x, y) = (2 * random.nextUniform() - 1, 2 * random.nextUniform() - 1)
            let square = x * x + y * y
            guard square > 0, square < 1 else { continue }
            let factor = (-2 * tributary_learn_log_double(square) / square).squareRoot()
            spare = y * factor
            return x * factor
        }
    }
}

/// Logarithms of gamma-distributed numbers of one shape and scale 1.
struct LogGammaSampler {
    private let shape: Double
    private var normal = NormalSampler()

    /// - Parameter shape: Positive and finite.
    init(shape: Double) {
        self.shape = shape
    }

    mutating func next(_ random: inout CounterRandom) -> Double {
        let d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3
        let c = 1 / (9 * d).squareRoot()
        while true {
            let x = normal.next(&random)
            let root = 1 + c * x
            guard root > 0 else { continue }
            let v = root * root * root
            let logV = tributary_learn_log_double(v)
            guard logUniform(&random) < 0.5 * x * x + d - d * v + d * logV else { continue }
            let boost = shape < 1 ? logUniform(&random) / shape : 0
            return tributary_learn_log_double(d) + logV + boost
        }
    }

    /// The logarithm of a number in (0, 1].
    private func logUniform(_ random: inout CounterRandom) -> Double {
        tributary_learn_log_double(1 - random.nextUniform())
    }
}
