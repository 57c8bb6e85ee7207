// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import TributaryCore
import TributaryTestSupport
import TributaryTopology

@testable import TributarySimulation

@Suite struct AvailabilityTests {
    private static let hour: Int64 = 3_600_000_000_000

    private static func moment(hours: Double) -> Moment { Moment(nanoseconds: Int64(hours * Double(hour))) }

    /// The share of so many devices that are awake.
    private static func share(_ availability: Availability, hours: Double, count: UInt64 = 4000) -> Double {
        let awake = (0..<count).count { availability.isAwake(ClientIndex($0), at: moment(hours: hours)) }
        return Double(awake) / Double(count)
    }

    @Test("a day's share follows the curve: mean, amplitude, peak")
    func diurnalShare() {
        let availability = Availability(
            .diurnal(mean: 0.5, amplitude: 0.4, peak: .seconds(2 * 3600), zones: [0]), seed: 3, traces: nil)
        for hour in stride(from: 24.0, to: 48, by: 1.5) {
            let expected = 0.5 + 0.4 * cos(2 * Double.pi * (hour - 2) / 24)
            // Three sigma of 4,000 draws is 0.024.
            #expect(abs(Self.share(availability, hours: hour) - expected) < 0.03, "at \(hour) h")
        }
    }

    @Test("time zones turn the curve; all of them together even it out")
    func zones() {
        func availability(_ zones: [Int]) -> Availability {
            Availability(.diurnal(mean: 0.5, amplitude: 0.5, peak: .zero, zones: zones), seed: 4, traces: nil)
        }
        // At 19 h UTC it is midnight, the peak, five hours east.
        #expect(Self.share(availability([5]), hours: 43) > 0.97)
        #expect(Self.share(availability([-7]), hours: 43) < 0.03)
        #expect(abs(Self.share(availability([0, 12]), hours: 43) - 0.5) < 0.03)
    }

    @Test("a device is awake in one stretch a day")
    func stretches() {
        let availability = Availability(
            .diurnal(mean: 0.5, amplitude: 0.4, peak: .seconds(12 * 3600), zones: [0]), seed: 5, traces: nil)
        for client in 0..<50 as Range<UInt64> {
            for day in 1...3 {
                var rises = 0
                var was = false
                for slot in 0..<288 {
                    let now = Self.moment(hours: Double(day) * 24 + Double(slot) / 12)
                    let awake = availability.isAwake(ClientIndex(client), at: now)
                    if awake, !was { rises += 1 }
                    was = awake
                }
                #expect(rises <= 1)
            }
        }
    }

    @Test("a Markov device is up for its share of the time, in stretches of the right mean")
    func markov() {
        let availability = Availability(.markov(up: .seconds(60), down: .seconds(20)), seed: 6, traces: nil)
        var time = (up: 0.0, down: 0.0)
        var stretches = (up: 0, down: 0)
        for client in 0..<60 as Range<UInt64> {
            var now = Moment(nanoseconds: 0)
            var state = availability.isAwake(ClientIndex(client), at: now)
            while now < Moment(nanoseconds: 10 * Self.hour) {
                guard let next = availability.nextChange(ClientIndex(client), after: now) else { break }
                if state { time.up += (next - now).seconds } else { time.down += (next - now).seconds }
                let after = availability.isAwake(ClientIndex(client), at: next)
                if after != state { if state { stretches.up += 1 } else { stretches.down += 1 } }
                (now, state) = (next, after)
            }
        }
        #expect(abs(time.up / (time.up + time.down) - 0.75) < 0.01)
        // A fresh start every 32 cycles lengthens a stretch now and then, by 1/64 on average.
        #expect(abs(time.up / Double(stretches.up) - 60) < 2.5)
        #expect(abs(time.down / Double(stretches.down) - 20) < 1)
    }

    @Test("what is said of a moment does not depend on what was asked before")
    func order() {
        let models: [AvailabilityModel] = [
            .markov(up: .seconds(30), down: .seconds(30)),
            .diurnal(mean: 0.5, amplitude: 0.4, peak: .zero, zones: [0, 3, -8]),
        ]
        for model in models {
            let moments = (0..<200).map { Self.moment(hours: Double($0) * 0.37) }
            let forward = Availability(model, seed: 7, traces: nil)
            let backward = Availability(model, seed: 7, traces: nil)
            let one = moments.map { forward.isAwake(ClientIndex(9), at: $0) }
            let other = moments.reversed().map { backward.isAwake(ClientIndex(9), at: $0) }
            #expect(one == other.reversed())
            #expect(Set(one).count == 2)
        }
    }

