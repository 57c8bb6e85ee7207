// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A file's bytes in the address space, read-only and backed by the file; unmapped when the last reference ends.
///
/// The file must not shrink while it is mapped: it is meant for files that are only ever replaced, such as objects.
package final class MappedFile: @unchecked Sendable {
    // Safe to share: the mapping is read-only and both fields are immutable until deinit, which runs alone.
    private let bytes: UnsafeRawBufferPointer
    /// Whose memory the bytes are, when they lie in no file.
    private let owner: HeapVector?
    /// The file, as it was named.
    package let path: String

    /// Maps a whole file.
    ///
    /// - Throws: `FilesError.system` when it cannot be opened or mapped.
    package init(path: String) throws(FilesError) {
        let file = try FileHandle.reading(path)
        guard let count = Int(exactly: try file.byteCount()) else {
            throw .system(action: "map", path: path, code: EFBIG)
        }
        self.path = path
        owner = nil
        guard count > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let start = mmap(nil, count, PROT_READ, MAP_SHARED, file.descriptor, 0), start != MAP_FAILED else {
            throw .system(action: "map", path: path, code: errno)
        }
        bytes = UnsafeRawBufferPointer(start: start, count: count)
    }

    /// Shows values in memory as if they were a file's.
    init(holding vector: HeapVector) {
        path = ""
        owner = vector
        bytes = vector.bytes
    }

    deinit {
        guard owner == nil else { return }
        if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) }
    }

    /// The file's size.
    package var byteCount: Int { bytes.count }

    /// Lends the bytes.
    package func withBytes<Result: ~Copyable, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(bytes.bytes)
    }

    /// Lends the bytes as a buffer that must not outlive the call, for C functions.
    package func withUnsafeBytes<Result: ~Copyable, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(bytes)
    }

    /// Lends the bytes as little-endian float32; a rest of fewer than four bytes is left out.
    package func withFloats<Result: ~Copyable, Failure: Error>(
        _ body: (Span<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let count = bytes.count / MemoryLayout<Float>.stride
        // A mapping starts on a page, and no other view of it writes.
        let start = bytes.baseAddress?.assumingMemoryBound(to: Float.self)
        return try body(UnsafeBufferPointer(start: start, count: count).span)
    }
}
