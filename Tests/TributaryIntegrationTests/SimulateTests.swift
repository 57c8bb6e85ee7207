// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Testing

/// `tributary simulate` as a process: the same models as `up`, stopping and going on, and what it refuses.
@Suite(.serialized) struct SimulateTests {
    /// A federation of a cloud, maybe regions, and eight devices.
    private static func text(
        rounds: Int = 3, seed: Int = 4, region: String? = nil, train: String = "{local-epochs: 1, batch: 16}",
        simulate: String = "{}"
    ) -> String {
        let region = region.map { "  - {name: region, nodes: [east, west], quorum: 1\($0)}\n" } ?? ""
        return """
            tributary: v1
            federation: scene
            seed: \(seed)
            model: {kind: mlp, hidden: [8]}
            data: {kind: synthetic, examples: 240, features: 8, classes: 3}
            rounds: \(rounds)
            simulate: \(simulate)
            tiers:
              - {name: cloud, quorum: 1, deadline: 60s}
            \(region)  - {name: device, per-parent: \(region.isEmpty ? 8 : 4), train: \(train)}

            """
    }

    private static func simulate(_ fleet: Fleet, _ file: String, _ more: [String] = []) -> [String] {
        ["simulate", file, "--format", "json", "--runs", fleet.directory("runs")] + more
    }

