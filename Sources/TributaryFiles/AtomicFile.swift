// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// Writes a file whole or not at all: a temporary file beside it, synced, then renamed onto it.
package enum AtomicFile {
    private static let writes = Atomic<UInt64>(0)

    /// Writes what `body` gives the sink; the old file, if any, stays until the new one is complete on the disk.
    ///
    /// Parent directories are created. Whatever fails, `path` is untouched and the temporary file is removed.
    /// `permissions`: the new file's mode; keys want 0o600.
    /// - Throws: `FilesError.system` with the path and the reason, or what `body` throws.
    package static func write(
        to path: String, permissions: UInt32 = 0o644,
        _ body: (inout FileSink) throws(FilesError) -> Void
    ) throws(FilesError) {
        let directory = Directory.parent(of: path)
        try Directory.create(directory)
        let number = writes.wrappingAdd(1, ordering: .relaxed).newValue
        let temporary = "\(directory)/.\(Directory.name(of: path)).\(getpid()).\(number).tmp"
        do {
            var sink = try FileSink(creating: temporary, permissions: permissions)
            try body(&sink)
            try sink.finish(sync: true)
            try Directory.move(temporary, to: path)
        } catch {
            _ = unlink(temporary)
            throw error.moved(from: temporary, to: path)
        }
        try Directory.sync(directory)
    }

    /// Writes bytes that are in memory.
    ///
    /// - Throws: `FilesError.system` with the path and the reason.
    package static func write(
        _ bytes: [UInt8], to path: String, permissions: UInt32 = 0o644
    ) throws(FilesError) {
        try write(to: path, permissions: permissions) { sink throws(FilesError) in
            try sink.write(bytes)
        }
    }
}

extension FilesError {
    /// The same error told of the file that the user knows, not of the temporary one.
    fileprivate func moved(from temporary: String, to path: String) -> FilesError {
        guard case .system(let action, temporary, let code) = self else { return self }
        return .system(action: action, path: path, code: code)
    }
}

/// A file being written from its beginning, through a buffer; not shared between threads.
package struct FileSink: ~Copyable {
    /// What is gathered before it is written; as much or more at once is written as it comes.
    static let capacity = 256 * 1024

    private let file: FileHandle
    private var buffer: [UInt8]
    private var written: UInt64 = 0

    /// `expectedByteCount`: 0 when it is not known; room for it is taken at once.
    init(creating path: String, permissions: UInt32, expectedByteCount: UInt64 = 0) throws(FilesError) {
        let file = try FileHandle(
            opening: path, flags: O_RDWR | O_CREAT | O_EXCL, mode: mode_t(permissions), action: "create")
        _ = try file.reserve(byteCount: expectedByteCount)
        self.file = file
        buffer = []
    }

    /// Writes to a file or device that exists.
    init(overwriting path: String) throws(FilesError) {
        file = try FileHandle(opening: path, flags: O_WRONLY, action: "open")
        buffer = []
    }

    /// The bytes given so far.
    package var byteCount: UInt64 { written + UInt64(buffer.count) }

    /// Appends bytes.
    ///
    /// - Throws: `FilesError.system` when the disk is full or fails.
    package mutating func write(_ bytes: RawSpan) throws(FilesError) {
        guard bytes.byteCount > 0 else { return }
        if buffer.count + bytes.byteCount > Self.capacity { try flush() }
        if bytes.byteCount >= Self.capacity {
            try Self.emit(bytes, to: file, at: written)
            written += UInt64(bytes.byteCount)
        } else {
            bytes.withUnsafeBytes { buffer.append(contentsOf: $0) }
        }
    }

    /// Appends bytes.
    ///
    /// - Throws: `FilesError.system` when the disk is full or fails.
    package mutating func write(_ bytes: [UInt8]) throws(FilesError) {
        try write(bytes.span.bytes)
    }

    /// Appends values as little-endian float32.
    ///
    /// - Throws: `FilesError.system` when the disk is full or fails.
    package mutating func write(_ values: Span<Float>) throws(FilesError) {
        try write(values.bytes)
    }

    /// Writes out what is buffered and, if asked, waits for the disk.
    mutating func finish(sync: Bool) throws(FilesError) {
        try flush()
        if sync { try file.sync() }
    }

    private mutating func flush() throws(FilesError) {
        guard !buffer.isEmpty else { return }
        try Self.emit(buffer.span.bytes, to: file, at: written)
        written += UInt64(buffer.count)
        buffer.removeAll(keepingCapacity: true)
    }

    private static func emit(
        _ bytes: RawSpan, to file: borrowing FileHandle, at offset: UInt64
    ) throws(FilesError) {
        try bytes.withUnsafeBytes { bytes throws(FilesError) in try file.write(bytes, at: offset) }
    }
}
