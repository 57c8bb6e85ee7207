// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// When devices are awake, without a word kept for any of them.
//
// diurnal: a device draws a UTC offset once and a number u for each of its local days, and is awake while
// u < mean + amplitude cos(2 pi (local time - peak) / 24 h): a share of the fleet that follows the sun, in one stretch
// a day. markov: exponential sojourns awake and asleep; to be answered without history, time is cut into blocks that
// each begin in the stationary distribution. trace: intervals from a file.

import CTributaryKernels
import TributaryCore
import TributaryLearning
import TributaryTopology

/// The times at which devices of one class are awake.
struct Availability: Sendable {
    private enum Model: Sendable {
        case always
        case diurnal(mean: Double, amplitude: Double, peak: Int64, zones: [Int64])
        case markov(up: Double, down: Double, block: Int64)
        case trace(AvailabilityTraces)
    }

    private let model: Model
    private let seed: UInt64

    private static let day: Int64 = 86_400_000_000_000
    /// The grid on which a diurnal device wakes and falls asleep.
    private static let slot: Int64 = 300_000_000_000
    /// Mean cycles of a Markov device in one block: the fresh start at its end is one transition in so many.
    private static let cyclesPerBlock = 32.0

    init(_ model: AvailabilityModel, seed: UInt64, traces: AvailabilityTraces?) {
        self.seed = seed
        switch model {
        case .always: self.model = .always
        case .diurnal(let mean, let amplitude, let peak, let zones):
            self.model = .diurnal(
                mean: mean, amplitude: amplitude, peak: peak.nanoseconds,
                zones: (zones.isEmpty ? [0] : zones).map { Int64($0) * Self.day / 24 })
        case .markov(let up, let down):
            let (up, down) = (Double(up.nanoseconds), Double(down.nanoseconds))
            self.model = .markov(up: up, down: down, block: Int64((up + down) * Self.cyclesPerBlock))
        case .trace: self.model = .trace(traces ?? AvailabilityTraces())
        }
    }

    /// Whether every device is awake at all times.
    var isAlways: Bool {
        if case .always = model { return true }
        return false
    }

    /// Whether a device is awake.
    func isAwake(_ client: ClientIndex, at now: Moment) -> Bool {
        switch model {
        case .always: true
        case .diurnal: isAwakeByDay(client, slot: now.nanoseconds / Self.slot)
        case .markov: sojourn(client, at: now.nanoseconds).isUp
        case .trace(let traces): traces.isAwake(client, at: now)
        }
    }

    /// The next moment after `now` at which a device's state may change; `nil` when it never does.
    func nextChange(_ client: ClientIndex, after now: Moment) -> Moment? {
        switch model {
        case .always: return nil
        case .diurnal:
            let first = now.nanoseconds / Self.slot
            let state = isAwakeByDay(client, slot: first)
            // A device whose draw lies beyond the curve may stay as it is for days.
            let last = first + 7 * Self.day / Self.slot
            let change = ((first + 1)...last).first { isAwakeByDay(client, slot: $0) != state }
            return Moment(nanoseconds: (change ?? last) * Self.slot)
        case .markov: return Moment(nanoseconds: sojourn(client, at: now.nanoseconds).end)
        case .trace(let traces): return traces.nextChange(client, after: now)
        }
    }

    // MARK: Models

    private func isAwakeByDay(_ client: ClientIndex, slot: Int64) -> Bool {
        guard case .diurnal(let mean, let amplitude, let peak, let zones) = model else { return true }
        var who = CounterRandom(seed: seed, purpose: .availability, client: client.value)
        let local = slot * Self.slot + zones[Int(who.next(below: UInt64(zones.count)))] + Self.day
        var random = CounterRandom(
            seed: seed, purpose: .availability,
            round: RoundNumber(round: UInt32(clamping: local / Self.day), edgeRound: 1), client: client.value)
        let turns = Double(local % Self.day - peak) / Double(Self.day)
        return random.nextUniform() < mean + amplitude * Trigonometry.cosine(turns: turns)
    }

    private func sojourn(_ client: ClientIndex, at now: Int64) -> (isUp: Bool, end: Int64) {
        guard case .markov(let up, let down, let block) = model else { return (true, .max) }
        let (number, offset) = now.quotientAndRemainder(dividingBy: block)
        var random = CounterRandom(
            seed: seed, purpose: .availability, round: RoundNumber(round: UInt32(truncatingIfNeeded: number)),
            client: client.value)
        var isUp = random.nextUniform() < up / (up + down)
        var end: Int64 = 0
        while true {
            let sojourn = -(isUp ? up : down) * tributary_learn_log_double(1 - random.nextUniform())
            // Whole nanoseconds, so that the end of a stretch and its moments are told apart exactly.
            end += Int64(min(max(1, sojourn.rounded(.up)), Double(block)))
            if end >= block { return (isUp, (number + 1) * block) }
            if end > offset { return (isUp, number * block + end) }
            isUp.toggle()
        }
    }
}
