// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// A delta's memory: written by the one thread that computes it, then only read.
///
/// It stays where it is, so that many can be folded in one pass without moving a value. Sendable, because whoever
/// writes hands it over before anybody reads.
final class DeltaBuffer: @unchecked Sendable {
    let values: UnsafeMutableBufferPointer<Float>

    /// Takes memory for `count` values, with nothing in it.
    init(count: Int) { values = .allocate(capacity: count) }

    /// A copy of some values.
    convenience init(copying other: [Float]) {
        self.init(count: other.count)
        _ = values.initialize(from: other)
    }

    deinit { values.deallocate() }

    var byteCount: Int { values.count * MemoryLayout<Float>.stride }

    /// Where the bytes lie, as long as the buffer lives.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(values) }
}
