// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// The versions of the wire protocol.
package enum WireVersion {
    /// The version that this build prefers.
    package static let current: UInt32 = 1
    /// The versions that this build can speak.
    package static let supported: ClosedRange<UInt32> = 1...1
}
