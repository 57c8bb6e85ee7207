// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import GRDB
import Glibc
import TributaryCore
import TributaryCrypto
import TributaryFiles
import TributaryProtocol

/// An SQLite file of what a journal knows of its records: which are needed, where they lie, how contributions ended.
///
/// Every change is one transaction that is on the disk when it returns (write-ahead log, `synchronous = FULL`). Rows
/// bear checksums, and the single row of `state` a checksum over all of them.
final class JournalIndex {
    /// The single row of the table `state`.
    struct State: Hashable {
        var salt: Digest
        var tail = SegmentLog.Tail.start
        /// Whose journal it is; empty before the first run.
        var node = ""
        /// What the node was started with: a digest of the topology, at the root with seed and rounds.
        var owner = Digest(words: 0, 0, 0, 0)
        var run = ""
        /// Nothing of the run is needed any more.
        var isOver = true
        /// The objects that hold the optimizer's state after the last step.
        var optimizer: [ObjectReference] = []
        var rows = RowSet()
    }

    /// A row of the table `record`.
    struct Entry: Hashable {
        var kind: UInt16
        var position: SegmentRecord.Position
        var checksum: Digest
        var head: [UInt8]
        var body: ObjectReference?
        /// The round that it belongs to until that is over.
        var round: RoundNumber?
    }

    /// What a record of the log means.
    enum Meaning {
        case begun(run: String, node: String, owner: Digest)
        case ended
        case record(JournalRecord)
    }

    /// Rounds whose contributions are remembered when their outcome is known.
    static let roundCountMax = 64

    let path: String
    private let queue: DatabaseQueue
    private let failPoints: FailPoints?
    private(set) var state: State?

    /// Opens or makes the file, and verifies every row of it.
    ///
    /// - Throws: `FilesError` when it is damaged, or cannot be read.
    init(path: String, failPoints: FailPoints?) throws(FilesError) {
        self.path = path
        self.failPoints = failPoints
        do {
            var configuration = Configuration()
            configuration.prepareDatabase { database in
                // Exclusive: no shared memory file, and nobody else looks at half of what there is.
                try database.execute(
                    sql: """
                        PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
                        PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF
                        """)
            }
            queue = try DatabaseQueue(path: path, configuration: configuration)
            state = try queue.read(Self.load)
        } catch {
            throw Self.translated(error, path)
        }
    }

    private static func load(_ database: Database) throws -> State? {
        guard try database.tableExists("state") else { return nil }
        let verdict = try String.fetchAll(database, sql: "PRAGMA quick_check(4)")
        guard verdict == ["ok"] else { throw JournalBytes.Flaw(text: verdict.joined(separator: "; ")) }
        let rows = try Row.fetchAll(database, sql: "SELECT head, sum FROM state")
        guard rows.count == 1, let head = Data.fromDatabaseValue(rows[0][0]),
            let sum = Data.fromDatabaseValue(rows[0][1]), Digest(sum) == Digest.sha256(of: Array(head))
        else { throw JournalBytes.Flaw(text: "the table 'state' is not as it was written") }
        var reader = JournalReader(Array(head))
        return try State(&reader)
    }

    // MARK: Errors

    /// An error of SQLite as one of files: full, failing, or damaged.
    static func translated(_ error: any Error, _ path: String) -> FilesError {
        if let error = error as? FilesError { return error }
        guard let error = error as? DatabaseError else { return damaged(path, "\(error)") }
        switch error.resultCode {
        case .SQLITE_FULL: return .system(action: "commit to", path: path, code: ENOSPC)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_ERROR, .SQLITE_FORMAT, .SQLITE_SCHEMA, .SQLITE_MISMATCH,
            .SQLITE_CONSTRAINT:
            return damaged(path, "\(error.resultCode): \(error.message ?? "")")
        case .SQLITE_BUSY, .SQLITE_LOCKED: return .locked(directory: Directory.parent(of: path), pid: 0)
        case .SQLITE_CANTOPEN: return .system(action: "open", path: path, code: EACCES)
        case .SQLITE_READONLY: return .system(action: "write", path: path, code: EROFS)
        default: return .system(action: "commit to", path: path, code: EIO)
        }
    }

