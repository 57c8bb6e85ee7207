// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TributaryCore
import TributaryCrypto
import TributaryFiles
import TributaryProtocol
import TributaryRing

@testable import TributaryRuntime

@Suite struct JournalTests {
    @Test(arguments: JournalScript.Mix.allCases) func everyRecordIsReadAsItWasWritten(
        _ mix: JournalScript.Mix
    ) throws {
        for seed in 1...20 as ClosedRange<UInt64> {
            for (record, _) in try JournalScript(mix, seed: seed).batches.joined() {
                #expect(try JournalRecord(kind: record.kind, head: record.head()) == record)
            }
        }
    }

    @Test(arguments: JournalScript.Mix.allCases) func aRestartRemembersWhatWasAppendedAfterEveryBatch(
        _ mix: JournalScript.Mix
    ) throws {
        // More rounds than outcomes are kept at hand, so that what is pruned is a part of the law.
        let script = try JournalScript(mix, seed: 11, roundCount: 12)
        let directory = try StateDirectory()
        for (number, batch) in script.batches.enumerated() {
            let open = try OpenJournal(directory.path)
            #expect(open.journal.memory == script.memory(afterRecords: script.recordCount(beforeBatch: number)))
            if let memory = open.journal.memory { #expect(try open.holdsBodies(of: memory)) }
            try open.append(batch)
        }
    }

    @Test func segmentsAreRemovedWhenTheirRoundIsOver() throws {
        let script = try JournalScript(.passThrough, seed: 3, roundCount: 40)
        let directory = try StateDirectory()
        let open = try OpenJournal(directory.path)
        var most = 0
        for batch in script.batches {
            try open.append(batch)
            most = max(most, try Directory.names(in: directory.journal).count { $0.hasSuffix(".segment") })
        }
        // A round has at most five bodies of 900 bytes: three segments, and the one under way.
        #expect(most <= 5)
    }

    @Test func aBodyLiesOnlyInTheJournalOnceItIsDurable() throws {
        let directory = try StateDirectory()
        let open = try OpenJournal(directory.path)
        let script = try JournalScript(.passThrough, seed: 5, roundCount: 1)
        var bodies: [[UInt8]] = []
        for batch in script.batches {
            try open.append(batch)
            bodies += batch.compactMap(\.body)
            if batch.contains(where: { $0.record.kind == 7 }) { break }
        }
        #expect(!bodies.isEmpty)
        #expect(try open.store.objects().isEmpty)
        for body in bodies {
            let digest = Digest.sha256(of: body)
            #expect(open.store.byteCount(of: digest) == UInt64(body.count))
            #expect(try open.store.mapped(digest).withUnsafeBytes { Array($0) } == body)
        }
    }

    @Test(arguments: [JournalScript.Mix.passThrough, .root]) func outcomesAreFoundByTheKeysOfContributions(
        _ mix: JournalScript.Mix
    ) throws {
        let directory = try StateDirectory()
        let open = try OpenJournal(directory.path)
        let script = try JournalScript(mix, seed: 8, roundCount: 12)
        for batch in script.batches { try open.append(batch) }
        var ends: [RoundNumber: RoundClosed] = [:]
        for (record, _) in script.batches.joined() { if case .closed(let end) = record { ends[end.number] = end } }
        var abandoned = 0
        for (record, _) in script.batches.joined() {
            switch record {
            case .updateAccepted(let update):
                let name = ContributionName(node: update.key.node, number: update.number, seed: 7)
                var expected = ends[update.number]
                if expected?.without.contains(name) == true {
                    expected?.outcome = .failed(.cohortAbandoned)
                    abandoned += 1
                }
                expected?.without = []
                #expect(try open.journal.end(of: .update(update.key), in: update.number) == expected)
            case .sumAccepted(let sum, let names, let excluded):
                var expected = ends[sum.key.number]
                expected?.without.removeAll { !(names + excluded).contains($0) }
                abandoned += expected?.without.count ?? 0
                #expect(try open.journal.end(of: .sum(sum.key), in: sum.key.number) == expected)
            default: continue
            }
        }
        #expect(abandoned > 0)
        let stranger = UpdateKey(node: NodeName("device-0"), sequence: 1 << 40)
        #expect(try open.journal.end(of: .update(stranger), in: RoundNumber(round: 1)) == nil)
    }

    @Test func aRunThatIsNotOverIsRefusedToAnybodyElse() throws {
        let directory = try StateDirectory()
        let script = try JournalScript(.root, seed: 2)
        do {
            let open = try OpenJournal(directory.path)
            for batch in script.batches.prefix(4) { try open.append(batch) }
        }
        do {
            let open = try OpenJournal(directory.path)
            let other = Digest(words: 1, 1, 1, 1)
            #expect(throws: FilesError.self) {
                try open.journal.claim(node: OpenJournal.owner.node, digest: other, startsRuns: true)
            }
            #expect(throws: FilesError.self) {
                try open.journal.claim(
                    node: NodeName("other"), digest: OpenJournal.owner.digest, startsRuns: false)
            }
            // Something is promised: the run is not over.
            try open.journal.end()
            #expect(!open.journal.isOver)
            let number = try #require(open.journal.memory?.open.first?.number)
            try open.append([(.closed(RoundClosed(number: number, outcome: .failed(.stopped))), nil)])
            try open.journal.end()
        }
        let open = try OpenJournal(directory.path, claims: false)
        #expect(open.journal.isOver)
        try open.journal.claim(node: NodeName("other"), digest: Digest(words: 1, 1, 1, 1), startsRuns: true)
        #expect(open.journal.memory == nil)
        try open.append(script.batches[0])
        #expect(try OpenJournalCopy(directory).memory?.layout != nil)
    }

    @Test func anotherRunTakesThePlaceOfTheOneBefore() throws {
        let directory = try StateDirectory()
        let script = try JournalScript(.passThrough, seed: 4)
        let open = try OpenJournal(directory.path)
        for batch in script.batches { try open.append(batch) }
        let key = try #require(
            script.batches.joined().lazy.compactMap { entry -> UpdateKey? in
                if case .updateAccepted(let update) = entry.record { update.key } else { nil }
            }.first)
        let number = RoundNumber(round: 1)
        #expect(try open.journal.end(of: .update(key), in: number) != nil)
        try open.journal.append([.init(script.batches[0][0].record)], of: RunID("next"))
        #expect(try open.journal.end(of: .update(key), in: number) == nil)
        let memory = try #require(try OpenJournalCopy(directory).memory)
        #expect(memory.run == RunID("next") && memory.closed.isEmpty && memory.layout != nil)
    }
}

/// What another process would remember if the one that has the journal open died now.
struct OpenJournalCopy {
    let memory: RunMemory?

    init(_ directory: StateDirectory) throws {
        let copy = try StateDirectory()
        try copyFiles(directory.path, to: copy.path)
        memory = try OpenJournal(copy.path, claims: false).journal.memory
    }
}
