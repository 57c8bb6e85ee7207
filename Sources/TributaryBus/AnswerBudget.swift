// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import TributaryCore

/// How often a peer that breaks the protocol is answered and reported; beyond it is only counted.
struct AnswerBudget {
    static let burst = 16.0
    static let perSecond = 4.0

    private var tokens = AnswerBudget.burst
    private var last: Moment?

    /// Whether one more answer may be given.
    mutating func take(now: Moment) -> Bool {
        if let last { tokens = min(AnswerBudget.burst, tokens + (now - last).seconds * AnswerBudget.perSecond) }
        last = now
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }
}
