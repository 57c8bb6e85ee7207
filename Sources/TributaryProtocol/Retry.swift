// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

/// When an answer that got no answer is sent again: pauses that double, each a little longer by chance.
///
/// Every message that is repeated so is idempotent at its receiver ("lazy pirate"). The chance is a function of who
/// waits, so that a fleet spreads out and a run can be replayed.
struct Retry: Sendable {
    /// The first pause: a parent that is there answers an offer within it, or has begun to fetch its body.
    static let first = Duration.seconds(10)
    /// Doublings of the pause at most: 160 s, well within a round of an hour.
    static let doublingsMax = 4
    /// The longest pause between repetitions.
    static let longest = first * (1 << doublingsMax)

    /// When to send again; `nil` while nothing waits for an answer.
    private(set) var due: Moment?
    /// Whether the parent asked for the pause.
    private(set) var wasAskedFor = false
    private var doublings = 0

    /// Something was sent for the first time, or on another occasion than a missing answer.
    mutating func start(at now: Moment, _ chance: (seed: UInt64, number: RoundNumber, who: UInt64)) {
        doublings = 0
        wasAskedFor = false
        due = now + stretched(Self.first, chance)
    }

    /// It was sent again because no answer came.
    mutating func goOn(at now: Moment, _ chance: (seed: UInt64, number: RoundNumber, who: UInt64)) {
        doublings = min(doublings + 1, Self.doublingsMax)
        wasAskedFor = false
        due = now + stretched(Self.first * (1 << doublings), chance)
    }

    /// The parent named the pause itself.
    mutating func wait(
        _ pause: Duration, at now: Moment, _ chance: (seed: UInt64, number: RoundNumber, who: UInt64)
    ) {
        wasAskedFor = true
        due = now + stretched(min(max(pause, .milliseconds(1)), Limits.durationMax), chance)
    }

    /// The answer is here, or there is nobody to send to.
    mutating func stop() { due = nil }

    func isDue(at now: Moment) -> Bool { due.map { $0 <= now } ?? false }

    /// A duration in `[pause, 1.25 x pause)`.
    private func stretched(_ pause: Duration, _ chance: (seed: UInt64, number: RoundNumber, who: UInt64)) -> Duration {
        var random = CounterRandom(
            seed: chance.seed, purpose: .reconnect, round: chance.number,
            client: chance.who ^ UInt64(doublings) << 56)
        return pause + .nanoseconds(Int64(random.next(below: UInt64(max(1, pause.nanoseconds / 4)))))
    }
}
