// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
package import TributaryCore

/// An append-only log of checked records with bodies, in files of bounded size: `<number>.segment`.
///
/// Records are appended in batches; a batch is on the disk once `sync` has returned. What is needed of it is
/// remembered elsewhere, as a `Tail` and positions: the log itself keeps no index. Used by one thread.
package final class SegmentLog {
    /// A segment ends with the record that reaches this size.
    package static let segmentByteCountMax: UInt64 = 64 << 20

    /// What an index remembers of the log's end: everything before is on the disk.
    package struct Tail: Hashable, Sendable {
        /// Where the next record will begin.
        package var position: SegmentRecord.Position
        /// The next record's number.
        package var number: UInt64
        /// The last record's checksum.
        package var checksum: Digest
        /// The last batch.
        package var commit: UInt64
        package init(position: SegmentRecord.Position, number: UInt64, checksum: Digest, commit: UInt64) {
            self.position = position
            self.number = number
            self.checksum = checksum
            self.commit = commit
        }

        /// Of a log without records.
        package static let start = Tail(
            position: .init(segment: 1, offset: 0), number: 1, checksum: Digest(words: 0, 0, 0, 0), commit: 0)
    }

    /// A record to be written.
    package struct Entry {
        package var kind: UInt16
        package var head: [UInt8]
        /// The body's name and its bytes, which are right.
        package var body: (object: ObjectReference, file: MappedFile)?
        package init(kind: UInt16, head: [UInt8], body: (object: ObjectReference, file: MappedFile)? = nil) {
            self.kind = kind
            self.head = head
            self.body = body
        }
    }

    /// An open segment; its descriptor is closed when the last reference ends.
    private final class Segment {
        let number: UInt64
        let file: FileHandle
        init(number: UInt64, file: consuming FileHandle) {
            self.number = number
            self.file = file
        }
    }

    package let directory: String
    private let salt: Digest
    private let segmentByteCountMax: UInt64
    private let failPoints: FailPoints?
    /// The end of what is on the disk.
    private(set) package var tail: Tail
    /// The end of what is written.
    private var draft: Tail
    private var current: Segment?
    /// Segments of the batch under way, oldest first; the last is `current`.
    private var unsynced: [Segment] = []

    /// Opens the log that an index knows up to `tail`; `recover` must be called before the first `append`.
    ///
    /// `salt` is the index's, random, and the same for as long as the log lives.
    /// - Throws: `FilesError.system` when the directory cannot be made.
    package init(
        directory: String, tail: Tail, salt: Digest,
        segmentByteCountMax: UInt64 = SegmentLog.segmentByteCountMax,
        failPoints: FailPoints? = nil
    ) throws(FilesError) {
        try Directory.create(directory)
        self.directory = directory
        self.tail = tail
        self.salt = salt
        self.segmentByteCountMax = segmentByteCountMax
        self.failPoints = failPoints
        draft = tail
    }

    /// The file of a segment.
    package func path(ofSegment number: UInt64) -> String {
        "\(directory)/\(String(repeating: "0", count: max(0, 8 - String(number).count)))\(number).segment"
    }

    /// The numbers of the segments that lie in the directory, lowest first.
    package func segments() throws(FilesError) -> [UInt64] {
        try Directory.names(in: directory).compactMap { name in
            name.hasSuffix(".segment") ? UInt64(name.dropLast(".segment".count)) : nil
        }.sorted()
    }

    private func segment(_ number: UInt64) throws(FilesError) -> Segment {
        if let current, current.number == number { return current }
        return Segment(
            number: number,
            file: try FileHandle(opening: path(ofSegment: number), flags: O_RDWR, action: "open"))
    }
}

// MARK: - Writing

extension SegmentLog {
    /// Writes a batch behind what is there; it lasts once `sync` has returned.
    ///
    /// Nothing of it is left when it fails, unless `cutBack` fails too.
    /// - Throws: `FilesError.system` when the disk is full or fails.
    package func append(_ entries: [Entry]) throws(FilesError) -> [SegmentRecord] {
        var records: [SegmentRecord] = []
        do throws(FilesError) {
            for entry in entries { records.append(try write(entry)) }
        } catch {
            try cutBack()
            throw error
        }
        return records
    }

