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

    @Test func tenThousandUpdatesAreRememberedWithTheirSum() throws {
        let directory = try StateDirectory()
        let count = 10_000
        let parameterCount = 256
        let ring = try RingParameters(deltaBound: 8, weightMax: 1 << 20, cohortMax: 1 << 14)
        let group = GroupPlan(
            name: "body", parameterCount: UInt64(parameterCount), ring: ring, encoding: .float32, normaliser: .weight)
        let model = ObjectReference(digest: Digest(words: 1, 2, 3, 4), byteCount: UInt64(parameterCount) * 4)
        let work = TrainSettings(work: .epochs(1), batch: 8, optimizer: .sgd(learningRate: 0.5, momentum: 0))
        let plan = RoundPlan(
            number: RoundNumber(round: 1), kind: .train(work),
            model: ModelReference(digest: model.digest, sources: [.init(object: model, encoding: .float32)]),
            groups: [group],
            selection: .all, timeLeft: .seconds(60), seed: 7)
        var updates: [Update] = []
        do {
            let open = try OpenJournal(directory.path, segmentByteCountMax: SegmentLog.segmentByteCountMax)
            let opening = JournalRecord.Opening(plan: plan, aggregators: [], clientCount: UInt64(count))
            try open.journal.append([.init(.opened(opening))], of: JournalScript.run)
            for number in 0..<count {
                let values = [Float](repeating: Float(number % 100) / 64, count: parameterCount)
                let body = try open.store.put(values.span.bytes)
                updates.append(
                    Update(
                        key: UpdateKey(node: NodeName("device-\(number)"), sequence: 1), number: plan.number,
                        base: plan.model.digest,
                        groups: [.init(weight: 1 + UInt64(number % 7), encoding: .float32, byteCount: body.byteCount)],
                        metrics: [], body: body))
                guard updates.count.isMultiple(of: 500) else { continue }
                try open.journal.append(updates.suffix(500).map { .init(.updateAccepted($0)) }, of: JournalScript.run)
            }
        }
        let start = ContinuousClock.now
        let open = try OpenJournal(directory.path, segmentByteCountMax: SegmentLog.segmentByteCountMax)
        let memory = try #require(open.journal.memory?.open.first)
        let opened = ContinuousClock.now
        let bench = Workbench(
            store: open.store, stateDirectory: directory.path, evaluation: nil, checkpoint: nil, journal: open.journal)
        var folded = 0
        bench.perform(
            [.begin(plan.number, plan.groups)] + memory.updates.values.map { .fold($0) }, of: JournalScript.run
        ) { result in
            if case .folded(_, nil) = result { folded += 1 }
        }
        print("10,000 updates: journal read in \(opened - start), folded in \(ContinuousClock.now - opened)")
        #expect(folded == count)
        #expect(memory.updates == Dictionary(uniqueKeysWithValues: updates.map { ($0.key, $0) }))
        #expect(bench.sum.totals.weights == [updates.reduce(0) { $0 + $1.groups[0].weight }])
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
