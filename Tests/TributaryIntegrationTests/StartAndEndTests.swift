// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Nodes come late, end when they are asked to, and `up` and `down` leave nothing behind.
@Suite(.serialized) struct StartAndEndTests {
    /// Enough rounds that a run never ends by itself during a test.
    private static let endless = 100_000

    @Test func aDeviceThatComesLateTakesPartAndATerminatedRunEndsClean() throws {
        try Fleet.with { fleet in
            let run = try ByHand(fleet, Scene(rounds: Self.endless, deadline: "2s"))
            let cloud = try run.start("cloud")
            let east = try run.start("east", connect: run.endpoint(of: cloud))
            let endpoint = try run.endpoint(of: east)
            let early = try run.devices(below: "east", 0..<3, connect: endpoint)
            try fleet.wait(for: "round-closed", of: cloud) { $0["outcome"] == "committed" && $0["contributors"] == 3 }
            let late = try run.devices(below: "east", 3..<4, connect: endpoint)
            let joined = try fleet.wait(for: "round-closed", of: cloud) { $0["contributors"] == 4 }
            #expect(joined.round > 1)
            try fleet.wait(for: "round-closed", of: late)
            for process in fleet.processes { process.send(SIGTERM) }
            for process in [cloud, east, early, late] {
                try fleet.waitForEnd(of: process, within: .seconds(10))
                #expect(process.ending == .code(0), "\(process.tail)")
                #expect(process.event("finished") { $0["reason"] == "run.stopped" } != nil, "\(process.tail)")
            }
        }
    }

    @Test func aSecondInterruptEndsANodeThatStillWaitsForItsChildren() throws {
        try Fleet.with { fleet in
            let run = try ByHand(fleet, Scene(rounds: Self.endless))
            let cloud = try run.start("cloud")
            let east = try run.start("east", connect: run.endpoint(of: cloud))
            let devices = try run.devices(below: "east", 0..<4, connect: run.endpoint(of: east))
            try fleet.wait(for: "round-closed", of: devices)
            devices.send(SIGSTOP)
            let start = ContinuousClock.now
            east.send(SIGINT)
            try fleet.wait(for: "finished", of: east)
            #expect(east.isRunning)
            east.send(SIGINT)
            try fleet.waitForEnd(of: east, within: .seconds(5))
            #expect(ContinuousClock.now - start < .seconds(2))
            #expect(east.ending == .code(128 + SIGINT), "\(east.tail)")
        }
    }

    // MARK: up and down

    private func up(_ fleet: Fleet) throws -> (up: Running, directory: String, pids: [pid_t]) {
        let topology = try fleet.directory.write(Scene(rounds: Self.endless).text, as: "scene.yaml")
        let runs = fleet.directory("runs")
        let up = try fleet.start("up", ["up", topology, "--runs", runs, "--format", "json"])
        // The third line for people is the first round's.
        try fleet.wait(for: "a round", within: .seconds(30)) {
            guard up.isRunning else { throw Trouble("it ended: \(up.tail)") }
            return up.errorLines.count >= 3 ? () : nil
        }
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: runs).first)
        let processes = try Summary.processes(in: "\(runs)/\(name)")
        #expect(processes.count == 7)
        #expect(processes.allSatisfy { isAlive($0.pid) })
        return (up, "\(runs)/\(name)", processes.map(\.pid))
    }

    private func waitUntilGone(_ pids: [pid_t], _ fleet: Fleet, within limit: Duration = .seconds(10)) throws {
        try fleet.wait(for: "the end of all of \(pids)", within: limit) { pids.contains(where: isAlive) ? nil : () }
    }

    @Test func anInterruptedUpEndsItsNodes() throws {
        try Fleet.with { fleet in
            let (up, _, pids) = try up(fleet)
            let start = ContinuousClock.now
            up.send(SIGINT)
            try fleet.waitForEnd(of: up, within: .seconds(10))
            #expect(up.ending == .code(1), "\(up.tail)")
            #expect(up.errorLines.last?.contains("stopped") == true, "\(up.tail)")
            #expect(!pids.contains(where: isAlive))
            #expect(ContinuousClock.now - start < .seconds(5))
        }
    }

    @Test func nodesEndWhenUpIsKilled() throws {
        try Fleet.with { fleet in
            let (up, _, pids) = try up(fleet)
            up.kill()
            try waitUntilGone(pids, fleet)
        }
    }

    @Test func downEndsARunThatWasStartedElsewhere() throws {
        try Fleet.with { fleet in
            let (up, directory, pids) = try up(fleet)
            let down = try fleet.succeed("down", ["down", directory, "--format", "json"])
            #expect(down.lines.joined().contains("\"ended\":[\"up\""), "\(down.tail)")
            try fleet.waitForEnd(of: up, within: .seconds(1))
            #expect(!pids.contains(where: isAlive))
            let again = try fleet.succeed("down", ["down", directory])
            #expect(again.lines.joined().contains("nothing"), "\(again.tail)")
        }
    }

    @Test func downEndsTheNodesOfAnUpThatHangs() throws {
        try Fleet.with { fleet in
            let (up, directory, pids) = try up(fleet)
            // It cannot end its nodes itself, and its pipes stay open.
            up.send(SIGSTOP)
            try fleet.succeed("down", ["down", directory], within: .seconds(40))
            try waitUntilGone(pids, fleet)
        }
    }
}
