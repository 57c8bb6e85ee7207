// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import GRDB
import TributaryCore
import TributaryCrypto
import TributaryFiles

/// A set of rows as a single checksum: the exclusive or of theirs, so that one that is changed, lost or old shows.
struct RowSet: Hashable {
    private(set) var count: UInt64 = 0
    private(set) var bytes = [UInt8](repeating: 0, count: Digest.byteCount)

    init() {}
    init(count: UInt64, bytes: [UInt8]) {
        self.count = count
        self.bytes = bytes
    }

    mutating func insert(_ checksum: Data) {
        count &+= 1
        mix(checksum)
    }

    mutating func remove(_ checksum: Data) {
        count &-= 1
        mix(checksum)
    }

    private mutating func mix(_ checksum: Data) {
        for (position, byte) in checksum.prefix(bytes.count).enumerated() { bytes[position] ^= byte }
    }
}

/// Tables whose rows end with a checksum of all their other columns.
enum JournalTable: String, CaseIterable {
    /// Records that a restart has to read again.
    case record
    /// Keys of contributions with the round that they belong to.
    case contribution
    /// Rounds that are over, with their outcomes.
    case outcome

    var definition: String {
        switch self {
        case .record:
            """
            CREATE TABLE record(number INTEGER PRIMARY KEY, kind INTEGER NOT NULL, segment INTEGER NOT NULL,
            offset INTEGER NOT NULL, checksum BLOB NOT NULL, head BLOB NOT NULL, body BLOB,
            body_size INTEGER NOT NULL, round INTEGER, edge_round INTEGER, sum BLOB NOT NULL);
            CREATE INDEX record_round ON record(round, edge_round, kind);
            CREATE INDEX record_kind ON record(kind, number)
            """
        case .contribution:
            """
            CREATE TABLE contribution(kind INTEGER NOT NULL, node TEXT NOT NULL, number INTEGER NOT NULL,
            round INTEGER NOT NULL, edge_round INTEGER NOT NULL, without BLOB NOT NULL, sum BLOB NOT NULL,
            PRIMARY KEY(round, edge_round, kind, node, number)) WITHOUT ROWID
            """
        case .outcome:
            """
            CREATE TABLE outcome(round INTEGER NOT NULL, edge_round INTEGER NOT NULL, head BLOB NOT NULL,
            sum BLOB NOT NULL, PRIMARY KEY(round, edge_round)) WITHOUT ROWID
            """
        }
    }

    private var columnCount: Int {
        switch self {
        case .record: 11
        case .contribution: 7
        case .outcome: 4
        }
    }

    /// SHA-256 of a row's columns, each with its type and size.
    func checksum(_ values: some Sequence<DatabaseValue>) -> Data {
        var bytes = JournalBytes()
        bytes.put(rawValue)
        for value in values { bytes.put(value) }
        return Data(Digest.sha256(of: bytes.all).bytes)
    }

    func insert(_ values: [DatabaseValue], _ set: inout RowSet, _ database: Database) throws {
        let checksum = checksum(values)
        let marks = Array(repeating: "?", count: columnCount).joined(separator: ",")
        try database.cachedStatement(sql: "INSERT INTO \(rawValue) VALUES(\(marks))")
            .execute(arguments: StatementArguments(values + [checksum.databaseValue]))
        set.insert(checksum)
    }

    /// Removes rows; `condition` is this file's and the index's own SQL, values are arguments.
    func remove(
        _ condition: String, _ arguments: [DatabaseValue] = [], _ set: inout RowSet, _ database: Database
    ) throws {
        let arguments = StatementArguments(arguments)
        let found = try Data.fetchAll(
            try database.cachedStatement(sql: "SELECT sum FROM \(rawValue) WHERE \(condition)"),
            arguments: arguments)
        guard !found.isEmpty else { return }
        try database.cachedStatement(sql: "DELETE FROM \(rawValue) WHERE \(condition)").execute(arguments: arguments)
        for checksum in found { set.remove(checksum) }
    }

    /// Every row with its columns, in order of its key; adds them to `set`.
    ///
    /// - Throws: `JournalBytes.Flaw` when a row is not as it was written.
    func rows(_ set: inout RowSet, _ database: Database) throws -> [[DatabaseValue]] {
        let cursor = try Row.fetchCursor(database, sql: "SELECT * FROM \(rawValue) ORDER BY 1, 2")
        var rows: [[DatabaseValue]] = []
        while let row = try cursor.next() {
            let values = Array(row.databaseValues)
            guard let checksum = Data.fromDatabaseValue(values[values.count - 1]),
                checksum == self.checksum(values.dropLast())
            else { throw JournalBytes.Flaw(text: "a row of the table '\(rawValue)' is not as it was written") }
            set.insert(checksum)
            rows.append(values)
        }
        return rows
    }
}

extension JournalBytes {
    fileprivate mutating func put(_ value: DatabaseValue) {
        switch value.storage {
        case .null: put(0)
        case .int64(let number): put(1, UInt64(bitPattern: number))
        case .double(let number): put(2, number.bitPattern)
        case .string(let text):
            put(3)
            put(text)
        case .blob(let data):
            put(4)
            put(blob: data)
        }
    }
}
