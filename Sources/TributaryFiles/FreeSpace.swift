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
}
