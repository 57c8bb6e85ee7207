// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TributaryCore
import TributaryFiles
import TributaryReport
import TributaryTopology

@testable import TributaryRuntime

@Suite struct RunFileTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func decode(_ text: String) throws -> RunRecord { try RunFile.decode(Array(text.utf8), path: "run.json") }

    private func complaint(_ text: String) -> String {
        do {
            _ = try decode(text)
            return "nothing"
        } catch {
            return "\(error)"
        }
    }

    // MARK: Round trips

    @Test(arguments: 0..<60 as Range<UInt64>) func everyRecordReadsBackAsItself(seed: UInt64) throws {
        let run = Example.random(seed: seed)
        #expect(try decode(run.document.json()) == run)
        #expect(try decode(run.document.json(indent: 1)) == run)
    }

    @Test func aFullRecordReadsBackAsItselfAndFromAnEnvelope() throws {
        let run = Example.run()
        #expect(try decode(run.document.json()) == run)
        let envelope = "{\"schema_version\":1,\"command\":\"up\",\"status\":\"ok\",\"data\":\(run.document.json())}"
        #expect(try decode(envelope) == run)
    }

    @Test func numbersThatJSONCannotHoldAreLeftOut() throws {
        var run = Example.run(rounds: 1)
        (run.rounds[0].loss, run.rounds[0].accuracy, run.wallSeconds) = (.nan, .infinity, -.infinity)
        let read = try decode(run.document.json())
        #expect(read.rounds[0].loss == nil)
        #expect(read.rounds[0].accuracy == nil)
        #expect(read.wallSeconds == -.greatestFiniteMagnitude)
    }

    /// The names are those of `simulate --format json`, which scripts rely on.
    @Test func theNamesAreThoseOfTheContract() throws {
        let data = Data(Example.run().document.json().utf8)
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let head = [
            "federation", "seed", "devices", "aggregators", "rounds", "final", "wall_seconds", "peak_rss_bytes",
            "client_rounds_per_second",
        ]
        #expect(head.allSatisfy { object[$0] != nil })
        let round = try #require((object["rounds"] as? [[String: Any]])?.first)
        let row = [
            "round", "loss", "accuracy", "selected", "reported", "bytes_up", "bytes_down", "virtual_seconds",
            "wall_seconds", "model_sha256",
        ]
        #expect(row.allSatisfy { round[$0] != nil })
        #expect((round["bytes_up"] as? [String: Int])?["region"] == 30_000)
        let final = try #require(object["final"] as? [String: Any])
        #expect(Set(final.keys) == ["accuracy", "loss", "model_sha256"])
        #expect(final["accuracy"] as? Double == Example.run().rounds.last?.accuracy)
    }

    // MARK: Damage

    @Test func damageIsToldWithItsPlaceAndARemedy() throws {
        let whole = Example.run(rounds: 3).document.json()
        func changed(_ old: String, _ new: String) throws -> String {
            #expect(whole.contains(old), "\(old)")
            return complaint(whole.replacingOccurrences(of: old, with: new))
        }
        #expect(complaint(whole) == "nothing")
        #expect(try changed("\"seed\":18446744073709551615", "\"seed\":\"7\"").hasPrefix("run.json: seed: "))
        #expect(try changed("\"seed\":18446744073709551615,", "").contains("'seed' is missing"))
        #expect(try changed("\"round\":2,", "\"round\":-2,").contains("a whole number is negative"))
        #expect(try changed("\"round\":2,", "\"round\":1,").contains("rounds[1].round: 1 after 1"))
        #expect(try changed("\"selected\":100", "\"selected\":null").contains("rounds[0].selected: null"))
        #expect(try changed("\"mode\":\"stepping\"", "\"mode\":\"dancing\"").hasPrefix("run.json: tiers[1].mode: "))
        #expect(try changed("[7,0]", "[7]").contains("labels.counts"))
        #expect(try changed("\"format\":1", "\"format\":9").contains("newer"))
        let two = Example.run(rounds: 2).document.json(indent: 1)
        #expect(
            complaint(two.replacingOccurrences(of: "\"seed\": ", with: "\"seed\": x")).hasPrefix(
                "run.json:5:10: no JSON: no value"))
        for cut in [0, 1, whole.utf8.count / 2, whole.utf8.count - 1] {
            #expect(complaint(String(whole.prefix(cut))).contains("damaged"), "\(cut)")
        }
        #expect(complaint("{\"a\":1}").contains("no run record"))
        #expect(complaint("[1,2]").contains("run.json: "))
        #expect(complaint("hello").contains("JSON"))
    }

    /// What the decoder refuses as no JSON has a flaw, and what it takes has none.
    @Test func flawsAreThoseOfJSON() throws {
        let json = ["0", " [1, -2.5e+3, true, null]\n", "{\"a\":{\"b\":[\"\\\\\",\"\\\"\"]}}", "\"\"", "[]", "{}"]
        for text in json { #expect(JSONFlaw.first(in: Array(text.utf8)) == nil, "\(text)") }
        let flawed = [
            "": "the text ends too early", "[1,]": "no value stands here", "[1 2]": "']' is missing",
            "{\"a\" 1}": "':' is missing", "{a:1}": "'\"' is missing", "[1": "the text ends too early",
            "\"a": "a text has no end", "\"a\\": "a text has no end",
            "\"\u{1}\"": "a control character stands in a text",
            "1 2": "text follows the value", "nan": "no value stands here", "inf": "no value stands here",
            String(repeating: "[", count: 100): "values are nested more than 64 deep",
        ]
        for (text, problem) in flawed { #expect(JSONFlaw.first(in: Array(text.utf8))?.problem == problem, "\(text)") }
        let second = JSONFlaw.first(in: Array("{\n \"a\": ?}".utf8))
        #expect(second?.line == 2 && second?.column == 7)
    }

    @Test func anyBytesAreARecordOrAnError() {
        let whole = Array(Example.run(rounds: 2).document.json().utf8)
        for position in stride(from: 0, to: whole.count, by: 7) {
            var bytes = whole
            bytes[position] = UInt8(truncatingIfNeeded: position &* 31)
            _ = try? RunFile.decode(bytes, path: "x")
        }
    }

    @Test func aMissingRunSaysWhatToName() {
        for path in [directory.path, directory("nothing")] {
            do {
                _ = try RunFile.read(path)
                Issue.record("\(path) was read")
            } catch {
                #expect("\(error)".contains("no such file") && "\(error)".contains("run.json"), "\(error)")
            }
        }
    }

    // MARK: The writer

    @Test func aRunLeavesItsFilesAndReadsBack() throws {
        let run = Example.run(rounds: 5)
        let writer = try RunWriter(directory: directory("run"))
        try writer.finish(run)
        #expect(try RunFile.read(directory("run")) == run)
        #expect(try RunFile.read(directory("run/run.json")) == run)
        #expect(RunFile.directory(of: directory("run/run.json")) == directory("run"))
        let names = try FileManager.default.contentsOfDirectory(atPath: directory("run")).sorted()
        #expect(names == ["metrics.jsonl", "report.html", "run.json", "tensorboard"])
        let lines = try directory.text("run/metrics.jsonl").split(separator: "\n")
        #expect(lines.count == 6)
        #expect(lines.last?.contains("\"event\":\"finished\",\"complete\":true") == true)
        let metrics = Array(try directory.text("run/metrics.jsonl").utf8)
        #expect(try RunFile.rounds(metrics, path: "metrics.jsonl") == run.rounds)
    }

    @Test func aRunThatWasKilledIsReadFromItsMetrics() throws {
        var run = Example.run(rounds: 4)
        let rounds = run.rounds
        (run.rounds, run.isComplete) = ([], false)
        let writer = try RunWriter(directory: directory.path)
        try writer.begin(run)
        for round in rounds {
            try writer.round(round)
            run.rounds.append(round)
            #expect(try RunFile.read(directory.path) == run)
        }
        // The line that was being written is not there yet.
        let whole = try directory.text("metrics.jsonl")
        for cut in 1...40 {
            try directory.write(String(whole.dropLast(cut)), as: "metrics.jsonl")
            #expect(try RunFile.read(directory.path).rounds == Array(rounds.dropLast()))
        }
        try directory.write(whole.replacingOccurrences(of: "\"round\":2", with: "\"round\":x"), as: "metrics.jsonl")
        let error = #expect(throws: FilesError.self) { try RunFile.read(directory.path) }
        #expect("\(error.map { "\($0)" } ?? "")".contains("metrics.jsonl:2:26: no JSON: no value"))
    }
}