    static func damaged(_ path: String, _ problem: String) -> FilesError {
        .malformed(
            path: path, at: "",
            problem: problem + "; nothing was changed. Put the file back from a backup, or move the node's state "
                + "directory away to start anew: what it had promised to its children is lost then")
    }
}

// MARK: - Reading

extension JournalIndex {
    /// The records that a restart needs, in order; verifies every row.
    ///
    /// - Throws: `FilesError` when rows are changed, lost, or older than the state.
    func entries() throws(FilesError) -> [Entry] {
        do {
            return try queue.read { database in
                var set = RowSet()
                let rows = try JournalTable.allCases.map { try $0.rows(&set, database) }
                guard set == state?.rows else {
                    throw JournalBytes.Flaw(text: "rows are missing, or older than the state says")
                }
                return try rows[0].map { try Entry($0) }
            }
        } catch {
            throw Self.translated(error, path)
        }
    }

    /// Segments that hold something a restart needs.
    func segments() throws(FilesError) -> Set<UInt64> {
        do {
            return try queue.read { database in
                Set(
                    try Int64.fetchAll(
                        database, sql: "SELECT DISTINCT segment FROM record WHERE body IS NOT NULL"
                    ).map { UInt64(bitPattern: $0) })
            }
        } catch {
            throw Self.translated(error, path)
        }
    }

    /// How a round ended for a contribution that has a receipt; `nil` while it is open, and for all others.
    ///
    /// One that is in no committed sum has failed, whatever became of the round.
    func end(of subject: Refuse.Subject, in number: RoundNumber) throws(FilesError) -> RoundClosed? {
        let key: (kind: Int64, node: NodeName, number: UInt64)
        switch subject {
        case .update(let update): key = (0, update.node, update.sequence)
        case .sum(let sum): key = (1, sum.node, UInt64(sum.revision))
        case .connection, .object: return nil
        }
        do {
            return try queue.read { database in
                let row = try Row.fetchOne(
                    try database.cachedStatement(
                        sql: """
                            SELECT o.head, c.without FROM contribution c JOIN outcome o USING(round, edge_round)
                            WHERE round = ? AND edge_round = ? AND kind = ? AND node = ? AND number = ?
                            """),
                    arguments: [
                        number.round, number.edgeRound, key.kind, key.node.value, Int64(bitPattern: key.number),
                    ])
                guard let row else { return nil }
                var end = try Self.end(Array(row[0] as Data))
                var reader = JournalReader(Array(row[1] as Data))
                end.without = try reader.names()
                if key.kind == 0, !end.without.isEmpty {
                    end.outcome = .failed(.cohortAbandoned)
                    end.without = []
                }
                return end
            }
        } catch {
            throw Self.translated(error, path)
        }
    }

    /// Whether a round is open, in which something may have a receipt.
    func hasOpenRound() throws(FilesError) -> Bool {
        do {
            return try queue.read { try Bool.fetchOne($0, sql: "SELECT EXISTS(SELECT 1 FROM record WHERE kind = 3)") }
                ?? false
        } catch {
            throw Self.translated(error, path)
        }
    }

    private static func end(_ head: [UInt8]) throws -> RoundClosed {
        guard case .closed(let end) = try JournalRecord(kind: 9, head: head) else {
            throw JournalBytes.Flaw(text: "an outcome is none")
        }
        return end
    }
}

