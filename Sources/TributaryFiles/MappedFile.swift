// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A file's bytes in the address space, read-only and backed by the file; unmapped when the last reference ends.
///
/// The file must not shrink while it is mapped: it is meant for files that are only ever replaced, such as objects.
package final class MappedFile: @unchecked Sendable {
    // Safe to share: the mapping is read-only and both fields are immutable until deinit, which runs alone.
    private let bytes: UnsafeRawBufferPointer
    /// What is mapped: the pages that hold the bytes.
    private let pages: UnsafeRawBufferPointer
    /// Whose memory the bytes are, when they lie in no file.
    private let owner: HeapVector?
    /// The file, as it was named.
    package let path: String

    /// Maps a whole file.
    ///
    /// - Throws: `FilesError.system` when it cannot be opened or mapped.
    package convenience init(path: String) throws(FilesError) {
        let file = try FileHandle.reading(path)
        try self.init(file, offset: 0, byteCount: try file.byteCount())
    }

    /// Maps a part of a file, which begins at a multiple of 4 bytes.
    ///
    /// - Throws: `FilesError.system` when it cannot be opened or mapped, `FilesError.malformed` when it is shorter.
    package convenience init(path: String, offset: UInt64, byteCount: UInt64) throws(FilesError) {
        let file = try FileHandle.reading(path)
        let held = try file.byteCount()
        guard offset <= held, byteCount <= held - offset else {
            throw .malformed(
                path: path, at: "offset \(offset)", problem: "ends before the \(byteCount) bytes that belong there")
        }
        try self.init(file, offset: offset, byteCount: byteCount)
    }

    private init(_ file: borrowing FileHandle, offset: UInt64, byteCount: UInt64) throws(FilesError) {
        path = file.path
        owner = nil
        // A mapping starts on a page.
        let lead = Int(offset % UInt64(sysconf(Int32(_SC_PAGESIZE))))
        guard let count = Int(exactly: byteCount), count < Int.max - lead else {
            throw .system(action: "map", path: file.path, code: EFBIG)
        }
        guard count > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            pages = bytes
            return
        }
        let origin = off_t(clamping: offset) - off_t(lead)
        let start = mmap(nil, lead + count, PROT_READ, MAP_SHARED, file.descriptor, origin)
        guard let start, start != MAP_FAILED else {
            throw .system(action: "map", path: file.path, code: errno)
        }
        pages = UnsafeRawBufferPointer(start: start, count: lead + count)
        bytes = UnsafeRawBufferPointer(rebasing: pages[lead...])
    }

    /// Shows values in memory as if they were a file's.
    init(holding vector: HeapVector) {
        path = ""
        owner = vector
        bytes = vector.bytes
        pages = bytes
    }

    deinit {
        guard owner == nil else { return }
        if let start = pages.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), pages.count) }
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
        // It begins at a multiple of four bytes, and no other view of it writes.
        let start = bytes.baseAddress?.assumingMemoryBound(to: Float.self)
        return try body(UnsafeBufferPointer(start: start, count: count).span)
    }
}
