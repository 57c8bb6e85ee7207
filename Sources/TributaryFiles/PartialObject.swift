// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import TributaryCore
internal import TributaryCrypto

/// An object that is arriving: an open file, how much of it is held, and the digest of that much.
final class PartialObject {
    private static let blockByteCount = 1 << 20

    let object: ObjectReference
    private let file: FileHandle
    private var digest = SHA256()
    private(set) var heldByteCount: UInt64 = 0
    private var isReserved = false

    /// Opens a partial file and digests again what an earlier process left in it.
    init(_ object: ObjectReference, path: String) throws(FilesError) {
        self.object = object
        file = try FileHandle(opening: path, flags: O_RDWR | O_CREAT, action: "open")
        let held = try file.byteCount()
        guard held <= object.byteCount else {
            // It cannot be the beginning of this object.
            try file.resize(to: 0)
            return
        }
        try digestPrefix(byteCount: held)
    }

    /// Takes the room for what is still to come.
    ///
    /// - Throws: `FilesError.system` when the file system is full.
    func reserve() throws(FilesError) { isReserved = try file.reserve(byteCount: object.byteCount) }

    /// The bytes still to come for which no room is taken.
    var unreservedByteCount: UInt64 { isReserved ? 0 : missingByteCount }

    /// The bytes still to come.
    var missingByteCount: UInt64 { object.byteCount - heldByteCount }

    /// Writes the next bytes, then digests them; a failed write leaves what was held before.
    func append(_ bytes: RawSpan, at offset: UInt64) throws(FilesError) {
        guard offset == heldByteCount else {
            throw .wrongOffset(object.digest, expected: heldByteCount, actual: offset)
        }
        guard UInt64(bytes.byteCount) <= missingByteCount else {
            let end = offset.addingReportingOverflow(UInt64(bytes.byteCount)).partialValue
            throw .outsideObject(object.digest, end: end, byteCount: object.byteCount)
        }
        do {
            try bytes.withUnsafeBytes { bytes throws(FilesError) in try file.write(bytes, at: offset) }
        } catch {
            try? file.resize(to: heldByteCount)
            throw error
        }
        digest.update(bytes)
        heldByteCount += UInt64(bytes.byteCount)
    }

    /// Whether all bytes have come and are the right ones.
    var isRight: Bool {
        missingByteCount == 0 && digest.copy().finish() == object.digest
    }

    private func digestPrefix(byteCount: UInt64) throws(FilesError) {
        var digest = SHA256()
        var done: UInt64 = 0
        try file.forEachBlock(upTo: byteCount, blockByteCount: Self.blockByteCount) { bytes in
            digest.update(bytes)
            done += UInt64(bytes.count)
        }
        self.digest = digest
        heldByteCount = done
    }
}

extension FileHandle {
    /// Hands out a file's leading bytes block by block.
    borrowing func forEachBlock(
        upTo byteCount: UInt64, blockByteCount: Int, _ body: (UnsafeRawBufferPointer) throws(FilesError) -> Void
    ) throws(FilesError) {
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: blockByteCount, alignment: 64)
        defer { block.deallocate() }
        var offset: UInt64 = 0
        while offset < byteCount {
            let wanted = Int(min(UInt64(blockByteCount), byteCount - offset))
            let count = try read(into: UnsafeMutableRawBufferPointer(rebasing: block[..<wanted]), at: offset)
            guard count > 0 else { return }
            try body(UnsafeRawBufferPointer(rebasing: block[..<count]))
            offset += UInt64(count)
        }
    }
}
