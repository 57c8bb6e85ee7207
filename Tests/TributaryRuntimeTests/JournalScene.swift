// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TributaryCore
import TributaryCrypto
import TributaryFiles
import TributaryProtocol

@testable import TributaryRuntime

/// A state directory of a test's own, removed when the value ends.
final class StateDirectory {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "tributary-state-\(UUID().uuidString)").path()
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var journal: String { "\(path)/journal" }
}

/// A journal with its store, opened as a node opens them.
struct OpenJournal {
    let store: ObjectStore
    let journal: Journal

    static let owner = (node: NodeName("edge"), digest: Digest(words: 5, 6, 7, 8))

    init(
        _ directory: String, failPoints: FailPoints? = nil, segmentByteCountMax: UInt64 = 2048, claims: Bool = true
    ) throws {
        store = try ObjectStore(directory: "\(directory)/objects")
        journal = try Journal(
            directory: "\(directory)/journal", store: store, segmentByteCountMax: segmentByteCountMax,
            failPoints: failPoints)
        if claims { try journal.claim(node: Self.owner.node, digest: Self.owner.digest) }
    }

    /// Has the journal write a batch of a script, whose bodies arrive in the store before.
    func append(_ batch: JournalScript.Batch) throws {
        try journal.append(
            try batch.map { record, body in Journal.Entry(record, body: try body.map { try store.put($0) }) },
            of: JournalScript.run)
    }

    /// Whether every body of the round that is open can be read, and is right.
    func holdsBodies(of memory: RunMemory) throws -> Bool {
        let bodies =
            (memory.open.map { open in open.updates.values.map(\.body) + open.sums.values.map(\.sum.body) } ?? [])
            .compactMap(\.self)
        return try bodies.allSatisfy { body in
            try store.mapped(body.digest).withUnsafeBytes { Digest.sha256(of: $0) } == body.digest
        }
    }
}

/// Copies a directory's files, as they lie on the disk, into another that is emptied before.
func copyFiles(_ source: String, to target: String) throws {
    try? FileManager.default.removeItem(atPath: target)
    try FileManager.default.copyItem(atPath: source, toPath: target)
}