    private func write(_ entry: Entry) throws(FilesError) -> SegmentRecord {
        if draft.position.offset >= segmentByteCountMax {
            draft.position = .init(segment: draft.position.segment + 1, offset: 0)
        }
        let segment = try openForWriting()
        let record = SegmentRecord(
            position: draft.position, number: draft.number, commit: tail.commit + 1, kind: entry.kind,
            head: entry.head, body: entry.body?.object, previous: draft.checksum, salt: salt)
        let frame = record.frameBytes
        try frame.span.bytes.withUnsafeBytes { bytes throws(FilesError) in
            try segment.file.write(bytes, at: record.position.offset, failPoints)
        }
        if let body = entry.body {
            try body.file.withUnsafeBytes { bytes throws(FilesError) in
                try segment.file.write(bytes, at: record.bodyOffset, failPoints)
            }
            // The padding: the next record begins behind it, and a file that ends here was cut short.
            try segment.file.resize(to: record.end)
        }
        draft.position.offset = record.end
        draft.number += 1
        draft.checksum = record.checksum
        return record
    }

    private func openForWriting() throws(FilesError) -> Segment {
        let number = draft.position.segment
        if let current, current.number == number {
            if unsynced.isEmpty { unsynced = [current] }
            return current
        }
        let path = path(ofSegment: number)
        if draft.position.offset == 0 { try failPoints?.pass(.write, path) }
        let file = try FileHandle(opening: path, flags: O_RDWR | O_CREAT, action: "create")
        let segment = Segment(number: number, file: file)
        current = segment
        unsynced.append(segment)
        return segment
    }

    /// Waits until what was appended is on the disk, and counts it as a batch.
    ///
    /// After an error nothing is known of what is on the disk: the log must not be used any more.
    /// - Throws: `FilesError.system` when the disk fails.
    package func sync() throws(FilesError) {
        for segment in unsynced { try segment.file.syncData(failPoints) }
        if draft.position.segment != tail.position.segment || tail.position.offset == 0 {
            try failPoints?.pass(.sync, directory)
            try Directory.sync(directory)
        }
        unsynced = []
        draft.commit = tail.commit + 1
    }

    /// The end that an index has to remember for the batch that `sync` made last.
    package var syncedTail: Tail { draft }

    /// The index remembers the batch: it cannot be cut back any more.
    package func accept() { tail = draft }

    /// Removes what was appended since the index's last batch.
    ///
    /// - Throws: `FilesError.system` when it could not be removed; the log must not be used any more.
    package func cutBack() throws(FilesError) {
        let numbers = try segments().filter { $0 > tail.position.segment }
        for number in numbers { try Directory.remove(path(ofSegment: number)) }
        if Directory.exists(path(ofSegment: tail.position.segment)) {
            try segment(tail.position.segment).file.resize(to: tail.position.offset)
        }
        current = nil
        unsynced = []
        draft = tail
    }

    /// Removes every segment but the last and those listed.
    ///
    /// - Returns: the segments that were removed.
    /// - Throws: `FilesError.system` when one cannot be removed.
    @discardableResult
    package func retain(only numbers: Set<UInt64>) throws(FilesError) -> [UInt64] {
        let removable = try segments().filter { $0 < tail.position.segment && !numbers.contains($0) }
        for number in removable { try Directory.remove(path(ofSegment: number)) }
        return removable
    }
}

// MARK: - Reading

extension SegmentLog {
    /// The record at a place, which the index has by this checksum, with its body verified.
    ///
    /// - Throws: `FilesError.malformed` with the place when it is not there as it was written.
    package func record(at position: SegmentRecord.Position, checksum: Digest) throws(FilesError) -> SegmentRecord {
        let segment = try readable(position)
        guard let record = try SegmentRecord.read(segment.file, at: position, salt: salt), record.checksum == checksum
        else {
            throw damaged(position, "the record is not as it was written")
        }
        guard try record.hasRightBody(in: segment.file) else {
            throw damaged(position, "the record's body is not as it was written")
        }
        return record
    }

