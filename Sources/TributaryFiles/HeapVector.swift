// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// Float32 values in memory that become an object without a copy: see `ObjectStore.hold`.
///
/// One owner changes it at a time, and nobody once it is held.
package final class HeapVector: @unchecked Sendable {
    // Safe to share once held: from then on it is only read, and deinit runs alone.
    private let values: UnsafeMutableBufferPointer<Float>

    /// A vector of so many zeros.
    package init(count: Int) {
        values = .allocate(capacity: count)
        values.initialize(repeating: 0)
    }

    /// A vector with the values of a span.
    package init(copying span: Span<Float>) {
        values = .allocate(capacity: span.count)
        span.withUnsafeBufferPointer { _ = values.initialize(fromContentsOf: $0) }
    }

    deinit { values.deallocate() }

    /// The number of values.
    package var count: Int { values.count }

    /// Lends the values for writing, as a buffer that must not outlive the call.
    package func withUnsafeMutableBuffer<Result: ~Copyable, Failure: Error>(
        _ body: (UnsafeMutableBufferPointer<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(values)
    }

    /// Lends the values for writing.
    package func withMutableSpan<Result: ~Copyable, Failure: Error>(
        _ body: (inout MutableSpan<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var span = values.mutableSpan
        return try body(&span)
    }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(values) }
}
