// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
package import TributaryFiles
package import TributaryProtocol

/// What an aggregator promised, on disk: records in checked segments with their bodies, and an SQLite index of them.
///
/// The order that makes it hold: record and body are appended, the segment is on the disk, the index is committed, and
/// only then does anybody hear of it. What a crash leaves behind that order is either whole, and adopted, or torn, and
/// cut off: nobody was told of it. Everything else that is not as it was written is damage, and ends the node: nothing
/// is repaired silently. Used by one queue.
package final class Journal {
    /// A record with what has to be as durable as itself.
    package struct Entry {
        package var record: JournalRecord
        /// The object that is the record's body: it moves from the store into the journal.
        package var body: ObjectReference?
        /// Objects that hold the optimizer's state after a step.
        package var state: [ObjectReference]
        package init(_ record: JournalRecord, body: ObjectReference? = nil, state: [ObjectReference] = []) {
            self.record = record
            self.body = body
            self.state = state
        }
    }

    /// Room kept for records without bodies: a round can end on a disk that is full.
    private static let reserveByteCount: UInt64 = 512 << 10

    private let directory: String
    private let store: ObjectStore
    private let index: JournalIndex
    private let log: SegmentLog
    private let reserve: ReserveFile
    /// Why nothing can be promised any more.
    private var failure: FilesError?
    private var owner: (node: String, digest: Digest)?

    /// What the run that was under way left, when there is one.
    private(set) package var memory: RunMemory?
    /// Objects that hold the optimizer's state after the last step that `memory` knows.
    private(set) package var optimizerState: [ObjectReference] = []

    /// Opens or makes a node's journal; verifies everything that a restart needs, and reads it.
    ///
    /// Bodies become objects of `store`, which read them where they lie.
    /// - Throws: `FilesError` with the file, the place and what to do when something is damaged or missing.
    package init(
        directory: String, store: ObjectStore, segmentByteCountMax: UInt64 = SegmentLog.segmentByteCountMax,
        failPoints: FailPoints? = nil
    ) throws(FilesError) {
        try Directory.create(directory)
        self.directory = directory
        self.store = store
        let path = "\(directory)/journal.sqlite"
        let hasSegments = try Directory.names(in: directory).contains { $0.hasSuffix(".segment") }
        guard Directory.exists(path) || !hasSegments else { throw JournalIndex.damaged(path, "the file is missing") }
        index = try JournalIndex(path: path, failPoints: failPoints)
        if index.state == nil {
            guard !hasSegments else { throw JournalIndex.damaged(path, "it is empty, though there are segments") }
            try index.create(salt: Self.makeSalt())
            try Directory.sync(directory)
        }
        guard let state = index.state else { preconditionFailure("an index that was created has a state") }
        log = try SegmentLog(
            directory: directory, tail: state.tail, salt: state.salt, segmentByteCountMax: segmentByteCountMax,
            failPoints: failPoints)
        reserve = ReserveFile(path: "\(directory)/reserve", byteCount: Self.reserveByteCount)
        try restore()
    }

    private static func makeSalt() -> Digest {
        var random = SystemRandomNumberGenerator()
        return Digest(words: random.next(), random.next(), random.next(), random.next())
    }

    // MARK: Opening

    private func restore() throws(FilesError) {
        // Whatever the index names is verified before anything is adopted: damage changes nothing.
        var known: [(kind: UInt16, head: [UInt8], place: (Digest, ObjectStore.Place)?)] = []
        for entry in try index.entries() { known.append(try verified(entry)) }
        let adopted = try log.recover()
        if !adopted.isEmpty {
            var batch: [(SegmentRecord, JournalIndex.Meaning)] = []
            for record in adopted { batch.append((record, try meaning(record.kind, record.head))) }
            try log.sync()
            try index.take(batch, tail: log.syncedTail)
            log.accept()
            known = []
            for entry in try index.entries() { known.append(try verified(entry)) }
        }
        try log.retain(only: try index.segments())
        guard let state = index.state, !state.isOver else { return }
        store.place(known.compactMap(\.place))
        var memory = RunMemory(run: RunID(state.run))
        for (kind, head, _) in known { try replay(kind, head, &memory) }
        self.memory = memory
    }

    private func verified(
        _ entry: JournalIndex.Entry
    ) throws(FilesError) -> (UInt16, [UInt8], (Digest, ObjectStore.Place)?) {
        if entry.body == nil, let head = entry.head { return (entry.kind, head, nil) }
        let record = try log.record(at: entry.position, checksum: entry.checksum)
        guard record.kind == entry.kind, record.body == entry.body, entry.head == nil || entry.head == record.head
        else { throw log.damaged(entry.position, "the record is not the one that the index means") }
        return (record.kind, record.head, place(record))
    }

    private func place(_ record: SegmentRecord) -> (Digest, ObjectStore.Place)? {
        record.body.map { body in
            let path = log.path(ofSegment: record.position.segment)
            return (
                body.digest, ObjectStore.Place(path: path, offset: record.bodyOffset, byteCount: body.byteCount)
            )
        }
    }

    private func meaning(_ kind: UInt16, _ head: [UInt8]) throws(FilesError) -> JournalIndex.Meaning {
        do {
            switch kind {
            case JournalEntryKind.begun:
                var reader = JournalReader(head)
                return .begun(run: try reader.text(), node: try reader.text(), owner: try reader.digest())
            case JournalEntryKind.ended: return .ended
            default: return .record(try JournalRecord(kind: kind, head: head))
            }
        } catch {
            throw JournalIndex.damaged(index.path, "a record cannot be read: \(error)")
        }
    }

    private func replay(_ kind: UInt16, _ head: [UInt8], _ memory: inout RunMemory) throws(FilesError) {
        guard case .record(let record) = try meaning(kind, head) else { return }
        memory.apply(record)
        switch record {
        case .assigned: optimizerState = []
        case .stepped: optimizerState = (try? JournalRecord.state(head: head)) ?? []
        default: break
        }
    }

    // MARK: Whose it is

    /// Takes the journal for a node that was started with what `digest` says; a run that is under way goes on.
    ///
    /// A run that is over makes room for a new one, whatever it was.
    /// - Throws: `FilesError.malformed` when the run under way is another node's or was started with something else.
    package func claim(node: NodeName, digest: Digest) throws(FilesError) {
        owner = (node.value, digest)
        guard let state = index.state, !state.isOver else { return }
        guard state.node == node.value else {
            throw refused("it is the journal of '\(state.node)', whose run '\(state.run)' is not over")
        }
        guard state.owner == digest else {
            throw refused("the run '\(state.run)' is not over, and was started with another topology, seed or rounds")
        }
    }

    private func refused(_ problem: String) -> FilesError {
        .malformed(
            path: directory, at: "",
            problem: problem + "; start the node as it was started then, or give it another state directory (--state)")
    }

    // MARK: Writing

    /// Makes records of a run durable: all of them, or none.
    ///
    /// The first record of another run ends the one before, and all that was promised in it.
    /// - Throws: `FilesError`, `isOutOfSpace` when nothing was written for want of room and it may be tried again;
    ///   after any other error nothing is durable any more, and every later call throws the same.
    package func append(_ entries: [Entry], of run: RunID) throws(FilesError) {
        if let failure { throw failure }
        var batch: [(SegmentLog.Entry, JournalIndex.Meaning)] = []
        if index.state?.run != run.value || index.state?.isOver == true { batch.append(beginning(of: run)) }
        for entry in entries {
            let body = try entry.body.map { object throws(FilesError) in (object, try store.mapped(object.digest)) }
            batch.append(
                (
                    SegmentLog.Entry(kind: entry.record.kind, head: entry.record.head(state: entry.state), body: body),
                    .record(entry.record)
                ))
        }
        let mayUseReserve = entries.allSatisfy { $0.body == nil }
        do {
            try write(batch, mayUseReserve: mayUseReserve)
        } catch {
            if !error.isOutOfSpace { failure = error }
            throw error
        }
        try tidy(after: entries)
    }

    /// Nothing of the run is needed any more: the next start begins anew.
    ///
    /// - Throws: as `append`.
    package func end() throws(FilesError) {
        if let failure { throw failure }
        guard index.state?.isOver == false else { return }
        do {
            try write([(SegmentLog.Entry(kind: JournalEntryKind.ended, head: []), .ended)], mayUseReserve: true)
        } catch {
            if !error.isOutOfSpace { failure = error }
            throw error
        }
    }

    private func beginning(of run: RunID) -> (SegmentLog.Entry, JournalIndex.Meaning) {
        guard let owner else { preconditionFailure("a journal is claimed before it is written") }
        var head = JournalBytes()
        head.put(run.value)
        head.put(owner.node)
        head.put(owner.digest)
        return (
            SegmentLog.Entry(kind: JournalEntryKind.begun, head: head.all),
            .begun(run: run.value, node: owner.node, owner: owner.digest)
        )
    }

    private func write(
        _ batch: [(SegmentLog.Entry, JournalIndex.Meaning)], mayUseReserve: Bool
    ) throws(FilesError) {
        reserve.fill()
        do throws(FilesError) {
            try writeOnce(batch)
        } catch {
            guard error.isOutOfSpace, mayUseReserve, reserve.release() else { throw error }
            try writeOnce(batch)
        }
    }

    private func writeOnce(_ batch: [(SegmentLog.Entry, JournalIndex.Meaning)]) throws(FilesError) {
        let records = try log.append(batch.map(\.0))
        do throws(FilesError) {
            try log.sync()
        } catch {
            // Whatever the reason: what is on the disk is not known, so that it must not be tried again.
            throw error.isOutOfSpace ? .system(action: "sync", path: directory, code: 5) : error
        }
        do throws(FilesError) {
            try index.take(Array(zip(records, batch.map(\.1))), tail: log.syncedTail)
        } catch {
            if error.isOutOfSpace { try log.cutBack() }
            throw error
        }
        log.accept()
        store.place(records.compactMap { place($0) })
    }

    /// Gives back the room of what a restart does not need any more.
    private func tidy(after entries: [Entry]) throws(FilesError) {
        let mayFree = entries.contains { entry in
            switch entry.record {
            case .closed, .opened: true
            default: false
            }
        }
        guard mayFree else { return }
        for number in try log.retain(only: try index.segments()) { store.leave(path: log.path(ofSegment: number)) }
    }

    // MARK: Looking up

    /// The round of an update that the journal has a record of, and how that ended; `nil` when it knows of none.
    package func outcome(
        of key: UpdateKey
    ) throws(FilesError) -> (number: RoundNumber, isExcluded: Bool, end: RoundClosed?)? {
        try index.contribution(key).map { ($0.number, $0.isExcluded, $0.end) }
    }

    /// How a round ended; `nil` when it did not, or too long ago.
    package func end(of number: RoundNumber) throws(FilesError) -> RoundClosed? { try index.end(of: number) }
}

/// A file that only takes room, so that there is some when a disk is full.
final class ReserveFile {
    private let path: String
    private let byteCount: UInt64
    private var isFull = false

    init(path: String, byteCount: UInt64) {
        self.path = path
        self.byteCount = byteCount
    }

    /// Takes the room when it can be had.
    func fill() {
        if isFull { return }
        isFull = (try? FreeSpace.occupy(byteCount, with: path)) != nil
    }

    /// Gives the room back; false when there is none.
    func release() -> Bool {
        guard isFull else { return false }
        isFull = false
        return (try? FreeSpace.vacate(path)) != nil
    }
}