    private func readable(_ position: SegmentRecord.Position) throws(FilesError) -> Segment {
        guard Directory.exists(path(ofSegment: position.segment)) else {
            throw damaged(position, "the file is missing")
        }
        let segment = try segment(position.segment)
        if current == nil { current = segment }
        if current?.number != segment.number { current = segment }
        return segment
    }

    /// What is wrong at a place of the log, and what can be done: nothing is repaired.
    package func damaged(_ position: SegmentRecord.Position, _ problem: String) -> FilesError {
        .malformed(
            path: path(ofSegment: position.segment), at: "offset \(position.offset)",
            problem: problem + "; nothing was changed. Put the file back from a backup, or move the node's state "
                + "directory away to start anew: what it had promised to its children is lost then")
    }

    /// Reads what follows the index's tail: whole records of the batch that the index did not come to remember.
    ///
    /// What is torn behind them is cut off. They become a batch by `accept`, once the index has them.
    /// - Throws: `FilesError.malformed` when the log is shorter than the index says, or when it goes on for longer
    ///   than one batch: the index has lost what it knew then.
    package func recover() throws(FilesError) -> [SegmentRecord] {
        let position = tail.position
        if tail.number > 1 {
            guard Directory.exists(path(ofSegment: position.segment)) else {
                throw damaged(position, "the file is missing")
            }
            guard try segment(position.segment).file.byteCount() >= position.offset else {
                throw damaged(position, "the file ends before what the index says was written")
            }
        }
        let numbers = Set(try segments())
        var records: [SegmentRecord] = []
        draft = tail
        while numbers.contains(draft.position.segment) {
            let file = try segment(draft.position.segment)
            if try take(file, into: &records) { continue }
            guard draft.position.segment < .max, numbers.contains(draft.position.segment + 1),
                try file.file.byteCount() == draft.position.offset
            else { break }
            draft.position = .init(segment: draft.position.segment + 1, offset: 0)
        }
        try refuseLaterBatches(in: numbers)
        try cutTorn(numbers)
        return records
    }

    /// Takes the next record of a segment; false when none begins there.
    private func take(_ segment: Segment, into records: inout [SegmentRecord]) throws(FilesError) -> Bool {
        guard let record = try SegmentRecord.read(segment.file, at: draft.position, salt: salt) else { return false }
        guard record.number == draft.number, record.previous == draft.checksum, record.commit == tail.commit + 1,
            try segment.file.byteCount() >= record.end, try record.hasRightBody(in: segment.file)
        else { return false }
        records.append(record)
        draft.position.offset = record.end
        draft.number += 1
        draft.checksum = record.checksum
        return true
    }

    /// Looks for records that only a batch after the next could have written.
    private func refuseLaterBatches(in numbers: Set<UInt64>) throws(FilesError) {
        for number in numbers.sorted() where number >= draft.position.segment {
            let segment = try segment(number)
            let end = try segment.file.byteCount()
            var offset = number == draft.position.segment ? draft.position.offset : 0
            while offset + UInt64(SegmentRecord.frameByteCount) <= end {
                let place = SegmentRecord.Position(segment: number, offset: offset)
                if let record = try SegmentRecord.read(segment.file, at: place, salt: salt) {
                    guard record.commit <= tail.commit + 1 else {
                        throw damaged(
                            place,
                            "the index has lost batches: it ends with \(tail.commit) "
                                + "where batch \(record.commit) follows")
                    }
                    offset = max(record.end, offset + SegmentRecord.alignment)
                } else {
                    offset += SegmentRecord.alignment
                }
            }
        }
    }

    private func cutTorn(_ numbers: Set<UInt64>) throws(FilesError) {
        for number in numbers where number > draft.position.segment {
            try Directory.remove(path(ofSegment: number))
        }
        guard numbers.contains(draft.position.segment) else { return }
        let segment = try segment(draft.position.segment)
        if try segment.file.byteCount() > draft.position.offset {
            try segment.file.resize(to: draft.position.offset)
        }
        current = segment
        // What was found is whole, but may not be on the disk yet.
        unsynced = []
        for number in numbers.sorted() where (tail.position.segment...draft.position.segment).contains(number) {
            unsynced.append(number == segment.number ? segment : try self.segment(number))
        }
    }
}
