// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
package import TributaryCore
internal import TributaryCrypto

/// A record of a segment log: where it lies, what its head says, and which body lies behind the head.
package struct SegmentRecord: Hashable, Sendable {
    /// Where a record begins.
    package struct Position: Hashable, Sendable {
        /// The segment's number.
        package var segment: UInt64
        /// Bytes from the segment's beginning; a multiple of `SegmentRecord.alignment`.
        package var offset: UInt64
        package init(segment: UInt64, offset: UInt64) {
            self.segment = segment
            self.offset = offset
        }
    }

    package var position: Position
    /// Counts the log's records from 1.
    package var number: UInt64
    /// The batch in which it was written.
    package var commit: UInt64
    /// The writer's own kind.
    package var kind: UInt16
    package var head: [UInt8]
    package var body: ObjectReference?
    /// The checksum of the record before it: a record that is missing or stands elsewhere breaks the chain.
    package var previous: Digest
    /// SHA-256 of the log's salt, everything above, the head's bytes and the body's digest.
    package var checksum: Digest

    /// A record of a log whose checksums begin with `salt`, so that no body can hold what looks like a record.
    package init(
        position: Position, number: UInt64, commit: UInt64, kind: UInt16, head: [UInt8], body: ObjectReference?,
        previous: Digest, salt: Digest
    ) {
        self.position = position
        self.number = number
        self.commit = commit
        self.kind = kind
        self.head = head
        self.body = body
        self.previous = previous
        checksum = previous
        checksum = Self.checksum(of: frame(checksum: previous), salt)
    }

    /// Where the body begins in its segment.
    package var bodyOffset: UInt64 { position.offset + Self.aligned(UInt64(Self.frameByteCount + head.count)) }

    /// Where the next record begins.
    package var end: UInt64 { body.map { bodyOffset + Self.aligned($0.byteCount) } ?? bodyOffset }
}

// MARK: - Bytes

// A record begins at a multiple of 64 bytes, its body at the next one behind the head, both padded with zeros. All
// integers are little-endian:
//
//     0 magic   8 number   16 commit   24 kind (2)   26 has a body (2)   28 head's size (4)   32 body's size
//     40 body's SHA-256   72 checksum of the record before   104 checksum of salt, bytes 0..<104 and head   136 head

extension SegmentRecord {
    /// What records and bodies begin at multiples of: a cache line, so that bodies are mapped as they lie.
    package static let alignment: UInt64 = 64
    static let frameByteCount = 136
    /// The largest head: a name list of a large cohort.
    static let headByteCountMax = 128 << 20
    private static let magic: UInt64 = 0x3152_4345_5242_5254  // "TRBRECR1"
    private static let checkedByteCount = 104

    static func aligned(_ count: UInt64) -> UInt64 { (count + alignment - 1) / alignment * alignment }

    /// The bytes up to the body, padding included.
    var frameBytes: [UInt8] {
        var bytes = frame(checksum: checksum)
        bytes.append(contentsOf: repeatElement(0, count: Int(bodyOffset - position.offset) - bytes.count))
        return bytes
    }

    private func frame(checksum: Digest) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(Self.aligned(UInt64(Self.frameByteCount + head.count))))
        func put(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
        }
        put(Self.magic)
        put(number)
        put(commit)
        put(kind)
        put(UInt16(body == nil ? 0 : 1))
        put(UInt32(head.count))
        put(body?.byteCount ?? 0)
        bytes.append(contentsOf: body?.digest.bytes ?? [UInt8](repeating: 0, count: Digest.byteCount))
        bytes.append(contentsOf: previous.bytes)
        bytes.append(contentsOf: checksum.bytes)
        bytes.append(contentsOf: head)
        return bytes
    }

    private static func checksum(of frame: [UInt8], _ salt: Digest) -> Digest {
        frame.withUnsafeBytes { bytes in
            var digest = SHA256()
            salt.bytes.withUnsafeBytes { digest.update($0) }
            digest.update(UnsafeRawBufferPointer(rebasing: bytes[..<checkedByteCount]))
            digest.update(UnsafeRawBufferPointer(rebasing: bytes[frameByteCount...]))
            return digest.finish()
        }
    }

    /// Reads the record at a place of an open segment; `nil` when no whole and right one begins there.
    static func read(_ file: borrowing FileHandle, at position: Position, salt: Digest) throws(FilesError)
        -> SegmentRecord?
    {
        guard let fixed = try file.wholeBytes(frameByteCount, at: position.offset) else { return nil }
        func word<Value: FixedWidthInteger>(_ offset: Int, _: Value.Type) -> Value {
            fixed.withUnsafeBytes { Value(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Value.self)) }
        }
        let headByteCount = Int(word(28, UInt32.self))
        guard word(0, UInt64.self) == magic, headByteCount <= headByteCountMax,
            let previous = Digest(fixed[72..<104]), let checksum = Digest(fixed[104..<136]),
            let bodyDigest = Digest(fixed[40..<72]), word(26, UInt16.self) <= 1,
            let head = try file.wholeBytes(headByteCount, at: position.offset + UInt64(frameByteCount))
        else { return nil }
        let hasBody = word(26, UInt16.self) == 1
        let bodyByteCount = word(32, UInt64.self)
        guard bodyByteCount <= Limits.objectByteCountMax, hasBody || bodyByteCount == 0 else { return nil }
        let record = SegmentRecord(
            position: position, number: word(8, UInt64.self), commit: word(16, UInt64.self),
            kind: word(24, UInt16.self), head: head,
            body: hasBody ? ObjectReference(digest: bodyDigest, byteCount: bodyByteCount) : nil, previous: previous,
            salt: salt)
        return record.checksum == checksum ? record : nil
    }

    /// Whether the record's body lies behind its head, whole and right; true without a body.
    func hasRightBody(in file: borrowing FileHandle) throws(FilesError) -> Bool {
        guard let body else { return true }
        guard try file.byteCount() >= bodyOffset + body.byteCount else { return false }
        var digest = SHA256()
        try file.forEachBlock(from: bodyOffset, byteCount: body.byteCount) { digest.update($0) }
        return digest.finish() == body.digest
    }
}

extension FileHandle {
    /// So many bytes at an offset; `nil` when the file ends before.
    borrowing func wholeBytes(_ count: Int, at offset: UInt64) throws(FilesError) -> [UInt8]? {
        guard try byteCount() >= offset + UInt64(count) else { return nil }
        guard count > 0 else { return [] }
        var failure: FilesError?
        var done = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            do throws(FilesError) {
                while done < count {
                    let rest = UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[done...]))
                    let read = try read(into: rest, at: offset + UInt64(done))
                    if read == 0 { break }
                    done += read
                }
            } catch {
                failure = error
            }
            initialized = done
        }
        if let failure { throw failure }
        return bytes.count == count ? bytes : nil
    }

    /// Hands out a part of a file block by block; ends early where the file does.
    borrowing func forEachBlock(
        from offset: UInt64, byteCount: UInt64, _ body: (UnsafeRawBufferPointer) throws(FilesError) -> Void
    ) throws(FilesError) {
        let block = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Int(min(max(byteCount, 1), 1 << 18)), alignment: 64)
        defer { block.deallocate() }
        var done: UInt64 = 0
        while done < byteCount {
            let wanted = Int(min(UInt64(block.count), byteCount - done))
            let count = try read(into: UnsafeMutableRawBufferPointer(rebasing: block[..<wanted]), at: offset + done)
            guard count > 0 else { return }
            try body(UnsafeRawBufferPointer(rebasing: block[..<count]))
            done += UInt64(count)
        }
    }
}
