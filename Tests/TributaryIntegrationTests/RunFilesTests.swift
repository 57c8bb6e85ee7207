// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// What a run leaves in its directory, whole or cut short, and the verbs that look at it.
@Suite(.serialized) struct RunFilesTests {
    private func up(_ fleet: Fleet, _ scene: Scene, _ more: [String] = []) throws -> Summary {
        let topology = try fleet.directory.write(scene.text, as: "scene.yaml")
        let words = ["up", topology, "--format", "json", "--runs", fleet.directory("runs")]
        return try Summary(fleet.succeed("up", words + more))
    }

    private func object(_ path: String) throws -> [String: Any] {
        let data = try Data(contentsOf: URL(filePath: path))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    private func lines(_ path: String) throws -> [String] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
    }

    @Test func aRunLeavesItsRecordMetricsEventsAndReport() throws {
        try Fleet.with { fleet in
            let summary = try up(fleet, Scene(regions: ["east", "west"]))
            let record = try object(summary.directory + "/run.json")
            #expect(record["complete"] as? Bool == true)
            #expect(record["command"] as? String == "up")
            #expect((record["final"] as? [String: Any])?["model_sha256"] as? String == summary.final.model_sha256)
            let rounds = try #require(record["rounds"] as? [[String: Any]])
            #expect(rounds.count == 3)
            for round in rounds {
                let participation = try #require(round["participation"] as? [String: [String: Int]])
                #expect(participation["region"] == ["chosen": 2, "reported": 2])
                #expect(participation["device"] == ["chosen": 8, "reported": 8])
                let up = try #require(round["bytes_up"] as? [String: Int])
                #expect((up["region"] ?? 0) > 0 && (up["device"] ?? 0) > 0)
                #expect(round["train_loss"] as? Double != nil)
            }
            let metrics = try lines(summary.directory + "/metrics.jsonl")
            #expect(metrics.count == 4)
            #expect(metrics.last?.contains("\"event\":\"finished\",\"complete\":true") == true)
            let events = try FileManager.default.contentsOfDirectory(atPath: summary.directory + "/tensorboard")
            #expect(events.count == 1 && events.allSatisfy { $0.contains("tfevents") })
            let report = try String(contentsOfFile: summary.directory + "/report.html", encoding: .utf8)
            #expect(report.hasPrefix("<!DOCTYPE html>") && report.hasSuffix("</html>\n"))
            #expect(report.contains("scene") && report.contains(">complete<"))
        }
    }

    @Test func aRunThatIsStoppedLeavesWhatThereIsAndSaysSo() throws {
        try Fleet.with { fleet in
            let topology = try fleet.directory.write(Scene(rounds: 100_000).text, as: "scene.yaml")
            let up = try fleet.start("up", ["up", topology, "--runs", fleet.directory("runs"), "--format", "jsonl"])
            try fleet.wait(for: "round", of: up) { $0.round == 3 }
            let runs = fleet.directory("runs")
            let name = try #require(try FileManager.default.contentsOfDirectory(atPath: runs).first)
            let directory = "\(runs)/\(name)"
            // Rounds are on disk while the run goes on.
            try fleet.wait(for: "two lines of metrics") {
                try lines(directory + "/metrics.jsonl").count >= 2 ? () : nil
            }
            up.send(SIGINT)
            try fleet.waitForEnd(of: up)
            #expect(up.ending == .code(1), "\(up.tail)")
            #expect(up.errorLines.contains { $0.hasSuffix("\(directory)/report.html") }, "\(up.tail)")
            let record = try object(directory + "/run.json")
            #expect(record["complete"] as? Bool == false)
            let rounds = try #require(record["rounds"] as? [[String: Any]])
            #expect(rounds.count >= 3)
            #expect(rounds.allSatisfy { $0["model_sha256"] as? String != nil || $0["failure"] as? String != nil })
            let metrics = try lines(directory + "/metrics.jsonl")
            #expect(metrics.count == rounds.count + 1)
            #expect(metrics.last?.contains("\"complete\":false") == true)
            let report = try String(contentsOfFile: directory + "/report.html", encoding: .utf8)
            #expect(report.contains("This run was cut short: it ended after \(rounds.count) of 100000 rounds"))
        }
    }

    @Test func reportAndCompareReadRunsThatWereKilledToo() throws {
        try Fleet.with { fleet in
            let whole = try up(fleet, Scene())
            let other = try up(fleet, Scene(), ["--seed", "5"])
            // A run that was killed has its first record, which says that it is not complete, and its metrics.
            let path = other.directory + "/run.json"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let cut = text.replacingOccurrences(of: "\"complete\": true", with: "\"complete\": false")
            #expect(cut != text)
            try Data(cut.utf8).write(to: URL(filePath: path))
            try FileManager.default.removeItem(atPath: other.directory + "/report.html")
            let report = try fleet.succeed("report", ["report", other.directory])
            #expect(report.lines == [other.directory + "/report.html"])
            #expect(try String(contentsOfFile: report.lines[0], encoding: .utf8).contains("cut short"))
            let page = fleet.directory("compare.html")
            let compare = try fleet.succeed("compare", ["compare", whole.directory, path, "-o", page])
            #expect(compare.lines.contains { $0.hasPrefix("seed ") && $0.hasSuffix(" 5") }, "\(compare.tail)")
            #expect(compare.lines.contains { $0.contains("cut short") }, "\(compare.tail)")
            #expect(try String(contentsOfFile: page, encoding: .utf8).contains("2 runs compared"))
            let missing = try fleet.run("report", ["report", fleet.directory("nothing"), "--format", "json"])
            #expect(missing.ending == .code(78))
            #expect(missing.lines.joined().contains("file.missing"), "\(missing.tail)")
            #expect(try fleet.run("compare", ["compare", whole.directory]).ending == .code(64))
        }
    }
}
