// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// Float32 values that live in a file, so that models and optimizer state take no anonymous memory.
///
/// The file's blocks are reserved at the start: a full disk is an error then, not a crash later. One owner uses it at
/// a time.
package final class MappedVector {
    private static let files = Atomic<UInt64>(0)

    private let values: UnsafeMutableBufferPointer<Float>
    /// The file; `nil` when it has no name and ends with the value.
    package let path: String?

    /// Creates zeros in a nameless file in `directory`, which ends with the value.
    ///
    /// - Throws: `FilesError.noSpace` when the values do not fit, `FilesError.system` for other trouble.
    package convenience init(count: Int, directory: String) throws(FilesError) {
        let number = Self.files.wrappingAdd(1, ordering: .relaxed).newValue
        let path = "\(directory)/.vector.\(getpid()).\(number).tmp"
        try Directory.create(directory)
        let file = try FileHandle(opening: path, flags: O_RDWR | O_CREAT | O_EXCL, mode: 0o600, action: "create")
        try Directory.remove(path)
        try self.init(count: count, file: file, directory: directory, path: nil)
    }

    /// Opens or creates a named file that keeps the values; what it holds already stays, the rest is zeros.
    ///
    /// - Throws: `FilesError.malformed` when the file has another length, `FilesError.noSpace`, `FilesError.system`.
    package convenience init(count: Int, path: String) throws(FilesError) {
        let directory = Directory.parent(of: path)
        try Directory.create(directory)
        let file = try FileHandle(opening: path, flags: O_RDWR | O_CREAT, action: "open")
        let held = try file.byteCount()
        guard held == 0 || held == UInt64(clamping: count) * 4 else {
            throw .malformed(
                path: path, at: "",
                problem: "holds \(held) bytes where \(count) values of 4 are expected; remove it to start from zeros")
        }
        try self.init(count: count, file: file, directory: directory, path: path)
    }

    private init(
        count: Int, file: borrowing FileHandle, directory: String, path: String?
    ) throws(FilesError) {
        precondition(count >= 0 && count <= Int.max / 8, "a vector has a sensible length")
        self.path = path
        guard count > 0 else {
            values = UnsafeMutableBufferPointer(start: nil, count: 0)
            return
        }
        let byteCount = count * MemoryLayout<Float>.stride
        try FreeSpace.require(UInt64(byteCount), at: directory)
        let code = posix_fallocate(file.descriptor, 0, off_t(byteCount))
        guard code == 0 else { throw .system(action: "reserve \(byteCount) bytes in", path: directory, code: code) }
        let start = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, file.descriptor, 0)
        guard let start, start != MAP_FAILED else {
            throw .system(action: "map", path: path ?? directory, code: errno)
        }
        values = UnsafeMutableBufferPointer(start: start.bindMemory(to: Float.self, capacity: count), count: count)
    }

    deinit {
        if let start = values.baseAddress { munmap(start, values.count * MemoryLayout<Float>.stride) }
    }

    /// The number of values.
    package var count: Int { values.count }

    /// Lends the values for reading.
    package func withSpan<Result: ~Copyable, Failure: Error>(
        _ body: (Span<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(values.span)
    }

    /// Lends the values for writing.
    package func withMutableSpan<Result: ~Copyable, Failure: Error>(
        _ body: (inout MutableSpan<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var span = values.mutableSpan
        return try body(&span)
    }

    /// Lends the values as a buffer that must not outlive the call, for C functions.
    package func withUnsafeMutableBuffer<Result: ~Copyable, Failure: Error>(
        _ body: (UnsafeMutableBufferPointer<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(values)
    }

    /// Waits until the values of a named file are on the disk.
    ///
    /// - Throws: `FilesError.system` when the disk fails.
    package func flush() throws(FilesError) {
        guard let start = values.baseAddress, let path else { return }
        guard msync(start, values.count * MemoryLayout<Float>.stride, MS_SYNC) == 0 else {
            throw .system(action: "sync", path: path, code: errno)
        }
    }
}
