// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import TributaryCore

/// The pauses between attempts to connect: doubling, each drawn from its upper half, so that a fleet spreads out.
struct Backoff {
    static let first = Duration.milliseconds(100)
    static let longest = Duration.seconds(30)
    /// Attempts that a refusal counts for: a key does not become known within seconds.
    static let refusalWeight = 5

    private(set) var attempt = 0
    private var random: CounterRandom
    private let first: Duration

    init(seed: UInt64, first: Duration = Backoff.first) {
        random = CounterRandom(seed: seed, purpose: .reconnect)
        self.first = first
    }

    mutating func reset() { attempt = 0 }

    /// The pause after one more failure.
    mutating func next(weight: Int = 1) -> Duration {
        let doublings = min(attempt, 16)
        attempt = min(attempt + weight, 64)
        let ceiling = min(first * (1 << doublings), Backoff.longest)
        return jittered(ceiling)
    }

    /// A duration from the upper half of `ceiling`.
    mutating func jittered(_ ceiling: Duration) -> Duration {
        .nanoseconds(Int64(Double(ceiling.nanoseconds) * (0.5 + 0.5 * random.nextUniform())))
    }
}
