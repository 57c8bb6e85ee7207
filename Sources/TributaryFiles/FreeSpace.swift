// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The room left on a file system.
package enum FreeSpace {
    /// Bytes that this user may still write where `path`, which exists, lies.
    ///
    /// - Throws: `FilesError.system` when the path cannot be examined.
    package static func byteCount(at path: String) throws(FilesError) -> UInt64 {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else {
            throw .system(action: "examine the file system of", path: path, code: errno)
        }
        let (bytes, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        return overflow ? .max : bytes
    }

    /// Makes sure that so many bytes fit before the first one is written.
    ///
    /// - Throws: `FilesError.noSpace` when they do not.
    package static func require(_ byteCount: UInt64, at path: String) throws(FilesError) {
        let free = try self.byteCount(at: path)
        guard byteCount <= free else { throw .noSpace(directory: path, needed: byteCount, free: free) }
    }

    /// Takes room on a file system with a file of zeros that nobody reads.
    ///
    /// - Throws: `FilesError.system` when there is not so much; nothing is taken then.
    package static func occupy(_ byteCount: UInt64, with path: String) throws(FilesError) {
        let file = try FileHandle(opening: path, flags: O_RDWR | O_CREAT, mode: 0o600, action: "create")
        if try file.byteCount() == byteCount { return }
        let code = posix_fallocate(file.descriptor, 0, off_t(clamping: byteCount))
        guard code == 0 else {
            try Directory.remove(path)
            throw .system(action: "reserve room in", path: path, code: code)
        }
    }

    /// Gives back what `occupy` took.
    ///
    /// - Throws: `FilesError.system` when the file cannot be removed.
    package static func vacate(_ path: String) throws(FilesError) { try Directory.remove(path) }
}