extension JournalIndex.Entry {
    fileprivate init(_ row: [DatabaseValue]) throws {
        guard let kind = Int64.fromDatabaseValue(row[1]), let segment = Int64.fromDatabaseValue(row[2]),
            let offset = Int64.fromDatabaseValue(row[3]), let checksum = Data.fromDatabaseValue(row[4]),
            let checksum = Digest(checksum), let head = Data.fromDatabaseValue(row[5]),
            let bodySize = Int64.fromDatabaseValue(row[7])
        else { throw JournalBytes.Flaw(text: "a row of the table 'record' has other columns") }
        self.kind = UInt16(clamping: kind)
        position = .init(segment: UInt64(bitPattern: segment), offset: UInt64(bitPattern: offset))
        self.checksum = checksum
        self.head = Array(head)
        if let round = Int64.fromDatabaseValue(row[8]), let edgeRound = Int64.fromDatabaseValue(row[9]) {
            self.round = RoundNumber(round: UInt32(clamping: round), edgeRound: UInt32(clamping: edgeRound))
        }
        body = Data.fromDatabaseValue(row[6]).flatMap { Digest($0) }.map {
            ObjectReference(digest: $0, byteCount: UInt64(bitPattern: bodySize))
        }
    }
}

// MARK: - Writing

extension JournalIndex {
    /// Makes the tables of an empty file.
    func create(salt: Digest) throws(FilesError) {
        let fresh = State(salt: salt)
        do {
            try queue.inTransaction { database in
                try database.execute(sql: "CREATE TABLE state(head BLOB NOT NULL, sum BLOB NOT NULL)")
                for table in JournalTable.allCases { try database.execute(sql: table.definition) }
                try database.execute(sql: "INSERT INTO state VALUES(x'', x'')")
                try Self.write(fresh, database)
                try failPoints?.pass(.commit, path)
                return .commit
            }
        } catch {
            throw Self.translated(error, path)
        }
        state = fresh
        failPoints?.passMessage(.commit)
    }

    /// Takes a batch of records that are on the disk: all of it, or nothing.
    ///
    /// - Throws: `FilesError`; the file is as before when it is out of space, and unknown after any other error.
    func take(_ records: [(SegmentRecord, Meaning)], tail: SegmentLog.Tail) throws(FilesError) {
        guard var next = state else { preconditionFailure("an index is created before it is written") }
        do {
            try queue.inTransaction { database in
                for (record, meaning) in records { try Self.take(record, meaning, &next, database) }
                next.tail = tail
                try Self.write(next, database)
                try failPoints?.pass(.commit, path)
                return .commit
            }
        } catch {
            throw Self.translated(error, path)
        }
        state = next
        failPoints?.passMessage(.commit)
    }

    private static func write(_ state: State, _ database: Database) throws {
        let head = state.bytes
        try database.cachedStatement(sql: "UPDATE state SET head = ?, sum = ?")
            .execute(arguments: [Data(head), Data(Digest.sha256(of: head).bytes)])
    }

    private static func take(
        _ record: SegmentRecord, _ meaning: Meaning, _ state: inout State, _ database: Database
    ) throws {
        switch meaning {
        case .begun(let run, let node, let owner):
            for table in JournalTable.allCases { try table.remove("1", [], &state.rows, database) }
            state.run = run
            state.node = node
            state.owner = owner
            state.optimizer = []
            state.isOver = false
        case .ended: state.isOver = true
        case .record(let content):
            state.isOver = false
            if case .stepped = content { state.optimizer = try JournalRecord.state(head: record.head) }
            try prune(for: content, &state.rows, database)
            try insert(record, content, &state.rows, database)
            try note(content, record.head, &state.rows, database)
        }
    }

    private static func insert(
        _ record: SegmentRecord, _ content: JournalRecord, _ rows: inout RowSet, _ database: Database
    ) throws {
        var round = content.roundUntilClosed
        if let number = round {
            // A round is opened once, and nothing is added to one that is not open: as in `RunMemory`.
            let isOpen = try Bool.fetchOne(
                try database.cachedStatement(
                    sql: "SELECT EXISTS(SELECT 1 FROM record WHERE round = ? AND edge_round = ? AND kind = 3)"),
                arguments: [number.round, number.edgeRound])
            guard isOpen == (record.kind != 3) else { return }
        } else if case .answered = content {
            round = try openRound(database)
        }
        let values: [DatabaseValue] = [
            Int64(bitPattern: record.number).databaseValue, Int64(record.kind).databaseValue,
            Int64(bitPattern: record.position.segment).databaseValue,
            Int64(bitPattern: record.position.offset).databaseValue, Data(record.checksum.bytes).databaseValue,
            Data(record.head).databaseValue, record.body.map { Data($0.digest.bytes).databaseValue } ?? .null,
            Int64(bitPattern: record.body?.byteCount ?? 0).databaseValue,
            round.map { Int64($0.round).databaseValue } ?? .null,
            round.map { Int64($0.edgeRound).databaseValue } ?? .null,
        ]
        try JournalTable.record.insert(values, &rows, database)
    }

