// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TributaryCore
import TributaryCrypto
import TributaryProtocol

@testable import TributaryClient
@testable import TributaryFiles

@Suite struct UpdateLogTests {
    private static let run = RunID("plant-1")

    /// A directory with the files of a process, opened again and again.
    private final class Place {
        let path = NSTemporaryDirectory() + "/tributary-\(UUID().uuidString)"
        var log: String { path + "/updates.log" }
        var lines: [String] {
            let text = (try? String(contentsOfFile: path + "/outcomes.jsonl", encoding: .utf8)) ?? ""
            return text.split(separator: "\n").map { String($0) }
        }
        deinit { try? FileManager.default.removeItem(atPath: path) }

        func open<Result>(_ body: (UpdateLog, ObjectStore) throws -> Result) throws -> Result {
            let store = try ObjectStore(directory: path + "/objects")
            return try body(UpdateLog(directory: path, suffix: "", store: store), store)
        }
    }

    private func update(_ sequence: UInt64, _ body: ObjectReference?, node: String = "d-0") -> UnsettledUpdate {
        let metrics = [MetricCounter(name: "train.loss", numerator: 5, denominator: 2)]
        return UnsettledUpdate(
            update: Update(
                key: UpdateKey(node: NodeName(node), sequence: sequence),
                number: RoundNumber(round: UInt32(sequence) + 1), base: Digest.sha256(of: [1]),
                groups: [.init(weight: 60, encoding: .float32, byteCount: body?.byteCount ?? 4)], metrics: metrics,
                body: body),
            run: Self.run, parent: NodeName("east"), isBound: true, holders: [NodeName("east"), NodeName("west")])
    }

    private func write(_ records: [ClientRecord], to log: UpdateLog) throws {
        var batch = UpdateLog.Batch(records: records)
        try log.write(&batch)
    }

