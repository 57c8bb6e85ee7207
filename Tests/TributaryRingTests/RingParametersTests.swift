// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryRing

@Suite struct RingParametersTests {
    @Test func exponentOfTheDesignsExample() throws {
        let ring = try RingParameters(deltaBound: 8, weightMax: 1 << 20, cohortMax: 1 << 12)
        #expect(ring.exponent == 26)
        #expect(ring.weightTotalMax == 1 << 32)
    }

    @Test(arguments: [0.001, 0.3, 1, 7.99, 8, 8.01, 100] as [Float], [1, 3, 1000, 1 << 20] as [UInt64])
    func exponentIsTheLargestThatFits(bound: Float, weightMax: UInt64) throws {
        for cohortMax in [1, 24, 5000] as [UInt64] {
            let ring = try RingParameters(deltaBound: bound, weightMax: weightMax, cohortMax: cohortMax)
            let product = Double(weightMax) * Double(bound)
            let total = Double(weightMax * cohortMax) * Double(bound)
            #expect(product * ring.scale < 0x1p51 && total * ring.scale < 0x1p62)
            #expect(product * ring.scale * 2 >= 0x1p51 || total * ring.scale * 2 >= 0x1p62)
        }
    }

    @Test func rebuildsFromTheWire() throws {
        let ring = try RingParameters(deltaBound: 0.7, weightMax: 1234, cohortMax: 99)
        let again = try RingParameters(
            exponent: ring.exponent, deltaBound: 0.7, weightMax: 1234, weightTotalMax: ring.weightTotalMax)
        #expect(again == ring)
        #expect(again.hashValue == ring.hashValue)
    }

    @Test func hostileValuesAreErrors() {
        let bounds: [Float] = [0, -1, .nan, .infinity, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1]
        let integers: [UInt64] = [0, 1, 2, 1 << 53, 1 << 53 + 1, 1 << 62, .max]
        var accepted = 0
        for bound in bounds {
            for weightMax in integers {
                for total in integers {
                    for exponent in [Int.min, -1, 0, 16, 50, Int.max] {
                        let ring = try? RingParameters(
                            exponent: exponent, deltaBound: bound, weightMax: weightMax, weightTotalMax: total)
                        if let ring {
                            accepted += 1
                            #expect(ring.exponent >= RingParameters.exponentMin)
                            #expect(Double(weightMax) * Double(bound) * ring.scale < 0x1p51)
                        }
                    }
                }
            }
        }
        // Bound 1: weight 1 with totals 1 and 2 keeps exponent 50; all else is refused.
        #expect(accepted == 2)
    }

    @Test func tooCoarseARingIsRefused() {
        #expect(throws: RingError.exponentTooSmall(exponent: 14, minimum: 16)) {
            try RingParameters(deltaBound: 8, weightMax: 1 << 33, cohortMax: 2)
        }
    }
}
