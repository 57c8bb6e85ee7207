// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Testing

/// Grids of simulations as processes.
@Suite struct SweepTests {
    private func scene(_ fleet: Fleet, _ scene: Scene = Scene()) throws -> String {
        try fleet.directory.write(scene.text, as: "scene.yaml")
    }

    /// What a verb printed as JSON, its envelope.
    private func envelope(_ process: Running) throws -> [String: Any] {
        let data = Data(process.lines.joined(separator: "\n").utf8)
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any], "\(process.tail)")
    }

    private func sweep(
        _ fleet: Fleet, _ topology: String, _ arguments: [String]
    ) throws -> (process: Running, envelope: [String: Any], data: [String: Any]) {
        let process = try fleet.run(
            "sweep",
            ["simulate", topology, "--runs", fleet.directory("runs"), "--format", "json"] + arguments,
            within: .seconds(120))
        let envelope = try envelope(process)
        return (process, envelope, envelope["data"] as? [String: Any] ?? [:])
    }

    private func final(_ object: [String: Any]) -> String? {
        (object["final"] as? [String: Any])?["model_sha256"] as? String
    }

    @Test("a grid of two by two gives the models of four single runs")
    func gridIsSingleRuns() throws {
        try Fleet.with { fleet in
            let topology = try scene(fleet)
            let grid = try sweep(
                fleet, topology, ["--set", "tiers.device.train.batch=8,16", "--set", "seed=1,2", "--jobs", "2"])
            #expect(grid.process.ending == .code(0), "\(grid.process.tail)")
            let points = try #require(grid.data["points"] as? [[String: Any]])
            #expect(points.count == 4)
            let expected = [("8", "1"), ("8", "2"), ("16", "1"), ("16", "2")]
            for (point, (batch, seed)) in zip(points, expected) {
                let settings = try #require(point["settings"] as? [String: String])
                #expect(settings == ["tiers.device.train.batch": batch, "seed": seed])
                // The same by a file that says so itself.
                var other = Scene()
                other.train = ["local-epochs: 1", "batch: \(batch)"]
                let file = try fleet.directory.write(other.text, as: "single-\(batch).yaml")
                let single = try fleet.succeed(
                    "single",
                    ["simulate", file, "--seed", seed, "--runs", fleet.directory("single"), "--format", "json"])
                let data = try #require(try envelope(single)["data"] as? [String: Any])
                #expect(final(point) != nil)
                #expect(final(point) == final(data))
                let directory = try #require(point["directory"] as? String)
                for name in ["run.json", "report.html", "model.safetensors", "log"] {
                    #expect(access(directory + "/" + name, F_OK) == 0, "\(directory)/\(name)")
                }
            }
            #expect(Set(points.map { final($0) ?? "" }).count == 4)
            let groups = try #require(grid.data["groups"] as? [[String: Any]])
            #expect(groups.map { $0["complete"] as? Int } == [2, 2])
            let accuracy = try #require(groups[0]["accuracy"] as? [String: Any])
            let accuracies = points.prefix(2).compactMap {
                (($0["final"] as? [String: Any])?["accuracy"] as? NSNumber)?.doubleValue
            }
            let mean = try #require((accuracy["mean"] as? NSNumber)?.doubleValue)
            #expect(abs(mean - accuracies.reduce(0, +) / 2) < 1e-12)
            let directory = try #require(grid.data["directory"] as? String)
            let record = try String(contentsOfFile: directory + "/sweep.json", encoding: .utf8)
            #expect(record.contains(try #require(final(points[3]))))
            let page = try String(contentsOfFile: directory + "/compare.html", encoding: .utf8)
            #expect(page.contains("4 runs compared"))
        }
    }

    @Test("one value is an ordinary run, which goes on under the same values only")
    func singleRun() throws {
        try Fleet.with { fleet in
            let topology = try scene(fleet)
            let run = try sweep(fleet, topology, ["--set", "rounds=2", "--set", "tiers.device.train.batch=8"])
            #expect(run.process.ending == .code(0), "\(run.process.tail)")
            #expect((run.data["rounds"] as? [Any])?.count == 2)
            let directory = try #require(run.data["directory"] as? String)
            let other = try sweep(fleet, topology, ["--set", "rounds=2", "--resume", directory])
            #expect(other.process.ending == .code(78), "\(other.process.tail)")
            #expect("\(other.envelope)".contains("run.other_topology"))
        }
    }

    @Test("a point that fails does not hold up the others, and the table says why")
    func failingPoint() throws {
        try Fleet.with { fleet in
            let topology = try scene(fleet)
            let words = ["--set", "tiers.device.train.batch=0,8", "--jobs", "1"]
            let grid = try sweep(fleet, topology, words)
            #expect(grid.process.ending == .code(1), "\(grid.process.tail)")
            #expect(grid.envelope["status"] as? String == "error")
            let points = try #require(grid.data["points"] as? [[String: Any]])
            #expect(points.map { $0["state"] as? String } == ["failed", "complete"])
            let error = try #require(points[0]["error"] as? [String: Any])
            #expect(error["code"] as? String == "topology.range")
            #expect((error["message"] as? String)?.hasPrefix("--set tiers.device.train.batch: must lie in") == true)
            let text = try fleet.run(
                "text", ["simulate", topology, "--runs", fleet.directory("runs")] + words, within: .seconds(60))
            #expect(text.lines.contains { $0.hasSuffix("failed: topology.range") }, "\(text.tail)")
            #expect(text.lines.contains { $0.hasPrefix("point 1 failed: --set tiers.device.train.batch: must lie in") })
        }
    }

    @Test("events tell of each point as it ends")
    func events() throws {
        try Fleet.with { fleet in
            let topology = try scene(fleet)
            let run = try fleet.succeed(
                "sweep",
                ["simulate", topology, "--runs", fleet.directory("runs"), "--format", "jsonl", "--set", "rounds=1,2"])
            #expect(run.events.filter { $0.name == "point" }.count == 2)
            #expect(run.errorLines.contains { $0.hasPrefix("point 1/2  rounds=1  accuracy ") }, "\(run.tail)")
            #expect(run.lines.last?.contains("\"groups\":[") == true)
        }
    }

    @Test(
        "what cannot be is refused before anything is started",
        arguments: [
            (
                ["tiers.device.batch=8,16"], Int32(78),
                "--set tiers.device.batch: unknown key (did you mean \"train.batch\"?)"
            ),
            (["tiers.device.batch=8"], 78, "--set tiers.device.batch: unknown key (did you mean \"train.batch\"?)"),
            (["tiers.devise.quorum=1,0.5"], 78, "(did you mean \"device\"?)"),
            (["rounds"], 64, "write it as PATH=VALUE"),
            (["rounds=1,,2"], 64, "a value is missing"),
            (["rounds=1", "rounds=2"], 64, "given twice"),
            (
                [
                    "rounds=" + (1...101).map(String.init).joined(separator: ","),
                    "seed=" + (1...100).map(String.init).joined(separator: ","),
                ], 64, "10100 points"
            ),
        ])
    func refused(settings: [String], code: Int32, words: String) throws {
        try Fleet.with { fleet in
            let topology = try scene(fleet)
            let run = try fleet.run(
                "refused",
                ["simulate", topology, "--runs", fleet.directory("runs")] + settings.flatMap { ["--set", $0] })
            #expect(run.ending == .code(code), "\(run.tail)")
            #expect(run.errorLines.contains { $0.contains(words) }, "\(run.tail)")
            #expect(access(fleet.directory("runs"), F_OK) != 0)
        }
    }

    @Test("options that say the same, or go with one run only, are refused")
    func exclusive() throws {
        try Fleet.with { fleet in
            let topology = try scene(fleet)
            for words in [
                ["--seed", "1", "--set", "seed=2"], ["--rounds", "1", "--set", "rounds=2,3"],
                ["--resume", "x", "--set", "rounds=2,3"], ["--jobs", "0"],
            ] {
                #expect(try fleet.run("refused", ["simulate", topology] + words).ending == .code(64), "\(words)")
            }
            for verb in [["validate"], ["config"], ["show"], ["explain", "capacity"], ["data", "summary"]] {
                let several = try fleet.run("several", verb + [topology, "--set", "rounds=2,3"])
                #expect(several.ending == .code(64), "\(several.tail)")
                let one = try fleet.run("one", verb + [topology, "--set", "rounds=0"])
                #expect(one.ending == .code(78), "\(one.tail)")
                #expect(one.errorLines.contains { $0.hasPrefix("--set rounds: must lie in") }, "\(one.tail)")
            }
            let config = try fleet.succeed("config", ["config", topology, "--set", "rounds=9"])
            #expect(config.lines.contains { $0.hasPrefix("rounds: 9 ") && $0.hasSuffix("# --set rounds") })
        }
    }

    // MARK: Ending

    /// A grid of runs that take longer than any test, once two of them have closed rounds.
    private func longSweep(_ fleet: Fleet, _ test: (Running, [pid_t]) throws -> Void) throws {
        let topology = try scene(fleet, Scene(rounds: 1_000_000))
        let sweep = try fleet.start(
            "sweep",
            ["simulate", topology, "--runs", fleet.directory("runs"), "--format", "json", "--jobs", "2"]
                + ["--set", "seed=1,2,3,4"])
        let children = try fleet.wait(for: "two runs with rounds") { () -> [pid_t]? in
            let children = Self.children(of: sweep.pid)
            let metrics = try FileManager.default.subpathsOfDirectory(atPath: fleet.directory.path).filter { path in
                guard path.hasSuffix("metrics.jsonl") else { return false }
                return try FileManager.default.attributesOfItem(atPath: fleet.directory(path))[.size] as? Int ?? 0 > 0
            }
            return children.count == 2 && metrics.count == 2 ? children : nil
        }
        try test(sweep, children)
        // A zombie of a process that is gone counts as ended: whoever inherits it takes its status.
        try fleet.wait(for: "the end of all runs") { children.allSatisfy(Self.hasEnded) ? true : nil }
    }

    private static func children(of pid: pid_t) -> [pid_t] {
        let text = try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)
        return (text ?? "").split(separator: " ").compactMap { pid_t($0) }
    }

    private static func hasEnded(_ pid: pid_t) -> Bool {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return true }
        return text.split(separator: ")").last?.split(separator: " ").first == "Z"
    }

    @Test("Ctrl-C ends all runs cleanly, with what there is of them")
    func interrupt() throws {
        try Fleet.with { fleet in
            try longSweep(fleet) { sweep, _ in
                sweep.send(SIGINT)
                try fleet.waitForEnd(of: sweep, within: .seconds(60))
                #expect(sweep.ending == .code(1), "\(sweep.tail)")
                let envelope = try envelope(sweep)
                #expect((envelope["error"] as? [String: Any])?["code"] as? String == "run.stopped")
                let data = try #require(envelope["data"] as? [String: Any])
                let points = try #require(data["points"] as? [[String: Any]])
                #expect(points.map { $0["state"] as? String } == ["stopped", "stopped", "waiting", "waiting"])
                for point in points.prefix(2) {
                    #expect(point["rounds"] as? Int ?? 0 > 0)
                    let directory = try #require(point["directory"] as? String)
                    #expect(access(directory + "/report.html", F_OK) == 0)
                }
            }
        }
    }

    @Test("no run outlives a grid that is killed")
    func killed() throws {
        try Fleet.with { fleet in try longSweep(fleet) { sweep, _ in sweep.kill() } }
    }

    @Test("a second Ctrl-C ends all at once")
    func secondInterrupt() throws {
        try Fleet.with { fleet in
            try longSweep(fleet) { sweep, children in
                // Stopped, they cannot end cleanly, so that the grid waits for them.
                for child in children { kill(child, SIGSTOP) }
                sweep.send(SIGINT)
                try fleet.wait(for: "the first signal to be taken") {
                    children.allSatisfy { Self.hasPending(SIGTERM, $0) } ? true : nil
                }
                sweep.send(SIGINT)
                try fleet.waitForEnd(of: sweep, within: .seconds(20))
                #expect(sweep.ending == .code(128 + SIGINT), "\(sweep.tail)")
                for child in children { kill(child, SIGCONT) }
            }
        }
    }

    /// Whether a process has a signal that it has not taken yet.
    private static func hasPending(_ signal: Int32, _ pid: pid_t) -> Bool {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("ShdPnd:") }
        guard let mask = line?.split(separator: "\t").last.flatMap({ UInt64($0, radix: 16) }) else { return true }
        return mask & (1 << UInt64(signal - 1)) != 0
    }
}
