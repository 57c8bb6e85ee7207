// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryTopology

@testable import TributarySimulation

@Suite struct SimulatedLinkTests {
    private static let second: Int64 = 1_000_000_000

    private static func random(_ seed: UInt64 = 1) -> CounterRandom { CounterRandom(seed: seed, purpose: .link) }

    private static func lane(_ bandwidth: Double, _ settings: LinkSettings) -> LinkLane {
        LinkLane(bandwidth: bandwidth, settings)
    }

    @Test("a message takes its bits over the bandwidth, and the latency; the next one waits for it to leave")
    func bandwidthAndLatency() {
        var random = Self.random()
        // 1,000 bytes at 8 kbit/s: one second; 30 ms of latency.
        var lane = Self.lane(8000, LinkSettings(latency: .milliseconds(30)))
        #expect(lane.message(1000, at: 0, slow: 1, &random) == 1_030_000_000)
        #expect(lane.message(500, at: 200_000_000, slow: 1, &random) == 1_530_000_000)
        #expect(lane.message(1000, at: 9 * Self.second, slow: 1, &random) == 10_030_000_000)
        // A node that is four times slower.
        #expect(lane.message(1000, at: 20 * Self.second, slow: 4, &random) == 24_030_000_000)
        lane.reset(at: 0)
        #expect(lane.message(0, at: 0, slow: 1, &random) == 30_000_000)
    }

    @Test("an infinite bandwidth costs no time")
    func infinite() {
        var random = Self.random()
        var lane = Self.lane(.infinity, LinkSettings())
        #expect(lane.message(1 << 30, at: 7, slow: 1, &random) == 7)
        #expect(lane.transfer(1 << 30, at: 7, window: 1 << 20, roundTrip: 0, slow: 1, &random).arrival == 7)
    }

    @Test("messages do not overtake each other, however much they jitter")
    func fifo() {
        var random = Self.random()
        var lane = Self.lane(1e6, LinkSettings(latency: .milliseconds(1), jitter: .milliseconds(50), loss: 0.2))
        var last: Int64 = 0
        for step in 0..<2000 {
            let arrival = lane.message(100, at: Int64(step) * 1_000_000, slow: 1, &random)
            #expect(arrival >= last && arrival >= Int64(step) * 1_000_000 + 1_800_000)
            last = arrival
        }
    }

    @Test("a transfer is bound by the bandwidth, or by a window for every round trip")
    func transfers() {
        var random = Self.random()
        var lane = Self.lane(8e6, LinkSettings(latency: .milliseconds(50)))
        // A megabyte at a megabyte a second.
        let wide = lane.transfer(1_000_000, at: 0, window: 1 << 20, roundTrip: 100_000_000, slow: 1, &random)
        #expect(wide.arrival == 1_050_000_000 && wide.airTime == Self.second)
        // 100 kB for each 100 ms: the same; 50 kB for each: twice the time, of which the radio is on for half.
        lane.reset(at: 0)
        let narrow = lane.transfer(1_000_000, at: 0, window: 50_000, roundTrip: 100_000_000, slow: 1, &random)
        #expect(narrow.arrival == 2_050_000_000 && narrow.airTime == Self.second)
        // Transfers queue behind each other; messages do not queue behind transfers.
        #expect(
            lane.transfer(1_000_000, at: 0, window: 1 << 20, roundTrip: 0, slow: 1, &random).arrival == 3_050_000_000)
        #expect(lane.message(1000, at: 0, slow: 1, &random) == 51_000_000)
    }

    @Test("losses cost bandwidth, and the last packet's timers their mean")
    func loss() {
        let loss = 0.25
        var random = Self.random()
        let settings = LinkSettings(loss: loss)
        // k losses in a row cost 2^k - 1 timers of 200 ms; the mean of 2^k is the sum of p^k (1 - p) 2^k.
        let expected = 0.2 * ((1 - loss) / (1 - 2 * loss) - 1)
        var sum = 0.0
        let count = 200_000
        for _ in 0..<count {
            var lane = Self.lane(.infinity, settings)
            sum += Double(lane.message(100, at: 0, slow: 1, &random)) * 1e-9
        }
        #expect(abs(sum / Double(count) - expected) < 0.005)
        #expect(Self.lane(8000, settings).airTime(750) == Self.second)
    }

    @Test("jitter is exponential about its mean")
    func jitter() {
        var random = Self.random(2)
        var sum = 0.0
        var beyond = 0
        let count = 50_000
        for _ in 0..<count {
            var lane = Self.lane(.infinity, LinkSettings(jitter: .milliseconds(20)))
            let delay = Double(lane.message(1, at: 0, slow: 1, &random)) * 1e-9
            sum += delay
            if delay > 0.02 { beyond += 1 }
        }
        #expect(abs(sum / Double(count) - 0.02) < 0.0005)
        // A share of 1 / e lies beyond the mean.
        #expect(abs(Double(beyond) / Double(count) - 0.3679) < 0.01)
    }

    @Test("a cut forgets what was under way, and what comes later finds the link free")
    func cut() {
        var link = SimulatedLink(
            LinkSettings(bandwidthUp: 8000, bandwidthDown: 8000, latency: .milliseconds(10)), random: Self.random())
        _ = link.up.message(100_000, at: 0, slow: 1, &link.random)
        link.cut(at: Self.second)
        #expect(!link.isUp && link.connection == 1 && link.roundTrip == 20_000_000)
        #expect(link.up.message(1000, at: Self.second, slow: 1, &link.random) == 2_010_000_000)
    }
}
