// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TributaryCore
import TributaryFiles
import TributaryProtocol
import TributaryTestSupport

@testable import TributaryRuntime

// Every point at which a journal touches the disk is tried, not some: the process dies there, the operation fails, or
// the disk is full.

@Suite struct JournalFaultTests {
    /// Runs a script against a journal that fails somewhere; returns how many batches were made durable, and the error.
    private func run(
        _ script: JournalScript, _ directory: StateDirectory, _ failPoints: FailPoints
    ) -> (batches: Int, error: (any Error)?) {
        var done = 0
        do {
            let open = try OpenJournal(directory.path, failPoints: failPoints)
            for batch in script.batches {
                try open.append(batch)
                done += 1
            }
            return (done, nil)
        } catch {
            return (done, error)
        }
    }

    private func pointCount(_ script: JournalScript) throws -> UInt64 {
        let counting = FailPoints(.count, at: 0)
        #expect(run(script, try StateDirectory(), counting).error == nil)
        return counting.count
    }

    /// Whether what is remembered is what was promised, with nothing or a beginning of the batch under way.
    ///
    /// - Returns: how many records are remembered; `nil` when it is something else.
    private func remembered(_ memory: RunMemory?, _ script: JournalScript, batches: Int) -> Int? {
        let least = script.recordCount(beforeBatch: batches)
        let most = script.recordCount(beforeBatch: batches + 1)
        return (least...max(least, most)).first { script.memory(afterRecords: $0) == memory }
    }

    @Test(arguments: JournalScript.Mix.allCases) func aProcessThatDiesAnywhereGoesOnWhereItWas(
        _ mix: JournalScript.Mix
    ) throws {
        let script = try JournalScript(mix, seed: 21, roundCount: 2)
        let count = try pointCount(script)
        #expect(count > 60)
        var lost: [UInt64] = []
        var adopted = 0
        for point in 1...count {
            let directory = try StateDirectory()
            let (batches, error) = run(script, directory, FailPoints(.halt, at: point))
            // The last point lies behind the last commit.
            #expect(error != nil || point == count)
            guard let known = try goOn(script, directory, batches: batches) else {
                lost.append(point)
                continue
            }
            adopted += known > script.recordCount(beforeBatch: batches) ? 1 : 0
            let whole = script.memory(afterRecords: script.recordCount(beforeBatch: script.batches.count))
            #expect(try OpenJournal(directory.path).journal.memory == whole)
        }
        #expect(adopted > 0, "whole records that the index did not come to know are a part of the test")
        #expect(lost == [], "points after which a promise was forgotten")
        print("journal crash points, \(mix): \(count)")
    }

    /// Opens a journal again and writes the rest of a script, from the first record that is not remembered.
    ///
    /// - Returns: how many records were remembered; `nil` when that was not what was promised.
    private func goOn(_ script: JournalScript, _ directory: StateDirectory, batches: Int) throws -> Int? {
        let open = try OpenJournal(directory.path)
        let memory = open.journal.memory
        guard let known = remembered(memory, script, batches: batches) else { return nil }
        if let memory { #expect(try open.holdsBodies(of: memory)) }
        for record in script.batches.joined().dropFirst(known) { try open.append([record]) }
        return known
    }

    @Test(arguments: JournalScript.Mix.allCases) func aMachineThatLosesPowerAnywhereGoesOnWhereItWas(
        _ mix: JournalScript.Mix
    ) throws {
        let script = try JournalScript(mix, seed: 22, roundCount: 2)
        var generator = Generator(seed: 5)
        for point in 1...(try pointCount(script)) {
            let directory = try StateDirectory()
            let (batches, _) = run(script, directory, FailPoints(.halt, at: point))
            try loseUnsynced(directory, &generator)
            let memory = try OpenJournal(directory.path).journal.memory
            #expect(remembered(memory, script, batches: batches) != nil, "point \(point)")
        }
    }

    /// Cuts off, and scrambles, what the index does not know of at the end of the segments.
    private func loseUnsynced(_ directory: StateDirectory, _ generator: inout Generator) throws {
        guard Directory.exists("\(directory.journal)/journal.sqlite") else { return }
        let index = try JournalIndex(path: "\(directory.journal)/journal.sqlite", failPoints: nil)
        guard let tail = index.state?.tail else { return }
        for name in try Directory.names(in: directory.journal) where name.hasSuffix(".segment") {
            guard let number = UInt64(name.dropLast(8)), number >= tail.position.segment else { continue }
            let synced = number == tail.position.segment ? tail.position.offset : 0
            let url = URL(filePath: "\(directory.journal)/\(name)")
            var bytes = Array(try Data(contentsOf: url))
            guard bytes.count > synced else { continue }
            bytes.removeLast(Int(generator.integer(0...(UInt64(bytes.count) - synced))))
            for position in bytes.indices.dropFirst(Int(synced)) where generator.integer(0...63) == 0 {
                bytes[position] = 0
            }
            try Data(bytes).write(to: url)
        }
    }

    @Test(arguments: [FailPoints.Failure.eio, .fsync]) func anErrorOfTheDiskEndsAllPromises(
        _ failure: FailPoints.Failure
    ) throws {
        let script = try JournalScript(.passThrough, seed: 23, roundCount: 2)
        for point in 1...(try pointCount(script)) {
            let directory = try StateDirectory()
            var done = 0
            do {
                let open = try OpenJournal(directory.path, failPoints: FailPoints(failure, at: point))
                do {
                    for batch in script.batches {
                        try open.append(batch)
                        done += 1
                    }
                } catch {
                    // The next operation would succeed; nothing is promised any more all the same.
                    #expect(throws: FilesError.self) { try open.append(script.batches[done]) }
                    #expect(throws: FilesError.self) { try open.append(script.batches[done]) }
                }
            } catch {
                #expect(error is FilesError)
            }
            let memory = try OpenJournal(directory.path).journal.memory
            #expect(remembered(memory, script, batches: done) != nil, "point \(point)")
        }
    }

    @Test(arguments: JournalScript.Mix.allCases) func aDiskThatIsFullForAWhileCostsNothingButTime(
        _ mix: JournalScript.Mix
    ) throws {
        let script = try JournalScript(mix, seed: 24, roundCount: 2)
        var refusals = 0
        for point in 1...(try pointCount(script)) {
            let directory = try StateDirectory()
            let failPoints = FailPoints(.enospc, at: point)
            var open: OpenJournal?
            var done = 0
            var tries = 0
            while done < script.batches.count, tries < 1000 {
                tries += 1
                do {
                    if open == nil { open = try OpenJournal(directory.path, failPoints: failPoints) }
                    try open?.append(script.batches[done])
                    done += 1
                } catch let error as FilesError where error.isOutOfSpace {
                    refusals += 1
                    // Nothing of the batch is there.
                    let memory = try OpenJournalCopy(directory).memory
                    #expect(memory == script.memory(afterRecords: script.recordCount(beforeBatch: done)))
                }
            }
            open = nil
            #expect(done == script.batches.count, "point \(point)")
            #expect(
                try OpenJournal(directory.path).journal.memory
                    == script.memory(afterRecords: script.recordCount(beforeBatch: done)))
        }
        #expect(refusals > 50)
    }
}
