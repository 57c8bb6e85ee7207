// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
internal import TributaryRing

extension UpdateEncoding {
    /// The most bytes that a group of `parameterCount` values takes; exact for `float32`, `nil` when it overflows.
    package func byteCountMax(parameterCount: UInt64) -> UInt64? {
        switch self {
        case .float32:
            let (byteCount, overflow) = parameterCount.multipliedReportingOverflow(by: 4)
            return overflow ? nil : byteCount
        case .ring:
            return RingPacking.byteCountMax(count: parameterCount)
        }
    }

    /// The fewest bytes that a group of `parameterCount` values takes; `nil` when that overflows.
    package func byteCountMin(parameterCount: UInt64) -> UInt64? {
        switch self {
        case .float32: byteCountMax(parameterCount: parameterCount)
        case .ring: RingPacking.byteCountMin(count: parameterCount)
        }
    }
}
