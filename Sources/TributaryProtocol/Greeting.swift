// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

/// What a node says to its parent before the first plan, again while nothing answers it.
struct Greeting: Sendable {
    /// Repetitions of `Ready` at most: an idle tree falls silent after some minutes.
    static let readyCountMax = 5

    var retry = Retry()
    var isWelcome = false
    /// How often the number of clients was said again.
    var readyCount = 0
}

/// What a node that is done says to the children that have not left: the same again, twice.
struct Farewell: Sendable {
    private static let pause = Duration.seconds(1)

    private(set) var due: Moment?
    private(set) var reason: ReasonCode?
    private var repetitionsLeft = 2

    mutating func begin(_ reason: ReasonCode?, at now: Moment) {
        guard due == nil, repetitionsLeft == 2 else { return }
        self.reason = reason
        due = now + Self.pause
    }

    /// Whether it is time, again; counts.
    mutating func isDue(at now: Moment) -> Bool {
        guard let due, due <= now else { return false }
        repetitionsLeft -= 1
        self.due = repetitionsLeft > 0 ? now + Self.pause : nil
        return true
    }
}
