// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// An open file descriptor: closed when the value ends, interrupted calls repeated, errors with path and reason.
struct FileHandle: ~Copyable {
    let descriptor: CInt
    let path: String

    init(opening path: String, flags: CInt, mode: mode_t = 0o644, action: String) throws(FilesError) {
        guard !path.utf8.contains(0) else {
            throw .system(action: action, path: path, code: EINVAL)
        }
        var descriptor: CInt = -1
        repeat {
            descriptor = open(path, flags | O_CLOEXEC, mode)
        } while descriptor < 0 && errno == EINTR
        guard descriptor >= 0 else { throw .system(action: action, path: path, code: errno) }
        self.descriptor = descriptor
        self.path = path
    }

    /// Opens an existing file, not a directory, for reading.
    static func reading(_ path: String) throws(FilesError) -> FileHandle {
        let file = try FileHandle(opening: path, flags: O_RDONLY, action: "open")
        guard try file.status().st_mode & S_IFMT != S_IFDIR else {
            throw .system(action: "read", path: path, code: EISDIR)
        }
        return file
    }

    deinit { _ = close(descriptor) }

    borrowing func status() throws(FilesError) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw .system(action: "examine", path: path, code: errno)
        }
        return status
    }

    /// The file's size in bytes.
    borrowing func byteCount() throws(FilesError) -> UInt64 {
        UInt64(clamping: try status().st_size)
    }

    /// Reads up to a buffer's worth at an offset; 0 means the end of the file.
    borrowing func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(FilesError) -> Int {
        guard let start = off_t(exactly: offset) else { return 0 }
        while true {
            let count = pread(descriptor, buffer.baseAddress, buffer.count, start)
            if count >= 0 { return count }
            if errno != EINTR { throw .system(action: "read", path: path, code: errno) }
        }
    }

    /// The bytes from an offset on, all of which must be there.
    ///
    /// - Throws: `FilesError.malformed` when the file ends before, `FilesError.system`.
    borrowing func bytes(_ byteCount: Int, at offset: UInt64) throws(FilesError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: byteCount)
        var done = 0
        while done < byteCount {
            var span = bytes.mutableSpan
            var rest = span.mutableBytes
            let place = offset + UInt64(done)
            let count = try rest.withUnsafeMutableBytes { buffer throws(FilesError) in
                try read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...]), at: place)
            }
            guard count > 0 else { throw .malformed(path: path, at: "byte \(place)", problem: "the file ends early") }
            done += count
        }
        return bytes
    }

    /// Writes all bytes at an offset.
    borrowing func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(FilesError) {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(clamping: offset) + off_t(done))
            if count > 0 {
                done += count
            } else if count == 0 || errno != EINTR {
                throw .system(action: "write", path: path, code: count == 0 ? EIO : errno)
            }
        }
    }

    /// Waits until the file's bytes are on the disk.
    borrowing func sync() throws(FilesError) {
        guard fsync(descriptor) == 0 else { throw .system(action: "sync", path: path, code: errno) }
    }

    /// Gives the file the blocks of a size to come; its size stays.
    ///
    /// Writing then costs a third less, and the room is nobody else's.
    ///
    /// - Returns: whether the file system can; where it cannot, nothing is lost but time.
    /// - Throws: `FilesError.system` when there is no such room.
    borrowing func reserve(byteCount: UInt64) throws(FilesError) -> Bool {
        guard byteCount > 0 else { return true }
        while true {
            if fallocate(descriptor, FALLOC_FL_KEEP_SIZE, 0, off_t(clamping: byteCount)) == 0 { return true }
            switch errno {
            case EINTR: continue
            case ENOSPC, EDQUOT, EFBIG: throw .system(action: "reserve room in", path: path, code: errno)
            default: return false
            }
        }
    }

    /// Cuts or extends the file.
    borrowing func resize(to byteCount: UInt64) throws(FilesError) {
        guard ftruncate(descriptor, off_t(clamping: byteCount)) == 0 else {
            throw .system(action: "resize", path: path, code: errno)
        }
    }
}

/// Paths and directories, as far as this room needs them.
package enum Directory {
    /// The directory part of a path; `.` when it has none.
    package static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The last part of a path.
    package static func name(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }

    /// A path as written in a file that lies in `directory`.
    static func resolve(_ path: String, in directory: String) -> String {
        path.hasPrefix("/") || directory.isEmpty ? path : "\(directory)/\(path)"
    }

    /// Creates a directory and those above it; what exists stays.
    package static func create(_ path: String, mode: UInt32 = 0o755) throws(FilesError) {
        if mkdir(path, mode) == 0 { return }
        if errno == ENOENT, parent(of: path) != path {
            try create(parent(of: path), mode: mode)
            if mkdir(path, mode) == 0 { return }
        }
        guard errno == EEXIST else { throw .system(action: "create the directory", path: path, code: errno) }
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw .system(action: "create the directory", path: path, code: ENOTDIR)
        }
    }

    /// The names in a directory, sorted, without `.` and `..`.
    package static func names(in path: String) throws(FilesError) -> [String] {
        guard let stream = opendir(path) else {
            throw .system(action: "list the directory", path: path, code: errno)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Whether something lies at a path.
    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Removes a directory of files, best effort: what cannot be removed stays.
    package static func removeAll(_ path: String) {
        for name in (try? names(in: path)) ?? [] {
            let entry = "\(path)/\(name)"
            if unlink(entry) != 0 { removeAll(entry) }
        }
        rmdir(path)
    }

    /// Makes a rename in a directory last.
    package static func sync(_ path: String) throws(FilesError) {
        let directory = try FileHandle(opening: path, flags: O_RDONLY | O_DIRECTORY, action: "open the directory")
        // Some file systems cannot sync a directory and say so by EINVAL; there is nothing more to do there.
        guard fsync(directory.descriptor) == 0 || errno == EINVAL else {
            throw .system(action: "sync the directory", path: path, code: errno)
        }
    }

    /// Puts a file in another's place.
    static func move(_ path: String, to target: String) throws(FilesError) {
        guard rename(path, target) == 0 else { throw .system(action: "replace", path: target, code: errno) }
    }

    /// Removes a file; a file that is not there is no error.
    package static func remove(_ path: String) throws(FilesError) {
        guard unlink(path) == 0 || errno == ENOENT else {
            throw .system(action: "remove", path: path, code: errno)
        }
    }
}
