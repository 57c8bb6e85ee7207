// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// ZIP as NumPy writes it: PKWARE, ".ZIP File Format Specification" (APPNOTE.TXT 6.3), with ZIP64, stored or deflated
// members, no encryption, no several disks.

/// One member of an archive: where its bytes lie and what they must come to.
struct ZipMember: Sendable {
    let name: String
    let isDeflated: Bool
    let storedByteCount: UInt64
    let byteCount: UInt64
    let checksum: UInt32
    /// Where the member's bytes begin in the archive.
    let offset: UInt64

    /// Opens the member's bytes.
    func open(in path: String) throws(FilesError) -> ByteReader {
        let file = try FileHandle.reading(path)
        return ByteReader(
            file, part: offset..<(offset + storedByteCount), compression: isDeflated ? .deflate : .none)
    }

    /// Compares size and checksum of a member that was read from beginning to end.
    func check(_ reader: ByteReader) throws(FilesError) {
        guard reader.hasSeeked || (reader.checksum == checksum && reader.position == byteCount) else {
            throw reader.malformed("member \(name) is damaged: its checksum differs; get the file again")
        }
    }
}

/// The directory of a ZIP archive.
struct ZipArchive {
    /// Bytes of the directory: 10,000s of members, while a data set has a handful.
    private static let directoryByteCountMax: UInt64 = 4 << 20
    /// The end record and the longest comment after it.
    private static let endByteCountMax: UInt64 = 22 + 65_535

    let path: String
    let members: [ZipMember]

    init(path: String) throws(FilesError) {
        self.path = path
        let file = try FileHandle.reading(path)
        let byteCount = try file.byteCount()
        let end = try Self.findEnd(file, byteCount: byteCount)
        guard end.byteCount <= Self.directoryByteCountMax else {
            throw .tooLarge(what: "\(path): directory", actual: end.byteCount, limit: Self.directoryByteCountMax)
        }
        let (directoryEnd, overflow) = end.offset.addingReportingOverflow(end.byteCount)
        guard !overflow, directoryEnd <= end.position else { throw Self.damaged(path) }
        var fields = ZipFields(try Self.bytes(file, at: end.offset, count: Int(end.byteCount)), path: path)
        var members: [ZipMember] = []
        while fields.remaining > 0 {
            members.append(try Self.member(&fields, file: file, limit: end.offset))
        }
        guard UInt64(members.count) == end.memberCount else { throw Self.damaged(path) }
        self.members = members
    }

    private static func damaged(_ path: String) -> FilesError {
        .malformed(path: path, at: "", problem: "is not a whole ZIP archive (.npz); get or save the file again")
    }

    private static func bytes(
        _ file: borrowing FileHandle, at offset: UInt64, count: Int
    ) throws(FilesError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var span = bytes.mutableSpan
        let path = file.path
        try span.withUnsafeMutableBytes { buffer throws(FilesError) in
            var done = 0
            while done < buffer.count {
                let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                let (start, overflow) = offset.addingReportingOverflow(UInt64(done))
                let read = overflow ? 0 : try file.read(into: rest, at: start)
                guard read > 0 else { throw damaged(path) }
                done += read
            }
        }
        return bytes
    }

    /// Where the directory lies: `position` is where the end record begins, which must come after it.
    private struct End {
        var position: UInt64
        var memberCount: UInt64
        var byteCount: UInt64
        var offset: UInt64
    }

    private static func findEnd(_ file: borrowing FileHandle, byteCount: UInt64) throws(FilesError) -> End {
        let path = file.path
        guard byteCount >= 22 else { throw damaged(path) }
        let tailCount = min(byteCount, endByteCountMax)
        let tail = try bytes(file, at: byteCount - tailCount, count: Int(tailCount))
        let signature: [UInt8] = [0x50, 0x4b, 0x05, 0x06]
        // The record that is followed by exactly the comment it states.
        let found = (0...(tail.count - 22)).reversed().first { position in
            tail[position..<(position + 4)].elementsEqual(signature)
                && Int(tail[position + 20]) | Int(tail[position + 21]) << 8 == tail.count - position - 22
        }
        guard let found else { throw damaged(path) }
        var fields = ZipFields(Array(tail[(found + 4)..<(found + 20)]), path: path)
        let disk = try fields.number(2)
        let directoryDisk = try fields.number(2)
        let diskCount = try fields.number(2)
        let count = try fields.number(2)
        var end = End(
            position: byteCount - tailCount + UInt64(found), memberCount: count, byteCount: try fields.number(4),
            offset: try fields.number(4))
        guard disk == 0 || disk == 0xffff, directoryDisk == 0 || directoryDisk == 0xffff, diskCount == count else {
            throw damaged(path)
        }
        if count == 0xffff || end.byteCount == 0xffff_ffff || end.offset == 0xffff_ffff {
            end = try findLargeEnd(file, before: end.position)
        }
        return end
    }

