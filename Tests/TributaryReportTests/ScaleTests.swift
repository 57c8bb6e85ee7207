// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TributaryTestSupport

@testable import TributaryReport

@Suite struct ScaleTests {
    @Test func theLogarithmIsGoodToNineDigits() {
        for value in [1e-300, 0.001, 0.999, 1, 1.5, 2, 9.99, 1_000, 8_917, 6.02e23, 1e300] {
            #expect(abs(Scale.log10(value) - Foundation.log10(value)) < 1e-9)
        }
    }

    /// Ends enclose all values, ticks ascend inside the ends, and positions keep the order.
    @Test(arguments: 0..<200 as Range<UInt64>) func scalesKeepTheirLaws(seed: UInt64) {
        var generator = Generator(seed: seed)
        let magnitude = Foundation.pow(10, Double(generator.integer(0...36)) - 18)
        let values = (0..<12).map { _ in (Double(generator.integer(0...1_000)) / 1_000 - 0.3) * magnitude }.sorted()
        let scales = [
            Scale.linear(values), .linear(values, startsAtZero: true), .tight(values, unit: .plain),
            .tight(values, unit: .seconds), .logarithmic(values.map { abs($0) + magnitude / 1e6 }),
        ]
        for scale in scales.dropLast() {
            #expect(scale.low <= values[0] && values[11] <= scale.high)
            let positions = values.compactMap { scale.position($0) }
            #expect(positions.count == 12 && positions == positions.sorted())
            #expect(positions.allSatisfy { (0...1).contains($0) })
        }
        for scale in scales {
            #expect(scale.ticks == scale.ticks.sorted() && (1...60).contains(scale.ticks.count))
            let slack = (scale.high - scale.low) * 1e-6
            #expect(scale.ticks.allSatisfy { $0 >= scale.low - slack && $0 <= scale.high + slack })
        }
    }

    @Test func ticksAreRoundNumbers() {
        #expect(Scale.linear([0, 34_000]).ticks == [0, 10_000, 20_000, 30_000, 40_000])
        #expect(Scale.linear([0.3, 0.97], bounds: 0...1).high == 1)
        #expect(Scale.tight([1, 40], unit: .count).ticks == [10, 20, 30, 40])
        #expect(Scale.tight([1, 3], unit: .count).ticks == [1, 2, 3])
        #expect(Scale.tight([0, 1_017], unit: .seconds).ticks == [0, 300, 600, 900])
        #expect(Scale.logarithmic([3, 90_000]).ticks == [1, 10, 100, 1_000, 10_000, 100_000])
    }

    @Test func nothingAndOneValueHaveAScale() {
        for values in [[], [5.0], [0, 0], [-3e18], [1e-300, 2e-300], [.nan, .infinity], [1e300, -1e300]] {
            let scales = [Scale.linear(values), .tight(values, unit: .count), .logarithmic(values)]
            #expect(scales.allSatisfy { $0.high > $0.low && !$0.ticks.isEmpty })
        }
        #expect(Scale.linear([0, 1]).position(.nan) == nil)
        #expect(Scale.logarithmic([1, 10]).position(0) == nil)
    }
}
