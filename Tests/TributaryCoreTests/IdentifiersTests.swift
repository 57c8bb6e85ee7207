// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore

@Suite struct IdentifiersTests {
    @Test func roundNumbersSortByRoundThenEdgeRound() {
        let sorted = [
            RoundNumber(round: 1), RoundNumber(round: 1, edgeRound: 2), RoundNumber(round: 2),
            RoundNumber(round: 2, edgeRound: 7), RoundNumber(round: 10),
        ]
        #expect(sorted.shuffled().sorted() == sorted)
        #expect(sorted.map(\.description) == ["1", "1.2", "2", "2.7", "10"])
    }

    @Test func namesSortByText() {
        #expect([NodeName("b"), NodeName("a10"), NodeName("a2")].sorted().map(\.value) == ["a10", "a2", "b"])
    }

    @Test func momentsAndDurations() {
        let start = Moment(nanoseconds: 5)
        #expect(start + .milliseconds(2) == Moment(nanoseconds: 2_000_005))
        #expect((start + .seconds(3)) - start == .seconds(3))
        #expect(Duration.milliseconds(1999).milliseconds == 1999)
        #expect(Duration.microseconds(1500).milliseconds == 1)
    }

    @Test func contributionNamesDifferByNodeRoundAndSeed() {
        let number = RoundNumber(round: 1)
        let names = [
            ContributionName(node: NodeName("a"), number: number, seed: 1),
            ContributionName(node: NodeName("b"), number: number, seed: 1),
            ContributionName(node: NodeName("a"), number: RoundNumber(round: 2), seed: 1),
            ContributionName(node: NodeName("a"), number: number, seed: 2),
            ContributionName(node: NodeName("a\0"), number: number, seed: 1),
            ContributionName(node: NodeName("twelve-bytes"), number: number, seed: 1),
            ContributionName(node: NodeName("twelve-bytez"), number: number, seed: 1),
        ]
        #expect(Set(names).count == names.count)
        #expect(names[0] == ContributionName(node: NodeName("a"), number: number, seed: 1))
    }

    @Test func metricsRoundIntoTheRing() {
        #expect(MetricCounter(name: "loss", sum: 1.5, count: 3)?.numerator == 1_572_864)
        #expect(MetricCounter(name: "loss", sum: 1.5, count: 3)?.value == 0.5)
        #expect(MetricCounter(name: "loss", sum: .nan, count: 3) == nil)
        #expect(MetricCounter(name: "loss", sum: 0x1p42, count: 3) == nil)
        #expect(MetricCounter(name: "loss", numerator: 1, denominator: 0).value == nil)
    }
}
