// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The sole use of a directory, for as long as the value lives; the system releases it when the process ends.
package final class DirectoryLock: Sendable {
    private let descriptor: CInt
    /// The directory that is held.
    package let directory: String

    /// Takes the directory, creating it when it does not exist.
    ///
    /// - Throws: `FilesError.locked` with the holder's process id when another holder lives.
    package init(directory: String) throws(FilesError) {
        try Directory.create(directory)
        let path = "\(directory)/lock"
        let file = try FileHandle(opening: path, flags: O_RDWR | O_CREAT, action: "open the lock")
        guard flock(file.descriptor, LOCK_EX | LOCK_NB) == 0 else {
            guard errno == EWOULDBLOCK else { throw .system(action: "lock", path: path, code: errno) }
            throw .locked(directory: directory, pid: Self.holder(in: file))
        }
        let pid = Array("\(getpid())\n".utf8)
        try file.resize(to: 0)
        try pid.span.bytes.withUnsafeBytes { bytes throws(FilesError) in try file.write(bytes, at: 0) }
        // The handle closes its descriptor; the duplicate shares the lock and keeps it.
        let descriptor = fcntl(file.descriptor, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0 else { throw .system(action: "lock", path: path, code: errno) }
        self.descriptor = descriptor
        self.directory = directory
    }

    deinit {
        // Released by name: a process that is just being started shares the descriptor until it runs its program.
        _ = flock(descriptor, LOCK_UN)
        _ = close(descriptor)
    }

    private static func holder(in file: borrowing FileHandle) -> Int {
        let text = withUnsafeTemporaryAllocation(byteCount: 20, alignment: 1) { buffer in
            let count = (try? file.read(into: buffer, at: 0)) ?? 0
            return String(decoding: UnsafeRawBufferPointer(rebasing: buffer[..<count]), as: UTF8.self)
        }
        return Int(text.prefix { $0.isNumber }) ?? 0
    }
}
