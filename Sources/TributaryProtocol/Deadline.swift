// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

/// How one deadline becomes those of the tiers below: each keeps a tenth of the time it is given for its own way up.
enum Deadline {
    /// The time that a node gives its children out of the time left to itself.
    static func inner(_ left: Duration) -> Duration {
        .nanoseconds(left.nanoseconds / 10 * 9)
    }
}
