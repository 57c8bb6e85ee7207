// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TributaryCore
import TributaryCrypto

@testable import TributaryFiles

@Suite struct SegmentLogTests {
    let directory: TemporaryDirectory
    let salt = Digest(words: 1, 2, 3, 4)

    init() throws { directory = try TemporaryDirectory() }

    private func log(_ tail: SegmentLog.Tail = .start, limit: UInt64 = 4096) throws -> SegmentLog {
        try SegmentLog(directory: directory("log"), tail: tail, salt: salt, segmentByteCountMax: limit)
    }

    /// A file of scrambled bytes as a body.
    private func body(_ count: Int, _ seed: UInt64) throws -> (object: ObjectReference, file: MappedFile) {
        let bytes = scrambledBytes(count, seed: seed)
        let path = try directory.write(bytes, as: "body-\(seed)")
        return (ObjectReference(digest: .sha256(of: bytes), byteCount: UInt64(count)), try MappedFile(path: path))
    }

    private func entry(_ seed: Int) throws -> SegmentLog.Entry {
        let head = scrambledBytes(seed * 17 % 200, seed: UInt64(seed))
        let body = seed.isMultiple(of: 3) ? nil : try body(seed * 401 % 3000 + 1, UInt64(seed))
        return SegmentLog.Entry(kind: UInt16(seed), head: head, body: body)
    }

    /// Appends batches of one to three records; every one is accepted.
    private func fill(_ log: SegmentLog, batchCount: Int) throws -> [SegmentRecord] {
        var records: [SegmentRecord] = []
        for batch in 0..<batchCount {
            let entries = try (0...(batch % 3)).map { try entry(records.count + $0 + 1) }
            records += try log.append(entries)
            try log.sync()
            log.accept()
        }
        return records
    }

    @Test func recordsAndBodiesAreReadAsTheyWereWritten() throws {
        let written = try log()
        let records = try fill(written, batchCount: 12)
        #expect(Set(records.map(\.position.segment)).count > 3, "several segments are a part of the test")
        let read = try log(written.tail)
        #expect(try read.recover().isEmpty)
        for record in records {
            #expect(try read.record(at: record.position, checksum: record.checksum) == record)
            #expect(record.position.offset.isMultiple(of: 64) && record.bodyOffset.isMultiple(of: 64))
            guard let body = record.body else { continue }
            let file = try MappedFile(
                path: read.path(ofSegment: record.position.segment), offset: record.bodyOffset,
                byteCount: body.byteCount)
            #expect(file.withUnsafeBytes { Digest.sha256(of: $0) } == body.digest)
        }
    }

    @Test func whatAnIndexDidNotComeToRememberIsFoundWholeOrCutOff() throws {
        let written = try log(limit: 1 << 20)
        let first = try fill(written, batchCount: 3)
        let tail = written.tail
        let batch = try written.append([entry(7), entry(8)])
        try written.sync()
        let path = written.path(ofSegment: 1)
        let whole = try Data(contentsOf: URL(filePath: path))
        let ends = [tail.position.offset] + batch.map(\.end)
        // A file that ends at any byte of the batch: every whole record is there, nothing else.
        for length in Int(ends[0])...whole.count {
            try whole.prefix(length).write(to: URL(filePath: path))
            let again = try log(tail, limit: 1 << 20)
            let found = try again.recover()
            let expected = Array(batch.prefix(ends.dropFirst().count { $0 <= length }))
            #expect(found.map(\.checksum) == expected.map(\.checksum), "\(length) bytes")
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int == Int(ends[found.count]))
        }
        #expect(first.count == 6)
    }

    @Test func aFileThatEndsBeforeTheIndexSaysIsRefusedAndLeftAlone() throws {
        let written = try log(limit: 1 << 20)
        let records = try fill(written, batchCount: 4)
        let last = try #require(records.last)
        let path = written.path(ofSegment: 1)
        let whole = try Data(contentsOf: URL(filePath: path))
        for length in Int(last.position.offset)..<Int(last.end) {
            try whole.prefix(length).write(to: URL(filePath: path))
            let again = try log(written.tail, limit: 1 << 20)
            #expect(throws: FilesError.self) { try again.recover() }
            #expect(try Data(contentsOf: URL(filePath: path)).count == length)
        }
        try FileManager.default.removeItem(atPath: path)
        let again = try log(written.tail)
        #expect(throws: FilesError.self) { try again.recover() }
    }

    @Test func aSwappedOrForeignRecordIsNotTaken() throws {
        let written = try log(limit: 1 << 20)
        _ = try fill(written, batchCount: 2)
        let tail = written.tail
        // Two records of the same size change places.
        let batch = try written.append([.init(kind: 1, head: [1, 2, 3]), .init(kind: 1, head: [4, 5, 6])])
        try written.sync()
        let path = written.path(ofSegment: 1)
        var bytes = try Array(Data(contentsOf: URL(filePath: path)))
        let (first, second) = (Int(batch[0].position.offset), Int(batch[1].position.offset))
        let size = second - first
        let swapped = Array(bytes[second..<(second + size)] + bytes[first..<second])
        bytes.replaceSubrange(first..<(first + 2 * size), with: swapped)
        try Data(bytes).write(to: URL(filePath: path))
        #expect(try log(tail, limit: 1 << 20).recover().isEmpty)
        // A log with another salt writes what this one does not take for its own.
        let other = try SegmentLog(directory: directory("log"), tail: tail, salt: Digest(words: 9, 9, 9, 9))
        _ = try other.append([.init(kind: 1, head: [1])])
        try other.sync()
        #expect(try log(tail, limit: 1 << 20).recover().isEmpty)
    }

    @Test func recordsOfALaterBatchShowThatTheIndexIsOld() throws {
        let written = try log(limit: 1 << 20)
        _ = try fill(written, batchCount: 3)
        let old = written.tail
        _ = try fill(written, batchCount: 2)
        let again = try log(old, limit: 1 << 20)
        #expect(throws: FilesError.self) { try again.recover() }
    }

    @Test func onlySegmentsThatAreNeededStay() throws {
        let written = try log()
        let records = try fill(written, batchCount: 12)
        let all = try written.segments()
        let needed = Set([records[2].position.segment, records[7].position.segment])
        let removed = try written.retain(only: needed)
        #expect(try Set(written.segments()) == needed.union([written.tail.position.segment]))
        #expect(Set(removed) == Set(all).subtracting(try written.segments()))
        #expect(try written.record(at: records[7].position, checksum: records[7].checksum) == records[7])
    }

    @Test(arguments: [FailPoints.Failure.enospc, .eio]) func aBatchThatFailsLeavesNothing(
        _ failure: FailPoints.Failure
    ) throws {
        for point in 1...40 as ClosedRange<UInt64> {
            let place = "log-\(failure)-\(point)"
            let failing = try SegmentLog(
                directory: directory(place), tail: .start, salt: salt, segmentByteCountMax: 2048,
                failPoints: FailPoints(failure, at: point))
            var accepted: [SegmentRecord] = []
            for number in 0..<6 {
                do {
                    let batch = try failing.append([entry(3 * number + 1), entry(3 * number + 2)])
                    try failing.sync()
                    failing.accept()
                    accepted += batch
                } catch {
                    if failure == .eio { break }
                }
            }
            let again = try SegmentLog(directory: directory(place), tail: failing.tail, salt: salt)
            #expect(try again.recover().isEmpty || failure == .eio)
            for record in accepted {
                #expect(try again.record(at: record.position, checksum: record.checksum) == record)
            }
        }
    }
}
