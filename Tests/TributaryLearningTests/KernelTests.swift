// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import CTributaryKernels
import Foundation
import Testing
import TributaryCore
import TributaryLearning

/// Every kernel variant that this machine can run.
let variants = KernelVariant.allCases.filter(\.isAvailable)

/// Seeded numbers in -1..<1.
func numbers(_ count: Int, seed: UInt64) -> [Float] {
    var random = CounterRandom(seed: seed, purpose: .synthetic)
    return (0..<count).map { _ in Float(2 * random.nextUniform() - 1) }
}

@Suite struct KernelTests {
    struct Shape: Sendable {
        let m: Int
        let n: Int
        let k: Int
    }

    /// Extents around the tile, panel and block borders.
    static let shapes = [
        Shape(m: 1, n: 1, k: 1), Shape(m: 3, n: 10, k: 5), Shape(m: 8, n: 32, k: 4), Shape(m: 9, n: 33, k: 7),
        Shape(m: 17, n: 47, k: 3), Shape(m: 5, n: 16, k: 300), Shape(m: 13, n: 70, k: 257), Shape(m: 2, n: 3, k: 0),
    ]

    /// Bit for bit one ascending chain of fused multiply-adds per output, for both orders of `a` and with padding.
    @Test(arguments: shapes) func productIsAnAscendingFusedChain(shape: Shape) {
        let (m, n, k) = (shape.m, shape.n, shape.k)
        let (bRow, cRow) = (n + 3, n + 1)
        let a = numbers(max(m * k, 1), seed: 1)
        let b = numbers(max(k * bRow, 1), seed: 2)
        let start = numbers(m * cRow, seed: 3)
        for accumulate in [false, true] {
            for transposed in [false, true] {
                let (aRow, aColumn) = transposed ? (1, m) : (k, 1)
                var expected = start
                for i in 0..<m {
                    for j in 0..<n {
                        var sum: Float = accumulate ? start[i * cRow + j] : 0
                        for t in 0..<k { sum = sum.addingProduct(a[i * aRow + t * aColumn], b[t * bRow + j]) }
                        expected[i * cRow + j] = sum
                    }
                }
                for variant in variants {
                    var c = start
                    tributary_learn_gemm(
                        variant.rawValue, m, n, k, a, aRow, aColumn, b, bRow, &c, cRow, accumulate)
                    #expect(c.map(\.bitPattern) == expected.map(\.bitPattern), "\(variant) \(transposed)")
                }
            }
        }
    }

    /// The reference is the C library in double precision; 2 units in the last place are what the header promises.
    @Test func exponentialIsAccurate() {
        var x = (0..<40_000).map { Float(-87.3 + Double($0) * 0.00439) }
        x.append(contentsOf: [0, -0.0, -87.3, 88.3])
        for variant in variants.suffix(1) {
            var y = [Float](repeating: 0, count: x.count)
            tributary_learn_exp(variant.rawValue, x.count, x, &y)
            for (argument, value) in zip(x, y) {
                let exact = exp(Double(argument))
                #expect(abs(Double(value) - exact) <= 2 * exact * 0x1p-23, "exp(\(argument))")
            }
        }
    }

    @Test func exponentialHandlesTheEnds() {
        let x: [Float] = [-200, -.infinity, .nan, 0, 1]
        for variant in variants {
            var y = [Float](repeating: 0, count: x.count)
            tributary_learn_exp(variant.rawValue, x.count, x, &y)
            #expect(y[0] > 0 && y[0] < 1e-37 && y[1] == y[0])
            #expect(y[2].isNaN && y[3] == 1)
        }
    }

    @Test func doubleFunctionsAreAccurate() {
        var random = CounterRandom(seed: 7, purpose: .synthetic)
        for _ in 0..<5_000 {
            let x = exp((random.nextUniform() - 0.5) * 600)
            #expect(abs(tributary_learn_log_double(x) - log(x)) <= 2 * abs(log(x)) * 0x1p-52)
            let near = 0.5 + random.nextUniform()
            #expect(abs(tributary_learn_log_double(near) - log(near)) <= 2 * abs(log(near)) * 0x1p-52)
            let z = (random.nextUniform() - 0.5) * 1_400
            #expect(abs(tributary_learn_exp_double(z) - exp(z)) <= 2 * exp(z) * 0x1p-52)
        }
        #expect(tributary_learn_log_double(0) == -.infinity)
        #expect(tributary_learn_log_double(-1).isNaN)
        #expect(tributary_learn_log_double(.leastNonzeroMagnitude) == log(.leastNonzeroMagnitude))
        #expect(tributary_learn_exp_double(-1_000) == 0)
        #expect(tributary_learn_exp_double(1_000) == .infinity)
    }

    @Test func softmaxSurvivesLargeLogits() {
        for variant in variants {
            var logits: [Float] = [1e30, 0, -1e30, 3, 3, 3]
            let labels: [Int32] = [0, 1]
            let loss = tributary_learn_softmax_loss(variant.rawValue, 2, 3, &logits, labels, true, 0.5)
            #expect(loss.correct == 1)
            #expect(abs(loss.sum - log(3)) < 1e-6)
            #expect(abs(logits[0]) < 1e-6 && abs(logits[4] + 1.0 / 3) < 1e-6)
        }
    }
}