    @Test("nothing changes before the next change", arguments: [0, 1, 2, 3])
    func nextChange(_ kind: Int) throws {
        var traces = AvailabilityTraces()
        for client in 0..<5 as Range<UInt64> {
            for part in 0..<20 {
                let from = Double(part) * 1000 + Double(client)
                try traces.append(ClientIndex(client), from: from, until: from + 400, line: 1)
            }
        }
        let models: [AvailabilityModel] = [
            .markov(up: .seconds(300), down: .seconds(200)),
            .diurnal(mean: 0.4, amplitude: 0.3, peak: .seconds(3600), zones: [2]), .trace(path: ""),
            // Stretches so long that nanoseconds are whole numbers in a Double.
            .markov(up: .seconds(86_400 * 40), down: .seconds(86_400 * 20)),
        ]
        let availability = Availability(models[kind], seed: 8, traces: traces)
        var random = Generator(seed: 8)
        for client in 0..<5 as Range<UInt64> {
            var now = Moment(nanoseconds: 0)
            for _ in 0..<30 {
                guard let next = availability.nextChange(ClientIndex(client), after: now) else { break }
                #expect(next > now)
                let state = availability.isAwake(ClientIndex(client), at: now)
                let last = Moment(nanoseconds: next.nanoseconds - 1)
                let between = (0..<5).map { _ in
                    Moment(nanoseconds: Int64(random.integer(UInt64(now.nanoseconds)...UInt64(last.nanoseconds))))
                }
                let isSteady = (between + [last]).allSatisfy {
                    availability.isAwake(ClientIndex(client), at: $0) == state
                }
                #expect(isSteady, "device \(client) after \(now.seconds) s")
                now = next
            }
        }
    }

    @Test("traces: holes, ends and edges")
    func traces() throws {
        var traces = AvailabilityTraces()
        try traces.append(ClientIndex(0), from: 10, until: 20, line: 2)
        try traces.append(ClientIndex(0), from: 20, until: 30, line: 3)
        try traces.append(ClientIndex(0), from: 50, until: 60, line: 4)
        func isAwake(_ seconds: Double) -> Bool {
            traces.isAwake(ClientIndex(0), at: Moment(nanoseconds: Int64(seconds * 1e9)))
        }
        #expect([0, 9.9, 30, 49, 60, 100].allSatisfy { !isAwake($0) })
        #expect([10, 19.9, 20, 29.9, 50, 59.9].allSatisfy { isAwake($0) })
        #expect(traces.nextChange(ClientIndex(0), after: Moment(nanoseconds: 60_000_000_000)) == nil)
        #expect(!traces.isAwake(ClientIndex(1), at: Moment(nanoseconds: 0)))
    }

    @Test("traces: what is wrong is refused with its line")
    func badTraces() throws {
        var traces = AvailabilityTraces()
        try traces.append(ClientIndex(0), from: 10, until: 20, line: 2)
        let wrong: [(Double, Double)] = [
            (15, 25), (0, 5), (30, 30), (30, 29), (-1, 3), (.nan, 40), (30, .infinity), (30, 1e30),
        ]
        for (from, until) in wrong {
            #expect(throws: SimulationError.self, "\(from)...\(until)") {
                try traces.append(ClientIndex(0), from: from, until: until, line: 9)
            }
        }
        do {
            try traces.append(ClientIndex(0), from: 15, until: 25, line: 9)
        } catch {
            #expect("\(error)".hasPrefix("line 9: device 0's intervals must ascend"))
        }
        #expect(throws: Never.self) { try traces.check(deviceCount: 1) }
        // Device 1 has no row; then, a row of nobody.
        do { try traces.check(deviceCount: 2) } catch { #expect("\(error)".hasPrefix("device 1 has no row")) }
        try traces.append(ClientIndex(7), from: 1, until: 2, line: 10)
        do { try traces.check(deviceCount: 2) } catch { #expect("\(error)".hasPrefix("device 7 is not among")) }
    }

    @Test("the cosine is one", arguments: [-1.3, -0.5, -0.2, 0, 0.1, 0.125, 0.25, 0.3, 0.49, 0.75, 1, 17.6])
    func cosine(_ turns: Double) {
        #expect(abs(Trigonometry.cosine(turns: turns) - cos(2 * Double.pi * turns)) < 1e-9)
    }
}
