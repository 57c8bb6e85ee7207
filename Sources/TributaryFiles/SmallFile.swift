// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// Files that are read whole: keys, markers, topologies.
package enum SmallFile {
    /// Reads a file of at most `byteCountMax` bytes.
    ///
    /// - Throws: `FilesError.system` when it cannot be read, `FilesError.tooLarge` when it is longer.
    package static func read(_ path: String, byteCountMax: Int) throws(FilesError) -> [UInt8] {
        let file = try FileHandle.reading(path)
        let stated = try file.byteCount()
        guard stated <= UInt64(byteCountMax) else {
            throw .tooLarge(what: path, actual: stated, limit: UInt64(byteCountMax))
        }
        // Files under /proc state no size, so the end decides; one byte more than allowed is enough to know.
        var bytes: [UInt8] = []
        try file.forEachBlock(upTo: UInt64(byteCountMax) + 1, blockByteCount: 64 * 1024) { block in
            bytes.append(contentsOf: block)
        }
        guard bytes.count <= byteCountMax else {
            throw .tooLarge(what: path, actual: UInt64(bytes.count), limit: UInt64(byteCountMax))
        }
        return bytes
    }
}
