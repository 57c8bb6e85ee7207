// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Aggregators die and disks fail in the middle of rounds; `Tests/Verify/crash_points.py` tries every point of it.
@Suite(.serialized) struct KillTests {
    private var scene: Scene {
        var scene = Scene(rounds: 5)
        // Everybody takes part in every round, so that the accepted set is that of a run without deaths.
        scene.quorum = 1.0
        return scene
    }

    /// Starts `up`, with fail points if any; its events come as lines.
    private func up(_ fleet: Fleet, _ name: String, failPoint: String? = nil) throws -> Running {
        let topology = try fleet.directory.write(scene.text, as: "\(name).yaml")
        return try fleet.start(
            name, program: Fleet.binary(),
            ["up", topology, "--runs", fleet.directory("runs-\(name)"), "--format", "jsonl"],
            environment: failPoint.map { ["TRIBUTARY_FAIL_POINT": $0] } ?? [:])
    }

    private func models(_ up: Running) -> [String] {
        up.events.filter { $0.name == "round" }.compactMap { $0["model_sha256"] }
    }

    private func directory(_ fleet: Fleet, _ name: String) throws -> String {
        let runs = fleet.directory("runs-\(name)")
        return try "\(runs)/\(#require(try FileManager.default.contentsOfDirectory(atPath: runs).first))"
    }

    @Test func aRunWhoseAggregatorsAreKilledLearnsTheSameModel() throws {
        try Fleet.with { fleet in
            let undisturbed = try up(fleet, "undisturbed")
            try fleet.waitForEnd(of: undisturbed, within: .seconds(60))
            let expected = models(undisturbed)
            #expect(expected.count == 5, "\(undisturbed.tail)")

            let killed = try up(fleet, "killed")
            for (round, name) in [(1, "east"), (2, "cloud"), (3, "east"), (4, "cloud")] {
                try fleet.wait(for: "round", of: killed, within: .seconds(60)) { $0.round == round }
                let processes = try Summary.processes(in: try directory(fleet, "killed"))
                let pid = try #require(processes.last { $0.name == name }?.pid)
                kill(pid, SIGKILL)
            }
            try fleet.waitForEnd(of: killed, within: .seconds(60))
            #expect(killed.ending == .code(0), "\(killed.tail)")
            #expect(models(killed) == expected, "\(killed.tail)")
            #expect(killed.errorLines.count { $0.contains("runs again") } >= 3, "\(killed.tail)")
        }
    }

    @Test func aDiskThatIsFullForAWhileDelaysARunAndChangesNothing() throws {
        try Fleet.with { fleet in
            let undisturbed = try up(fleet, "undisturbed")
            try fleet.waitForEnd(of: undisturbed, within: .seconds(60))
            for point in ["75:enospc:east", "40:enospc:cloud"] {
                let name = point.replacingOccurrences(of: ":", with: "-")
                let full = try up(fleet, name, failPoint: point)
                try fleet.waitForEnd(of: full, within: .seconds(90))
                #expect(full.ending == .code(0), "\(point): \(full.tail)")
                #expect(models(full) == models(undisturbed), "\(point): \(full.tail)")
            }
        }
    }

    @Test func aDiskThatFailsEndsTheNodeAndNothingIsPromisedAnyMore() throws {
        try Fleet.with { fleet in
            let failing = try up(fleet, "failing", failPoint: "60:fsync:cloud")
            try fleet.waitForEnd(of: failing, within: .seconds(60))
            #expect(failing.ending != .code(0), "\(failing.tail)")
            let log = try String(contentsOfFile: directory(fleet, "failing") + "/logs/cloud.log", encoding: .utf8)
            #expect(log.contains("object.storage"), "\(log)")
            #expect(!failing.errorLines.contains { $0.contains("runs again") }, "\(failing.tail)")
        }
    }

    @Test func aDamagedJournalIsRefusedWithItsPlaceAndLeftAlone() throws {
        try Fleet.with { fleet in
            let run = try ByHand(fleet, Scene(rounds: 100_000))
            let cloud = try run.start("cloud")
            let east = try run.start("east", connect: run.endpoint(of: cloud))
            try run.devices(below: "east", 0..<4, connect: run.endpoint(of: east))
            try fleet.wait(for: "round-closed", of: cloud)
            for process in fleet.processes { process.kill() }
            let path = fleet.directory("state/cloud/journal/journal.sqlite-wal")
            var bytes = try Data(contentsOf: URL(filePath: path))
            // A bit of the second page that the log holds.
            bytes[32 + 24 + 4096 + 24 + 100] ^= 1
            try bytes.write(to: URL(filePath: path))
            let again = try run.start("cloud")
            try fleet.waitForEnd(of: again)
            #expect(again.ending != .code(0), "\(again.tail)")
            let said = again.errorLines.joined(separator: " ")
            #expect(said.contains("/journal/") && said.contains("nothing was changed"), "\(again.tail)")
        }
    }

    @Test func aStateDirectoryOfAnotherRunIsRefusedUntilThatIsOver() throws {
        try Fleet.with { fleet in
            let run = try ByHand(fleet, Scene(rounds: 100_000))
            let cloud = try run.start("cloud")
            let east = try run.start("east", connect: run.endpoint(of: cloud))
            try run.devices(below: "east", 0..<4, connect: run.endpoint(of: east))
            try fleet.wait(for: "round-closed", of: cloud)
            for process in fleet.processes { process.kill() }
            let other = try fleet.start("other", run.node("cloud") + ["--seed", "99"])
            try fleet.waitForEnd(of: other)
            #expect(other.ending != .code(0), "\(other.tail)")
            #expect(other.errorLines.joined().contains("is not over"), "\(other.tail)")
            let again = try run.start("cloud")
            try fleet.wait(for: "listening", of: again)
        }
    }
}