    private static func record(_ directory: String) throws -> [String: Any] {
        let data = try Data(contentsOf: URL(filePath: directory + "/run.json"))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test(arguments: ["flat", "edge rounds", "none"])
    func aFileLearnsTheSameModelSimulatedAndDeployed(_ kind: String) throws {
        try Fleet.with { fleet in
            let text =
                switch kind {
                case "flat": Self.text()
                case "edge rounds": Self.text(region: ", edge-rounds: 2, optimizer: {kind: fedavg}")
                default: Self.text(region: "", train: "none")
                }
            let file = try fleet.directory.write(text, as: "scene.yaml")
            let up = try Summary(
                fleet.succeed("up", ["up", file, "--format", "json", "--runs", fleet.directory("up")]))
            let first = try Summary(fleet.succeed("one thread", Self.simulate(fleet, file, ["--threads", "1"])))
            let second = try Summary(fleet.succeed("three threads", Self.simulate(fleet, file, ["--threads", "3"])))
            #expect(first.final.model_sha256?.count == 64)
            #expect(first.rounds.map(\.model_sha256) == up.rounds.map(\.model_sha256))
            #expect(first.rounds.map(\.model_sha256) == second.rounds.map(\.model_sha256))
            #expect(first.final.accuracy == up.final.accuracy)
        }
    }

    @Test func anInterruptedRunSaysSoAndIsResumedToTheSameModel() throws {
        try Fleet.with { fleet in
            let text = Self.text(rounds: 150, region: "", train: "{local-epochs: 20, batch: 4}")
            let file = try fleet.directory.write(text, as: "scene.yaml")
            let whole = try Summary(fleet.succeed("whole", Self.simulate(fleet, file)))
            let words = ["simulate", file, "--format", "jsonl", "--runs", fleet.directory("stopped")]
            let stopped = try fleet.start("stopped", words)
            try fleet.wait(for: "round", of: stopped) { $0.round == 3 }
            stopped.send(SIGINT)
            try fleet.waitForEnd(of: stopped)
            #expect(stopped.ending == .code(1), "\(stopped.tail)")
            #expect(stopped.tail.contains("--resume"), "\(stopped.tail)")
            let runs = fleet.directory("stopped")
            let name = try #require(try FileManager.default.contentsOfDirectory(atPath: runs).first)
            let directory = "\(runs)/\(name)"
            let partial = try Self.record(directory)
            #expect(partial["complete"] as? Bool == false)
            #expect((try String(contentsOfFile: directory + "/report.html", encoding: .utf8)).hasPrefix("<!DOCTYPE"))
            try expectRefusals(fleet, file, directory)
            let resumed = try Summary(fleet.succeed("resumed", Self.simulate(fleet, file, ["--resume", directory])))
            #expect(resumed.directory == directory)
            #expect(resumed.rounds.map(\.round) == Array(1...150))
            #expect(resumed.final.model_sha256 == whole.final.model_sha256)
            #expect(resumed.rounds.map(\.model_sha256) == whole.rounds.map(\.model_sha256))
            #expect(try Self.record(directory)["complete"] as? Bool == true)
        }
    }

    /// A run is not resumed with another seed or file, nor from a damaged state or a directory of something else.
    private func expectRefusals(_ fleet: Fleet, _ file: String, _ directory: String) throws {
        func refusal(_ file: String, _ directory: String, _ more: [String] = []) throws -> String {
            let process = try fleet.run("refused", Self.simulate(fleet, file, ["--resume", directory] + more))
            guard case .code(let code)? = process.ending, code != 0 else {
                throw Trouble("it was not refused: \(process.tail)")
            }
            return "\(code): \(process.tail)"
        }
        #expect(try refusal(file, directory, ["--seed", "9"]).hasPrefix("78"))
        let other = try fleet.directory.write(Self.text(rounds: 151), as: "other.yaml")
        #expect(try refusal(other, directory).contains("another topology, seed or number of rounds"))
        let slower = ["--set", "simulate.compute={kind: constant, time: 90ms}"]
        #expect(try refusal(file, directory, slower).contains("another topology, seed or number of rounds"))
        #expect(try refusal(file, fleet.directory("nothing")).contains("nothing"))
        let damaged = fleet.directory("damaged")
        try FileManager.default.copyItem(atPath: directory, toPath: damaged)
        let state = URL(filePath: damaged + "/state.safetensors")
        let bytes = try Data(contentsOf: state)
        for count in [0, 7, bytes.count / 2, bytes.count - 1] {
            try bytes.prefix(count).write(to: state)
            #expect(try refusal(file, damaged).contains("state.safetensors"), "\(count) bytes are left")
        }
        try Data(bytes.reversed()).write(to: state)
        #expect(try refusal(file, damaged).contains("state.safetensors"))
    }

    @Test func aSimulationThatDoesNotFitIsRefusedUnlessForced() throws {
        try Fleet.with { fleet in
            // Thousands of regions with a megabyte of sums each.
            let text = Self.text(region: "", train: "none")
                .replacingOccurrences(of: "nodes: [east, west]", with: "count: 20000")
                .replacingOccurrences(of: "hidden: [8]", with: "hidden: [40000]")
            let file = try fleet.directory.write(text, as: "scene.yaml")
            let process = try fleet.run("large", Self.simulate(fleet, file))
            #expect(process.ending == .code(75), "\(process.tail)")
            #expect(process.tail.contains("--force"), "\(process.tail)")
            #expect(!FileManager.default.fileExists(atPath: fleet.directory("runs")))
        }
    }

    @Test func aWrongTraceIsRefusedWithItsLine() throws {
        try Fleet.with { fleet in
            let rows = (0..<8).map { "\($0),0,9000" }
            let good = (["device,from,to"] + rows).joined(separator: "\n") + "\n"
            let simulate = "{availability: {kind: trace, path: trace.csv}}"
            let file = try fleet.directory.write(Self.text(simulate: simulate), as: "scene.yaml")
            let wrong: [(text: String, says: String)] = [
                ("client,from,to\n0,0,1\n", "trace.csv:1"), (good + "3,8000,9500\n", "trace.csv:10"),
                (good + "3,-4,x\n", "trace.csv:10"), (good + "3,9500\n", "trace.csv:10"),
                (good + "3,nan,inf\n", "trace.csv:10"), (good + "8,0,9000\n", "device 8"),
                (good.replacingOccurrences(of: "5,0,9000\n", with: ""), "device 5"), ("", "trace.csv"),
            ]
            for (text, says) in wrong {
                _ = try fleet.directory.write(text, as: "trace.csv")
                let process = try fleet.run("wrong trace", Self.simulate(fleet, file))
                #expect(process.ending == .code(78), "\(process.tail)")
                #expect(process.tail.contains(says), "\(process.tail)")
            }
            _ = try fleet.directory.write(good.replacingOccurrences(of: "\n", with: "\r\n"), as: "trace.csv")
            #expect(try Summary(fleet.succeed("good trace", Self.simulate(fleet, file))).rounds.count == 3)
        }
    }
}
