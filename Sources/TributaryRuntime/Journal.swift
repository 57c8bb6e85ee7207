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
    /// A record; its body moves from the store into the journal with it.
    package struct Entry {
        package var record: JournalRecord
        /// Objects that hold the optimizer's state after a step.
        package var state: [ObjectReference]
        package init(_ record: JournalRecord, state: [ObjectReference] = []) {
            self.record = record
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
    /// Whether the next record begins a run, whatever there was.
    private var isAnew = false

    /// What the last run left, when there was one.
    private(set) package var memory: RunMemory?

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

    /// Nothing of the last run is needed any more.
    package var isOver: Bool { index.state?.isOver ?? true }

    /// Objects that hold the optimizer's state after the last step.
    package var optimizerState: [ObjectReference] { index.state?.optimizer ?? [] }

    // MARK: Opening

    private func restore() throws(FilesError) {
        // Whatever the index names is verified before anything is adopted: damage changes nothing.
        var entries = try index.entries()
        var places: [(Digest, ObjectStore.Place)] = []
        for entry in entries { if let place = try verified(entry) { places.append(place) } }
        let adopted = try log.recover()
        if !adopted.isEmpty {
            var batch: [(SegmentRecord, JournalIndex.Meaning)] = []
            for record in adopted { batch.append((record, try meaning(record.kind, record.head))) }
            try log.sync()
            try index.take(batch, tail: log.syncedTail)
            log.accept()
            places += adopted.compactMap { place($0) }
            entries = try index.entries()
        }
        let needed = Set(entries.compactMap { $0.body?.digest })
        try log.retain(only: try index.segments())
        guard let state = index.state, !state.run.isEmpty else { return }
        store.place(places.filter { needed.contains($0.0) })
        var memory = RunMemory(run: RunID(state.run))
        for entry in entries { try replay(entry, &memory) }
        self.memory = memory
    }

    private func verified(_ entry: JournalIndex.Entry) throws(FilesError) -> (Digest, ObjectStore.Place)? {
        guard entry.body != nil else { return nil }
        let record = try log.record(at: entry.position, checksum: entry.checksum)
        guard record.kind == entry.kind, record.body == entry.body, entry.head == record.head else {
            throw log.damaged(entry.position, "the record is not the one that the index means")
        }
        return place(record)
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

    private func replay(_ entry: JournalIndex.Entry, _ memory: inout RunMemory) throws(FilesError) {
        guard case .record(let record) = try meaning(entry.kind, entry.head) else { return }
        guard case .answered(let message) = record, entry.round != memory.open.last?.number else {
            return memory.apply(record)
        }
        // The round that it is about is over: it must not pass for an answer about one that is still open.
        memory.answer = message
        if case .update(let update) = message { memory.sequence = max(memory.sequence, update.key.sequence + 1) }
    }

    // MARK: Whose it is

    /// Takes the journal for a node that was started with what `digest` says; a run that is not over goes on.
    ///
    /// A run that is over makes room for a new one when `startsRuns`, or when anything differs.
    /// - Throws: `FilesError.malformed` when the run under way is another node's or was started with something else.
    package func claim(node: NodeName, digest: Digest, startsRuns: Bool) throws(FilesError) {
        owner = (node.value, digest)
        guard let state = index.state, !state.run.isEmpty else { return }
        let isSame = state.node == node.value && state.owner == digest
        if state.isOver {
            guard startsRuns || !isSame else { return }
            memory = nil
            isAnew = true
            return
        }
        guard state.node == node.value else {
            throw refused("it is the journal of '\(state.node)', whose run '\(state.run)' is not over")
        }
        guard isSame else {
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
        if index.state?.run != run.value || isAnew { batch.append(beginning(of: run)) }
        try syncObjects(of: entries)
        for entry in entries {
            let body = try entry.record.body.map { object throws(FilesError) in
                (object, try store.mapped(object.digest))
            }
            let head = entry.record.head(state: entry.state)
            // What could not be read again would be no promise, and keep the node from starting.
            _ = try meaning(entry.record.kind, head)
            batch.append(
                (SegmentLog.Entry(kind: entry.record.kind, head: head, body: body), .record(entry.record)))
        }
        let mayUseReserve = entries.allSatisfy { $0.record.body == nil }
        do {
            try write(batch, mayUseReserve: mayUseReserve)
        } catch {
            if !error.isOutOfSpace { failure = error }
            throw error
        }
        isAnew = false
        try tidy(after: entries)
    }

    /// What a record stands on is on the disk before it.
    private func syncObjects(of entries: [Entry]) throws(FilesError) {
        do throws(FilesError) {
            let objects = entries.flatMap { $0.record.objects + $0.state.map(\.digest) }
            try store.sync(objects.filter { store.contains($0) })
        } catch {
            failure = error
            throw error
        }
    }

    /// Says that the run is over, unless something of an open round is promised.
    ///
    /// - Throws: as `append`.
    package func end() throws(FilesError) {
        if let failure { throw failure }
        guard index.state?.isOver == false, !isAnew, try !index.hasOpenRound() else { return }
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

    /// How a round ended for a contribution that has a receipt; `nil` while it is open, and for all others.
    package func end(of subject: Refuse.Subject, in number: RoundNumber) throws(FilesError) -> RoundClosed? {
        try index.end(of: subject, in: number)
    }
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