    @Test("an update is there for the next process: its frame, its body, its receipt, whom it was offered to")
    func theNextProcess() throws {
        let place = Place()
        let small = [UInt8](repeating: 7, count: 1000)
        let large = [UInt8](repeating: 8, count: Int(UpdateLog.inlineByteCountMax) + 4)
        var expected: [UnsettledUpdate] = []
        try place.open { log, store in
            expected = [update(0, try store.put(small)), update(1, try store.put(large)), update(2, nil)]
            try write(expected.map { .made($0) }, to: log)
            expected[1].receipt = .disk
            try write([.receipted(expected[1].update.key, .disk)], to: log)
            // The small body needs no file of its own.
            try store.remove(Digest.sha256(of: small))
        }
        for _ in 0..<3 {
            try place.open { log, store in
                let entries = log.entries.values.sorted {
                    $0.record.update.key.sequence < $1.record.update.key.sequence
                }
                #expect(entries.map(\.record) == expected)
                #expect(entries.map(\.body) == [.here, .object, .none])
                for entry in entries { #expect(try log.restore(entry)) }
                #expect(store.contains(Digest.sha256(of: small)) && store.contains(Digest.sha256(of: large)))
                try store.remove(Digest.sha256(of: small))
            }
        }
    }

    @Test("an outcome is a line that people can read, and the update is gone")
    func anOutcome() throws {
        let place = Place()
        try place.open { log, _ in
            var kept = update(4, nil)
            try write([.made(kept), .made(update(5, nil)), .made(update(4, nil, node: "d-1"))], to: log)
            kept.receipt = .disk
            try write([.settled(kept, .committed(contributorCount: 12))], to: log)
            try write([.settled(update(5, nil), .failed(.late))], to: log)
        }
        let start =
            "{\"node\":\"d-0\",\"sequence\":4,\"run\":\"plant-1\",\"round\":5,\"edge_round\":1,"
            + "\"outcome\":\"committed\",\"contributors\":12,\"receipt\":\"disk\",\"parent\":\"west\",\"time\":\"20"
        #expect(place.lines.count == 2)
        #expect(place.lines[0].hasPrefix(start), "\(place.lines)")
        #expect(place.lines[1].contains("\"sequence\":5,") && place.lines[1].contains("\"reason\":\"update.late\""))
        for line in place.lines { #expect(try JSONSerialization.jsonObject(with: Data(line.utf8)) is [String: Any]) }
        try place.open { log, _ in #expect(log.entries.keys.map(\.node.value) == ["d-1"]) }
    }

    @Test("a process that dies between an outcome's line and the log's record leaves one line for it")
    func oneLine() throws {
        let place = Place()
        let record = update(1, nil)
        try place.open { log, _ in try write([.made(record), .made(update(10, nil))], to: log) }
        let before = try Data(contentsOf: URL(filePath: place.log))
        try place.open { log, _ in try write([.settled(record, .failed(.roundFailed))], to: log) }
        try before.write(to: URL(filePath: place.log))
        try place.open { log, _ in #expect(log.entries.keys.map(\.sequence) == [10]) }
        // A line that was cut short is none: it is told again.
        let outcomes = URL(filePath: place.path + "/outcomes.jsonl")
        try Data(try Data(contentsOf: outcomes).dropLast(5)).write(to: outcomes)
        try before.write(to: URL(filePath: place.log))
        try place.open { log, _ in
            #expect(Set(log.entries.keys.map(\.sequence)) == [1, 10])
            try write([.settled(record, .failed(.roundFailed))], to: log)
        }
        #expect(place.lines.count == 1)
    }

    @Test("the log is written anew when most of it has its outcome")
    func rewriting() throws {
        let place = Place()
        let body = [UInt8](repeating: 3, count: 200_000)
        try place.open { log, store in
            let object = try store.put(body)
            var kept = update(0, object, node: "kept")
            try write([.made(kept)], to: log)
            kept.receipt = .disk
            try write([.receipted(kept.update.key, .disk)], to: log)
            var largest: UInt64 = 0
            for sequence in 0..<400 as Range<UInt64> {
                try write([.made(update(sequence, object))], to: log)
                try write([.settled(update(sequence, object), .failed(.late))], to: log)
                let size = try FileManager.default.attributesOfItem(atPath: place.log)[.size] as? UInt64 ?? 0
                largest = max(largest, size)
            }
            #expect(largest < UpdateLog.byteCountKept + 300_000)
            #expect(log.entries.values.map(\.record) == [kept])
            try store.remove(object.digest)
        }
        try place.open { log, store in
            let entry = try #require(log.entries.values.first)
            #expect(entry.record.receipt == .disk)
            #expect(try log.restore(entry))
            #expect(try store.mapped(Digest.sha256(of: body)).byteCount == body.count)
            let size = try FileManager.default.attributesOfItem(atPath: place.log)[.size] as? UInt64 ?? 0
            #expect(size < 300_000, "a process that starts writes down what is left, and nothing else")
        }
    }

    @Test("a damaged log is not opened, and its error says which file and what to do")
    func damage() throws {
        let place = Place()
        try place.open { log, store in
            try write([.made(update(0, try store.put([1, 2, 3, 4]))), .made(update(1, nil))], to: log)
        }
        var bytes = try Data(contentsOf: URL(filePath: place.log))
        bytes[60] ^= 4
        try bytes.write(to: URL(filePath: place.log))
        let error = #expect(throws: FilesError.self) { try place.open { _, _ in } }
        let text = error?.description ?? ""
        #expect(text.contains(place.log) && text.contains("damaged") && text.contains("put back a copy"), "\(text)")
        #expect(try Data(contentsOf: URL(filePath: place.log)) == bytes)
    }

    @Test("any bytes of a record are read, or are an error")
    func anyBytes() throws {
        let store = try ObjectStore(directory: Place().path + "/objects")
        let bytes = try UpdateRecord(.made(update(3, nil)), store).bytes
        var entries: [UpdateKey: UpdateLog.Entry] = [:]
        var errorCount = 0
        for place in bytes.indices {
            for value in [0, 1, 2, 3, 127, 255] as [UInt8] {
                var changed = bytes
                changed[place] = value
                do { try UpdateRecord(changed).apply(to: &entries, 0, changed.count) } catch { errorCount += 1 }
            }
            do { try UpdateRecord(Array(bytes[..<place])).apply(to: &entries, 0, place) } catch { errorCount += 1 }
        }
        #expect(errorCount > bytes.count)
    }
}
