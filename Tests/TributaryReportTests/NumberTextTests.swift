// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TributaryReport

@Suite struct NumberTextTests {
    @Test("one thing has no plural", arguments: [(UInt64(0), "0 rounds"), (1, "1 round"), (1_000, "1,000 rounds")])
    func countsThings(count: UInt64, text: String) {
        #expect(NumberText.count(count, of: "round") == text)
    }

    @Test func writesFixedDecimals() {
        #expect(NumberText.fixed(0.12345, 4) == "0.1235")
        #expect(NumberText.fixed(-2.5, 0) == "-3")
        #expect(NumberText.fixed(-0.0001, 2) == "0.00")
        #expect(NumberText.fixed(1.05, 2) == "1.05")
        for unusable in [Double.nan, .infinity, -.infinity, 1e300] { #expect(NumberText.fixed(unusable, 2) == "-") }
        #expect(NumberText.fixed(nil, 2) == "-")
    }

    @Test func writesAboutThreeDigits() {
        let texts = [0.0, 0.000012, 0.0123, 0.5, 1.234, 12.34, 123.4, 1234, 51_234.5, 7.3e9, -0.25]
            .map { NumberText.short($0) }
        #expect(
            texts == ["0", "1.2e-5", "0.0123", "0.5", "1.23", "12.3", "123", "1.23 k", "51.2 k", "7.3 G", "-0.25"])
        #expect(NumberText.short(.leastNonzeroMagnitude) != "-")
    }

    @Test func writesUnits() {
        #expect(NumberText.bytes(0) == "0 B")
        #expect(NumberText.bytes(999 as UInt64) == "999 B")
        #expect(NumberText.bytes(1_500 as UInt64) == "1.5 kB")
        #expect(NumberText.bytes(.max as UInt64) == "18.4 EB")
        #expect(NumberText.joules(0.0021) == "2.1 mJ")
        #expect(NumberText.joules(1_540) == "1.54 kJ")
        #expect(NumberText.percent(0.8508, 2) == "85.08 %")
        #expect(
            [0, 0.25, 1, 90, 600, 1_017, 7_500, 100_000].map { NumberText.seconds($0) } == [
                "0 s", "250 ms", "1 s", "1 min 30 s", "10 min", "16 min 57 s", "2 h 5 min", "1 d 3 h",
            ])
        #expect(NumberText.count(0) == "0")
        #expect(NumberText.count(1_234_567) == "1,234,567")
    }

    /// The expected texts are those of `date -u`.
    @Test func writesDates() {
        #expect(NumberText.date(0) == "1970-01-01 00:00 UTC")
        #expect(NumberText.date(951_782_400) == "2000-02-29 00:00 UTC")
        #expect(NumberText.date(1_795_573_556) == "2026-11-25 02:25 UTC")
        #expect(NumberText.date(4_107_542_399) == "2100-02-28 23:59 UTC")
        _ = NumberText.date(.max)
    }
}
