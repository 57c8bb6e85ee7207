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
        // In memory where there is such a place: thousands of journals are opened, and none of them outlives a test.
        let memory = "/dev/shm"
        let parent =
            FileManager.default.isWritableFile(atPath: memory)
            ? memory : FileManager.default.temporaryDirectory.path()
        path = "\(parent)/tributary-state-\(UUID().uuidString)"
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
        if claims { try journal.claim(node: Self.owner.node, digest: Self.owner.digest, startsRuns: true) }
    }

    /// Has the journal write a batch of a script, whose bodies arrive in the store before.
    func append(_ batch: JournalScript.Batch) throws {
        try journal.append(
            try batch.map { record, body in
                _ = try body.map { try store.put($0) }
                return Journal.Entry(record)
            }, of: JournalScript.run)
    }

    /// Whether every body of the round that is open can be read, and is right.
    func holdsBodies(of memory: RunMemory) throws -> Bool {
        let bodies = memory.open.flatMap { round in
            let updates = [round.updates, round.takenUpdates].flatMap { $0.values.map(\.body) }
            let sums = [round.sums, round.takenSums, round.subtracted].flatMap { $0.values.map(\.sum.body) }
            return (updates + sums).compactMap(\.self)
        }
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
