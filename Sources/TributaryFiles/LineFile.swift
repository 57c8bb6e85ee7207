// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A text file that grows line by line while others may read it; each line is handed to the system at once.
///
/// A crash can cut the last line short, never one before it: readers leave out a last line without its end.
package struct LineFile: ~Copyable {
    private let file: FileHandle
    private var byteCount: UInt64 = 0

    /// Begins a file anew; parent directories are created.
    ///
    /// - Throws: `FilesError.system` with the path and the reason.
    package init(path: String) throws(FilesError) {
        try Directory.create(Directory.parent(of: path))
        file = try FileHandle(opening: path, flags: O_WRONLY | O_CREAT | O_TRUNC, action: "create")
    }

    /// Goes on with a file that may exist; a last line that was cut short is taken out.
    ///
    /// - Throws: `FilesError.system` with the path and the reason.
    package init(appendingTo path: String) throws(FilesError) {
        try Directory.create(Directory.parent(of: path))
        let file = try FileHandle(opening: path, flags: O_RDWR | O_CREAT, action: "open")
        let size = try file.byteCount()
        let tail = min(size, 1 << 20)
        let cut = try file.bytes(Int(tail), at: size - tail).reversed().prefix { $0 != 10 }.count
        if cut > 0 { try file.resize(to: size - UInt64(cut)) }
        byteCount = size - UInt64(cut)
        self.file = file
    }

    /// The last bytes of the file, fewer than `byteCountMax` when it is shorter.
    package borrowing func tail(byteCountMax: Int) throws(FilesError) -> [UInt8] {
        let start = byteCount - min(byteCount, UInt64(byteCountMax))
        return try file.bytes(Int(byteCount - start), at: start)
    }

    /// Waits until all lines are on the disk.
    ///
    /// - Throws: `FilesError.system`; what was appended may or may not last then.
    package borrowing func sync() throws(FilesError) { try file.sync() }

    /// Appends a line; its end is added.
    ///
    /// - Throws: `FilesError.system` when the disk is full or fails.
    package mutating func append(_ line: String) throws(FilesError) {
        let bytes = Array((line + "\n").utf8)
        try bytes.span.bytes.withUnsafeBytes { bytes throws(FilesError) in try file.write(bytes, at: byteCount) }
        byteCount += UInt64(bytes.count)
    }
}
