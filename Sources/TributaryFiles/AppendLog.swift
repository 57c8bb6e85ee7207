// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CZlib
internal import Glibc

// The file: the eight bytes "TRIBLOG1", then records. A record: the length of its content (little-endian UInt32), the
// CRC-32 of these four bytes, the CRC-32 of the content (both UInt32), the content, and a byte that is not zero.
//
// A process that dies while it appends leaves the beginning of a record, and a machine that goes down may leave blocks
// of zeros: such a tail was never acknowledged, and is dropped. Anything else that is not as written is damage, which
// is told and never repaired: what was acknowledged would be forgotten silently.

/// A file of checksummed records that only grows; written by one thread, read when it is opened.
package final class AppendLog {
    /// The largest content of a record, in bytes.
    package static let recordByteCountMax = 1 << 24

    private static let magic = Array("TRIBLOG1".utf8)
    private static let headByteCount = 12
    private static let endMark: UInt8 = 0xa5

    /// Where the file lies.
    package let path: String
    /// The file's size in bytes, all complete records.
    package private(set) var byteCount: UInt64 = 0
    private var file: FileHandle
    /// Why nothing can be appended any more.
    private var fault: FilesError?

    /// Opens a log, or begins one, and hands each record's content and place to `read`, in order.
    ///
    /// A tail that was being written is dropped.
    /// `advice`: what to do about a damaged file, for its error.
    /// - Throws: `FilesError.malformed` for a damaged file, `FilesError.system`, or what `read` throws.
    package init(
        path: String, advice: String, _ read: (_ content: [UInt8], _ place: UInt64) throws -> Void
    ) throws {
        self.path = path
        try Directory.create(Directory.parent(of: path))
        file = try FileHandle(opening: path, flags: O_RDWR | O_CREAT, action: "open")
        let size = try file.byteCount()
        var place = try start(size, advice)
        while place < size {
            guard let content = try content(at: place, of: size, advice) else { break }
            try read(content, place)
            place += Self.byteCount(ofRecord: content.count)
        }
        if place < size { try file.resize(to: place) }
        byteCount = place
    }

    /// The size of a record in the file.
    package static func byteCount(ofRecord contentByteCount: Int) -> UInt64 {
        UInt64(headByteCount + contentByteCount + 1)
    }

    // MARK: Reading

    /// Reads or writes the beginning of the file; returns where the records start.
    private func start(_ size: UInt64, _ advice: String) throws(FilesError) -> UInt64 {
        let count = UInt64(Self.magic.count)
        if size >= count {
            guard try file.bytes(Self.magic.count, at: 0) == Self.magic else { throw damage(at: 0, advice) }
        } else {
            // The process died while it made the file.
            guard Self.magic.starts(with: try file.bytes(Int(size), at: 0)) else { throw damage(at: 0, advice) }
            try write(Self.magic, at: 0)
        }
        return count
    }

    /// The content of the record at a place; `nil` when the file ends in the middle of it.
    private func content(at place: UInt64, of size: UInt64, _ advice: String) throws(FilesError) -> [UInt8]? {
        guard size - place >= UInt64(Self.headByteCount) else { return nil }
        let head = try file.bytes(Self.headByteCount, at: place)
        let length = Int(Self.word(head, 0))
        guard Self.word(head, 4) == Self.checksum(Array(head[..<4])) else {
            // Blocks that were never written.
            if head.allSatisfy({ $0 == 0 }), try isZero(from: place, to: size) { return nil }
            throw damage(at: place, advice)
        }
        guard length <= Self.recordByteCountMax else { throw damage(at: place, advice) }
        guard size - place >= Self.byteCount(ofRecord: length) else { return nil }
        var content = try file.bytes(length + 1, at: place + UInt64(Self.headByteCount))
        let mark = content.removeLast()
        guard mark == Self.endMark, Self.word(head, 8) == Self.checksum(content) else {
            let end = place + Self.byteCount(ofRecord: length)
            if mark == 0, try isZero(from: end, to: size) { return nil }
            throw damage(at: place, advice)
        }
        return content
    }

    private func damage(at place: UInt64, _ advice: String) -> FilesError {
        .malformed(path: path, at: "byte \(place)", problem: "the file is damaged; \(advice)")
    }

    private func isZero(from start: UInt64, to end: UInt64) throws(FilesError) -> Bool {
        var place = start
        while place < end {
            let block = try file.bytes(Int(min(end - place, 1 << 16)), at: place)
            guard block.allSatisfy({ $0 == 0 }) else { return false }
            place += UInt64(block.count)
        }
        return true
    }

    /// The content of a record that was read or appended at a place.
    ///
    /// - Throws: `FilesError.malformed` when the file was changed since.
    package func content(at place: UInt64) throws(FilesError) -> [UInt8] {
        let advice = "it was changed while it was in use"
        guard place < byteCount, let content = try content(at: place, of: byteCount, advice) else {
            throw damage(at: place, advice)
        }
        return content
    }

    // MARK: Writing

    /// Appends records and returns their places; `sync` makes them last.
    ///
    /// - Throws: `FilesError.system`; nothing of the records is left then. After a failure that leaves the file in
    ///   doubt, every later call throws it again.
    package func append(_ contents: [[UInt8]]) throws(FilesError) -> [UInt64] {
        if let fault { throw fault }
        var bytes: [UInt8] = []
        var places: [UInt64] = []
        for content in contents {
            places.append(byteCount + UInt64(bytes.count))
            Self.add(content, to: &bytes)
        }
        do throws(FilesError) {
            try write(bytes, at: byteCount)
        } catch {
            do throws(FilesError) { try file.resize(to: byteCount) } catch { fault = error }
            throw error
        }
        byteCount += UInt64(bytes.count)
        return places
    }

    /// Waits until all records are on the disk.
    ///
    /// - Throws: `FilesError.system`; whether they last is not known then, and every later call throws it again.
    package func sync() throws(FilesError) {
        if let fault { throw fault }
        guard fdatasync(file.descriptor) == 0 else {
            let error = FilesError.system(action: "sync", path: path, code: errno)
            fault = error
            throw error
        }
    }

    /// Puts a log with these records in the file's place, durably; returns their places.
    ///
    /// - Throws: `FilesError.system`; the file is as before then.
    package func replace(with contents: [[UInt8]]) throws(FilesError) -> [UInt64] {
        if let fault { throw fault }
        var places: [UInt64] = []
        var place = UInt64(Self.magic.count)
        try AtomicFile.write(to: path) { sink throws(FilesError) in
            try sink.write(Self.magic)
            for content in contents {
                var record: [UInt8] = []
                Self.add(content, to: &record)
                try sink.write(record)
                places.append(place)
                place += UInt64(record.count)
            }
        }
        file = try FileHandle(opening: path, flags: O_RDWR, action: "open")
        byteCount = place
        return places
    }

    private func write(_ bytes: [UInt8], at place: UInt64) throws(FilesError) {
        try bytes.span.bytes.withUnsafeBytes { bytes throws(FilesError) in try file.write(bytes, at: place) }
    }

    private static func add(_ content: [UInt8], to bytes: inout [UInt8]) {
        precondition(content.count <= recordByteCountMax, "a record's content is bounded")
        let length = word(UInt32(content.count))
        bytes.reserveCapacity(bytes.count + headByteCount + content.count + 1)
        bytes += length
        bytes += word(checksum(length))
        bytes += word(checksum(content))
        bytes += content
        bytes.append(endMark)
    }

    private static func word(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) }
    }

    private static func word(_ bytes: [UInt8], _ place: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) }
    }

    /// The CRC-32 of zip and gzip.
    package static func checksum(_ bytes: [UInt8]) -> UInt32 {
        bytes.withUnsafeBufferPointer { buffer in
            UInt32(truncatingIfNeeded: crc32_z(0, buffer.baseAddress, buffer.count))
        }
    }
}