    /// The round that was opened last of those that are open: an answer is about it.
    private static func openRound(_ database: Database) throws -> RoundNumber? {
        try Row.fetchOne(
            database, sql: "SELECT round, edge_round FROM record WHERE kind = 3 ORDER BY number DESC LIMIT 1"
        ).map { RoundNumber(round: $0[0], edgeRound: $0[1]) }
    }

    /// Removes the records that a restart does not need once `next` is there: what `RunMemory` forgets by it.
    private static func prune(for next: JournalRecord, _ rows: inout RowSet, _ database: Database) throws {
        switch next {
        case .welcomed: try JournalTable.record.remove("kind = 1", [], &rows, database)
        case .assigned: try JournalTable.record.remove("kind IN (2, 8)", [], &rows, database)
        case .stepped:
            try JournalTable.record.remove(
                "kind = 8 AND NOT EXISTS(SELECT 1 FROM record WHERE kind = 2)", [], &rows, database)
        case .answered: try pruneAnswers(keepingLast: false, &rows, database)
        case .closed(let end):
            let number = [Int64(end.number.round).databaseValue, Int64(end.number.edgeRound).databaseValue]
            try noteAbandoned(end, &rows, database)
            try JournalTable.record.remove(
                "round = ? AND edge_round = ? AND kind IN (3, 4, 5, 6, 10)", number, &rows, database)
            try pruneAnswers(keepingLast: true, &rows, database)
            try JournalTable.record.remove(
                """
                kind = 9 AND number <= (SELECT number FROM record WHERE kind = 9 ORDER BY number DESC
                LIMIT 1 OFFSET \(RunMemory.closedCountMax - 1))
                """, [], &rows, database)
        case .opened, .updateAccepted, .sumAccepted, .tookOut, .subtracted: break
        }
    }

    /// Removes answers about rounds that are over; the last one tells what the parent knows, and the next sequence.
    private static func pruneAnswers(keepingLast: Bool, _ rows: inout RowSet, _ database: Database) throws {
        try JournalTable.record.remove(
            """
            kind = 7 AND NOT EXISTS(SELECT 1 FROM record o
            WHERE o.kind = 3 AND o.round = record.round AND o.edge_round = record.edge_round)
            """ + (keepingLast ? " AND number < (SELECT max(number) FROM record WHERE kind = 7)" : ""),
            [], &rows, database)
    }

    /// Keeps the keys of contributions, and how their rounds ended.
    private static func note(
        _ record: JournalRecord, _ head: [UInt8], _ rows: inout RowSet, _ database: Database
    ) throws {
        switch record {
        case .updateAccepted(let update):
            try put(0, update.key.node, update.key.sequence, update.number, without: [], &rows, database)
        case .sumAccepted(let sum, _, _):
            try put(1, sum.key.node, UInt64(sum.key.revision), sum.key.number, without: [], &rows, database)
        case .closed(let end): try note(end, head, &rows, database)
        case .welcomed, .assigned, .opened, .tookOut, .subtracted, .answered, .stepped: break
        }
    }

    private static func put(
        _ kind: Int64, _ node: NodeName, _ key: UInt64, _ number: RoundNumber, without: [ContributionName],
        _ rows: inout RowSet, _ database: Database
    ) throws {
        let values = [
            kind.databaseValue, node.value.databaseValue, Int64(bitPattern: key).databaseValue,
            Int64(number.round).databaseValue, Int64(number.edgeRound).databaseValue,
        ]
        var names = JournalBytes()
        names.put(without)
        try JournalTable.contribution.remove(
            "kind = ? AND node = ? AND number = ? AND round = ? AND edge_round = ?", values, &rows, database)
        try JournalTable.contribution.insert(values + [Data(names.all).databaseValue], &rows, database)
    }

