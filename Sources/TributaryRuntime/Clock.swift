// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The wall clock, for names and log lines alone; nothing is decided by it.
package enum Clock {
    /// UTC as `20260131-235959`, for names of runs.
    package static func compactTimestamp() -> String { format("%Y%m%d-%H%M%S") }

    /// UTC as `2026-01-31T23:59:59Z`, for log lines.
    package static func timestamp() -> String { format("%Y-%m-%dT%H:%M:%SZ") }

    /// A moment in UTC as `2026-01-31T23:59:59Z`.
    package static func timestamp(secondsSince1970 seconds: UInt64) -> String {
        format("%Y-%m-%dT%H:%M:%SZ", at: time_t(clamping: seconds))
    }

    /// Seconds since 1970 UTC, for records of runs.
    package static func secondsSince1970() -> UInt64 { UInt64(clamping: time(nil)) }

    private static func format(_ pattern: String, at moment: time_t = time(nil)) -> String {
        var now = moment
        var parts = tm()
        gmtime_r(&now, &parts)
        var buffer = [CChar](repeating: 0, count: 32)
        let count = strftime(&buffer, buffer.count, pattern, &parts)
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
