// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import TributaryCore
import TributaryFiles
import TributaryProtocol

/// The updates of a process's devices that have no outcome yet, as an `AppendLog`, and the outcomes, as lines.
///
/// One log serves all the devices of a process, so that many updates cost one wait for the disk. Small bodies stand
/// in the log; larger ones are objects that were synced before. What a device settled is a line of the outcomes'
/// file before it leaves the log, so each has one, whenever the process dies.
final class UpdateLog {
    /// The largest body that stands in the log itself, in bytes.
    static let inlineByteCountMax: UInt64 = 256 << 10
    /// A log beyond this size is written anew with what is left, when that is less than half.
    static let byteCountKept: UInt64 = 64 << 20
    /// An outcomes' file beyond this size is set aside when a process starts, in place of the one set aside before.
    static let outcomesByteCountMax = 64 << 20
    /// How much of the outcomes' file may belong to updates that are still in the log.
    private static let outcomesTailByteCount = 4 << 20

    /// An update in the log.
    struct Entry {
        var record: UnsettledUpdate
        /// Where its body is.
        var body: BodyPlace
        /// The place of its record in the log.
        var place: UInt64
        var byteCount: UInt64
    }

    private let store: ObjectStore
    private let log: AppendLog
    private var outcomes: LineFile
    private(set) var entries: [UpdateKey: Entry]
    /// The bytes of `entries` in the log.
    private var liveByteCount: UInt64

    /// Opens the files, or begins them; `suffix` tells those of several processes in one directory apart.
    ///
    /// - Throws: `FilesError.malformed` for a damaged log, `FilesError.system`.
    init(directory: String, suffix: String, store: ObjectStore) throws {
        self.store = store
        let path = "\(directory)/outcomes\(suffix).jsonl"
        try Self.setAside(path)
        outcomes = try LineFile(appendingTo: path)
        let told = try Self.told(outcomes)
        var entries: [UpdateKey: Entry] = [:]
        var fault: FilesError?
        let logPath = "\(directory)/updates\(suffix).log"
        log = try AppendLog(path: logPath, advice: Self.advice) { content, place in
            do {
                try UpdateRecord(content).apply(to: &entries, place, content.count)
            } catch {
                fault = fault ?? .malformed(path: logPath, at: "byte \(place)", problem: "\(error); \(Self.advice)")
            }
        }
        if let fault { throw fault }
        self.entries = entries.filter { !told.contains(OutcomeLine.head(of: $0.key)) }
        liveByteCount = self.entries.values.reduce(0) { $0 + $1.byteCount }
        if log.byteCount > liveByteCount + AppendLog.byteCount(ofRecord: 0) { try rewrite() }
    }

    private static let advice =
        "put back a copy of it, or remove it: its devices then forget which updates they wait to hear of"

    private static func setAside(_ path: String) throws(FilesError) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_size > outcomesByteCountMax else { return }
        guard rename(path, path + ".old") == 0 else { throw .system(action: "set aside", path: path, code: errno) }
    }

    /// The beginnings of the last outcomes' lines.
    private static func told(_ outcomes: borrowing LineFile) throws(FilesError) -> Set<String> {
        let tail = try outcomes.tail(byteCountMax: outcomesTailByteCount)
        return Set(
            tail.split(separator: 10).compactMap { line in
                OutcomeLine.head(ofLine: String(decoding: line, as: UTF8.self))
            })
    }

    /// Brings back the body of an update to the store; `false` when it is lost.
    func restore(_ entry: Entry) throws -> Bool {
        guard let body = entry.record.update.body else { return true }
        switch entry.body {
        case .none: return true
        case .object: return store.contains(body.digest)
        case .here:
            let content = try log.content(at: entry.place)
            return try store.put(Array(try UpdateRecord(content).inlineBody)).digest == body.digest
        }
    }

    // MARK: Writing

    /// Records that are written together, and how far that has come.
    struct Batch {
        var records: [ClientRecord]
        var hasToldOutcomes = false
    }

    /// Writes records and waits for the disk.
    ///
    /// - Throws: `FilesError`; with the same batch it can be tried again when the disk was full.
    func write(_ batch: inout Batch) throws {
        try tellOutcomes(&batch)
        let records = try batch.records.map { try UpdateRecord($0, store) }
        let contents = records.map(\.bytes)
        if records.contains(where: { $0.body == .object }) { try store.syncNames() }
        let places = try log.append(contents)
        // A receipt alone can wait: without it the update is offered once more.
        if batch.records.contains(where: { !$0.isReceipt }) { try log.sync() }
        for (place, content) in zip(places, contents) {
            try UpdateRecord(content).apply(to: &entries, place, content.count)
        }
        liveByteCount = entries.values.reduce(0) { $0 + $1.byteCount }
        if log.byteCount > Self.byteCountKept, liveByteCount * 2 < log.byteCount { try rewrite() }
    }

    private func tellOutcomes(_ batch: inout Batch) throws(FilesError) {
        guard !batch.hasToldOutcomes else { return }
        let lines = batch.records.compactMap { record in
            if case .settled(let update, let outcome) = record { OutcomeLine.text(of: update, outcome) } else { nil }
        }
        if !lines.isEmpty {
            try outcomes.append(lines.joined(separator: "\n"))
            try outcomes.sync()
        }
        batch.hasToldOutcomes = true
    }

    /// Writes the log anew with nothing but what has no outcome.
    private func rewrite() throws {
        let kept = entries.values.sorted { $0.place < $1.place }
        var contents: [[UInt8]] = []
        for entry in kept {
            // Whoever gave a receipt stands in the record itself from now on.
            let old = UpdateRecord(try log.content(at: entry.place))
            contents.append(old.bytes(saying: entry.record))
        }
        let places = try log.replace(with: contents)
        for (position, entry) in kept.enumerated() {
            entries[entry.record.update.key]?.place = places[position]
            entries[entry.record.update.key]?.byteCount = AppendLog.byteCount(ofRecord: contents[position].count)
        }
        liveByteCount = entries.values.reduce(0) { $0 + $1.byteCount }
    }
}

/// Where the body of an update in the log is.
enum BodyPlace: UInt8 {
    case none = 0
    /// In the record.
    case here = 1
    /// An object in the store, synced.
    case object = 2
}

extension ClientRecord {
    var isReceipt: Bool {
        if case .receipted = self { true } else { false }
    }
}