    /// Keeps, for each contribution of a round that ends, which of its names are in no committed sum; mostly none.
    private static func noteAbandoned(_ end: RoundClosed, _ rows: inout RowSet, _ database: Database) throws {
        guard !end.without.isEmpty else { return }
        let without = Set(end.without)
        let found = try Row.fetchAll(
            database, sql: "SELECT kind, head FROM record WHERE round = ? AND edge_round = ? AND kind IN (3, 4, 5)",
            arguments: [end.number.round, end.number.edgeRound])
        var seed: UInt64 = 0
        for row in found {
            switch try JournalRecord(kind: row[0], head: Array(row[1] as Data)) {
            case .opened(let opening): seed = opening.plan.seed
            case .updateAccepted(let update):
                let name = ContributionName(node: update.key.node, number: end.number, seed: seed)
                guard without.contains(name) else { continue }
                try put(0, update.key.node, update.key.sequence, end.number, without: [name], &rows, database)
            case .sumAccepted(let sum, let names, let excluded):
                let abandoned = (names + excluded).filter(without.contains).sorted()
                guard !abandoned.isEmpty else { continue }
                try put(1, sum.key.node, UInt64(sum.key.revision), end.number, without: abandoned, &rows, database)
            default: continue
            }
        }
    }

    private static func note(
        _ end: RoundClosed, _ head: [UInt8], _ rows: inout RowSet, _ database: Database
    ) throws {
        let number = [Int64(end.number.round).databaseValue, Int64(end.number.edgeRound).databaseValue]
        let isThis = "round = ? AND edge_round = ?"
        try JournalTable.outcome.remove(isThis, number, &rows, database)
        try JournalTable.outcome.insert(number + [Data(head).databaseValue], &rows, database)
        // Rounds that ended long ago: nobody retries into them any more.
        let old = try Row.fetchAll(
            database,
            sql: "SELECT round, edge_round FROM outcome ORDER BY round DESC, edge_round DESC LIMIT -1 OFFSET ?",
            arguments: [roundCountMax])
        for row in old {
            let values = Array(row.databaseValues)
            try JournalTable.outcome.remove(isThis, values, &rows, database)
            try JournalTable.contribution.remove(isThis, values, &rows, database)
        }
    }
}

// MARK: - Bytes of the state

extension JournalIndex.State {
    private static let version: UInt64 = 1

    fileprivate var bytes: [UInt8] {
        var bytes = JournalBytes()
        bytes.put(Self.version)
        bytes.put(salt)
        bytes.put(tail.position.segment, tail.position.offset, tail.number, tail.commit)
        bytes.put(tail.checksum)
        bytes.put(node)
        bytes.put(owner)
        bytes.put(run)
        bytes.put(optimizer) { $0.put($1) }
        bytes.put(isOver ? 1 : 0, rows.count)
        bytes.put(blob: rows.bytes)
        return bytes.all
    }

    fileprivate init(_ bytes: inout JournalReader) throws {
        let version = try bytes.word()
        guard version == Self.version else {
            throw JournalBytes.Flaw(text: "written in version \(version) of the journal; this program knows 1")
        }
        salt = try bytes.digest()
        let position = SegmentRecord.Position(segment: try bytes.word(), offset: try bytes.word())
        let (number, commit) = (try bytes.word(), try bytes.word())
        tail = .init(position: position, number: number, checksum: try bytes.digest(), commit: commit)
        node = try bytes.text()
        owner = try bytes.digest()
        run = try bytes.text()
        optimizer = try bytes.list { try $0.object() }
        isOver = try bytes.word() == 1
        rows = RowSet(count: try bytes.word(), bytes: try bytes.list { try $0.byte() })
        try bytes.finish()
    }
}
