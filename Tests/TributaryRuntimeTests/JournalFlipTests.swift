// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TributaryCore
import TributaryFiles
import TributaryProtocol
import TributaryTestSupport

@testable import TributaryRuntime

// A bit that flips anywhere in a journal's files is noticed, or changes nothing of what is remembered.

@Suite struct JournalFlipTests {
    /// How a journal's files were left.
    enum Ending: CaseIterable {
        /// The process was killed: much of the index lies in its write-ahead log.
        case killed
        /// The process was killed between the segment's way to the disk and the index's commit.
        case killedBeforeCommit
        /// The journal was closed.
        case closed
    }

    /// Flips for all endings and mixes together: each file's share is that of its bytes.
    private static let flipCount = 10_000

    @Test func noFlippedBitIsAcceptedSilently() throws {
        var generator = Generator(seed: 77)
        var counts = (refused: 0, same: 0)
        var silent: [String] = []
        let cases = JournalScript.Mix.allCases.flatMap { mix in Ending.allCases.map { (mix, $0) } }
        for (mix, ending) in cases {
            let directory = try StateDirectory()
            let script = try JournalScript(mix, seed: 31, roundCount: 2)
            let truths = try write(script, ending, directory)
            let flips = Self.flipCount / cases.count + 1
            for _ in 0..<flips {
                let flip = try Flip(directory.journal, &generator)
                let copy = try StateDirectory()
                try copyFiles(directory.journal, to: copy.journal)
                try flip.apply(in: copy.journal)
                switch try verdict(copy, truths) {
                case .refused: counts.refused += 1
                case .same: counts.same += 1
                case .other: silent.append("\(mix) \(ending) \(flip)")
                }
            }
        }
        print("flipped bits: \(counts.refused) refused, \(counts.same) without effect, \(silent.count) silent")
        #expect(silent == [])
        #expect(counts.refused > 500 && counts.same > 500, "both happen, else the test tries nothing")
    }

    private enum Verdict { case refused, same, other }

    private func verdict(_ directory: StateDirectory, _ truths: [RunMemory?]) throws -> Verdict {
        do {
            let open = try OpenJournal(directory.path, claims: false)
            guard truths.contains(open.journal.memory) else { return .other }
            guard let memory = open.journal.memory else { return .same }
            return try open.holdsBodies(of: memory) ? .same : .other
        } catch is FilesError {
            return .refused
        }
    }

    /// Leaves a journal's files as they are in the middle of a script; returns what may be remembered of it.
    private func write(
        _ script: JournalScript, _ ending: Ending, _ directory: StateDirectory
    ) throws -> [RunMemory?] {
        let scratch = try StateDirectory()
        // In the middle of a round, with bodies that are needed.
        let stop = try #require(script.batches.lastIndex { $0.contains { $0.body != nil } })
        let failPoints = FailPoints(.count, at: 0)
        let open = try OpenJournal(scratch.path, failPoints: failPoints)
        for batch in script.batches[..<stop] { try open.append(batch) }
        let known = script.recordCount(beforeBatch: stop)
        switch ending {
        case .killed:
            try open.append(script.batches[stop])
            try copyFiles(scratch.journal, to: directory.journal)
            return [script.memory(afterRecords: script.recordCount(beforeBatch: stop + 1))]
        case .killedBeforeCommit:
            try copyFiles(scratch.journal, to: directory.journal)
            try append(script.batches[stop], behind: scratch, in: directory)
            // Nobody has a receipt for these: any beginning of them may be there.
            return (known...script.recordCount(beforeBatch: stop + 1)).map { script.memory(afterRecords: $0) }
        case .closed:
            do {
                let again = try StateDirectory()
                try copyFiles(scratch.journal, to: again.journal)
                try OpenJournal(again.path).append(script.batches[stop])
                try copyFiles(again.journal, to: directory.journal)
            }
            return [script.memory(afterRecords: script.recordCount(beforeBatch: stop + 1))]
        }
    }

    /// Lets a copy write a batch, and takes its segments without its index.
    private func append(
        _ batch: JournalScript.Batch, behind source: StateDirectory, in target: StateDirectory
    ) throws {
        let copy = try StateDirectory()
        try copyFiles(source.journal, to: copy.journal)
        try OpenJournal(copy.path).append(batch)
        for name in try Directory.names(in: copy.journal) where name.hasSuffix(".segment") {
            try? FileManager.default.removeItem(atPath: "\(target.journal)/\(name)")
            try FileManager.default.copyItem(
                atPath: "\(copy.journal)/\(name)", toPath: "\(target.journal)/\(name)")
        }
    }
}

/// One bit of one file.
struct Flip: CustomStringConvertible {
    let name: String
    let offset: Int
    let bit: UInt8

    /// Chooses a bit of all files of a directory, each as likely as any other; the reserve holds nothing.
    init(_ directory: String, _ generator: inout Generator) throws {
        let files = try Directory.names(in: directory).filter { $0 != "reserve" }.map { name in
            (name, try FileManager.default.attributesOfItem(atPath: "\(directory)/\(name)")[.size] as? Int ?? 0)
        }
        var offset = Int(generator.integer(0...UInt64(files.reduce(0) { $0 + $1.1 } - 1)))
        var place = 0
        while offset >= files[place].1 {
            offset -= files[place].1
            place += 1
        }
        name = files[place].0
        self.offset = offset
        bit = UInt8(1) << UInt8(generator.integer(0...7))
    }

    func apply(in directory: String) throws {
        let file = try Foundation.FileHandle(forUpdating: URL(filePath: "\(directory)/\(name)"))
        try file.seek(toOffset: UInt64(offset))
        let byte = try file.read(upToCount: 1)?.first ?? 0
        try file.seek(toOffset: UInt64(offset))
        try file.write(contentsOf: Data([byte ^ bit]))
        try file.close()
    }

    var description: String { "\(name) offset \(offset) bit \(bit)" }
}