    private static func findLargeEnd(_ file: borrowing FileHandle, before position: UInt64) throws(FilesError) -> End {
        let path = file.path
        guard position >= 20 else { throw damaged(path) }
        var locator = ZipFields(try bytes(file, at: position - 20, count: 20), path: path)
        guard try locator.number(4) == 0x0706_4b50, try locator.number(4) == 0 else { throw damaged(path) }
        let start = try locator.number(8)
        guard start < position else { throw damaged(path) }
        var fields = ZipFields(try bytes(file, at: start, count: 56), path: path)
        guard try fields.number(4) == 0x0606_4b50 else { throw damaged(path) }
        try fields.skip(8 + 2 + 2 + 4 + 4 + 8)
        return End(
            position: start, memberCount: try fields.number(8), byteCount: try fields.number(8),
            offset: try fields.number(8))
    }

    private static func member(
        _ fields: inout ZipFields, file: borrowing FileHandle, limit: UInt64
    ) throws(FilesError) -> ZipMember {
        let path = file.path
        guard try fields.number(4) == 0x0201_4b50 else { throw damaged(path) }
        try fields.skip(4)
        let flags = try fields.number(2)
        let method = try fields.number(2)
        try fields.skip(4)
        let checksum = try fields.number(4)
        var stored = try fields.number(4)
        var byteCount = try fields.number(4)
        let nameCount = try fields.number(2)
        let extraCount = try fields.number(2)
        let commentCount = try fields.number(2)
        try fields.skip(8)
        var offset = try fields.number(4)
        let name = String(decoding: try fields.bytes(nameCount), as: UTF8.self)
        let extra = ZipFields(try fields.bytes(extraCount), path: path)
        try fields.skip(commentCount)
        try extra.widen(&byteCount, &stored, &offset)
        func refuse(_ problem: String) -> FilesError { .malformed(path: path, at: "member \(name)", problem: problem) }
        guard flags & 1 == 0 else { throw refuse("is encrypted; save the archive without a password") }
        guard method == 0 || method == 8 else {
            throw refuse("is compressed by method \(method); save it with numpy.savez or savez_compressed")
        }
        let start = try dataOffset(file, header: offset, limit: limit)
        let (end, overflow) = start.addingReportingOverflow(stored)
        guard !overflow, end <= limit else { throw damaged(path) }
        // 64 more: an empty member has a few compressed bytes.
        let (most, most64) = stored.multipliedReportingOverflow(by: Inflater.expansionMax)
        guard method == 0 ? byteCount == stored : most64 || byteCount <= most + 64 else {
            throw refuse("states \(byteCount) bytes, which its \(stored) stored bytes cannot hold")
        }
        return ZipMember(
            name: name, isDeflated: method == 8, storedByteCount: stored, byteCount: byteCount,
            checksum: UInt32(truncatingIfNeeded: checksum), offset: start)
    }

    private static func dataOffset(
        _ file: borrowing FileHandle, header: UInt64, limit: UInt64
    ) throws(FilesError) -> UInt64 {
        let path = file.path
        guard header < limit else { throw damaged(path) }
        var fields = ZipFields(try bytes(file, at: header, count: 30), path: path)
        guard try fields.number(4) == 0x0403_4b50 else { throw damaged(path) }
        try fields.skip(22)
        return header + 30 + (try fields.number(2)) + (try fields.number(2))
    }
}

/// Little-endian fields of a record, read one after another.
private struct ZipFields {
    private let bytes: [UInt8]
    private let path: String
    private var position = 0

    init(_ bytes: [UInt8], path: String) {
        self.bytes = bytes
        self.path = path
    }

    var remaining: Int { bytes.count - position }

    mutating func number(_ byteCount: Int) throws(FilesError) -> UInt64 {
        try bytes(UInt64(byteCount)).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func bytes(_ byteCount: UInt64) throws(FilesError) -> [UInt8] {
        let start = position
        try skip(byteCount)
        return Array(bytes[start..<position])
    }

    mutating func skip(_ byteCount: UInt64) throws(FilesError) {
        guard byteCount <= UInt64(remaining) else {
            throw .malformed(path: path, at: "", problem: "has a damaged ZIP directory; get or save the file again")
        }
        position += Int(byteCount)
    }

    /// Replaces the numbers that did not fit 32 bits by those of the ZIP64 extra field.
    func widen(_ byteCount: inout UInt64, _ stored: inout UInt64, _ offset: inout UInt64) throws(FilesError) {
        let wide: UInt64 = 0xffff_ffff
        guard byteCount == wide || stored == wide || offset == wide else { return }
        var fields = self
        while fields.remaining >= 4 {
            let kind = try fields.number(2)
            let content = try fields.bytes(try fields.number(2))
            guard kind == 1 else { continue }
            var numbers = ZipFields(content, path: path)
            if byteCount == wide { byteCount = try numbers.number(8) }
            if stored == wide { stored = try numbers.number(8) }
            if offset == wide { offset = try numbers.number(8) }
            return
        }
        throw .malformed(path: path, at: "", problem: "lacks a ZIP64 field; get or save the file again")
    }
}
