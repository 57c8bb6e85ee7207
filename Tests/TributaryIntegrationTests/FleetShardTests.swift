// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// `tributary fleet`: shares of the devices in a few processes, below all parents.
@Suite(.serialized) struct FleetShardTests {
    /// A cloud and two edges.
    private struct Tree {
        let run: ByHand
        let cloud: Running
        let edges: [Running]
        /// Where the edges listen, as options of `fleet`.
        let connect: [String]

        init(_ run: ByHand, _ regions: [String]) throws {
            self.run = run
            cloud = try run.start("cloud")
            let up = try run.endpoint(of: cloud)
            edges = try regions.map { try run.start($0, connect: up) }
            connect = try zip(regions, edges).flatMap { ["--connect", "\($0)=\(try run.endpoint(of: $1))"] }
        }

        /// Waits for the end of everybody, and returns the model.
        func end(_ fleet: Fleet, _ devices: [Running]) throws -> String? {
            for process in [cloud] + edges + devices {
                try fleet.waitForEnd(of: process, within: .seconds(60))
                #expect(process.ending == .code(0), "\(process.tail)")
            }
            return cloud.event("stepped") { $0.round == 2 }?["model"]
        }
    }

    private static let regions = ["east", "west"]
    private var scene: Scene { Scene(rounds: 2, quorum: 1, regions: Self.regions) }

    /// Starts `fleet` with words after those of every share; all shares keep their state in one directory.
    private func start(
        _ fleet: Fleet, _ name: String, _ run: ByHand, _ words: [String], environment: [String: String] = [:]
    ) throws -> Running {
        try fleet.start(
            name, program: Fleet.binary(), ["fleet", run.topology] + run.common("fleet") + words,
            environment: environment)
    }

    /// The result that a process printed last.
    private func result(_ process: Running) throws -> [String: Any] {
        let line = try #require(process.lines.last, "\(process.tail)")
        let envelope = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        return try #require(envelope?["data"] as? [String: Any], "\(process.tail)")
    }

    @Test func threeSharesLearnTheSameModelAsDeviceProcesses() throws {
        try Fleet.with { fleet in
            let run = try ByHand(fleet, scene)
            let first = try Tree(run, Self.regions)
            let byHand = try zip(Self.regions, first.edges).map { region, edge in
                try run.devices(below: region, 0..<4, connect: run.endpoint(of: edge))
            }
            let expected = try #require(try first.end(fleet, byHand))
            let tree = try Tree(run, Self.regions)
            // The second share has devices of both regions; each process learns of its share in another way.
            let shares = [
                try start(fleet, "share 0", run, tree.connect + ["--shard", "0/3", "--threads", "1"]),
                try start(
                    fleet, "share 1", run, tree.connect,
                    environment: [
                        "SLURM_ARRAY_TASK_ID": "2", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_COUNT": "3",
                    ]),
                try start(
                    fleet, "share 2", run, tree.connect,
                    environment: ["JOB_COMPLETION_INDEX": "2", "TRIBUTARY_SHARD_COUNT": "3"]),
            ]
            #expect(try tree.end(fleet, shares) == expected)
            for round in 1...2 {
                #expect(tree.cloud.event("round-collected") { $0.round == round }?["reported"] == 8)
            }
            let results = try shares.map(result)
            #expect(results.compactMap { $0["devices"] as? Int } == [3, 3, 2])
            #expect(results.compactMap { $0["uploads"] as? Int } == [6, 6, 4])
            #expect(results.compactMap { $0["shard"] as? String } == ["0/3", "1/3", "2/3"])
            #expect(results[1]["parents"] as? [String] == Self.regions)
        }
    }

    @Test func aTerminatedShareSaysGoodbyeForAllItsDevices() throws {
        try Fleet.with { fleet in
            var scene = scene
            scene.rounds = 100_000
            scene.quorum = 0.25
            let tree = try Tree(ByHand(fleet, scene), Self.regions)
            let share = try start(fleet, "share", tree.run, tree.connect + ["--shard", "0/1"])
            try fleet.wait(for: "round-closed", of: tree.cloud) { $0["contributors"] == 8 }
            share.send(SIGTERM)
            try fleet.waitForEnd(of: share, within: .seconds(10))
            #expect(share.ending == .code(0), "\(share.tail)")
            let finished = share.events.filter { $0.name == "finished" && $0["reason"] == "run.stopped" }
            #expect(Set(finished.map(\.node)).count == 8)
            for edge in tree.edges {
                try fleet.wait(for: "four goodbyes at \(edge.name)") {
                    let left = edge.events.filter { $0.name == "child-gone" && $0["reason"] == "run.stopped" }
                    return left.count == 4 ? () : nil
                }
            }
        }
    }

    @Test func aShareWithoutDevicesEndsAndSaysSo() throws {
        try Fleet.with { fleet in
            let run = try ByHand(fleet, scene)
            let share = try start(fleet, "share", run, ["--shard", "8/9"])
            try fleet.waitForEnd(of: share)
            #expect(share.ending == .code(0))
            #expect(share.tail.contains("is empty: there are 8 devices"), "\(share.tail)")
            #expect(try result(share)["devices"] as? Int == 0)
        }
    }

    @Test(arguments: [
        (["--shard", "3/2"], "0 to 1"), (["--shard", "0/0"], "at least 1"),
        (["--shard", "a/b"], "from 0 to COUNT - 1"),
        ([], "--shard 0/1"), (["--shard", "0/1", "--threads", "0"], "at least 1"),
        (["--shard", "0/1", "--connect", "east"], "NAME=ENDPOINT"),
        (["--shard", "0/1", "--connect", "east=tcp://127.0.0.1:*"], "NAME=ENDPOINT"),
        (
            ["--shard", "0/1", "--connect", "east=tcp://127.0.0.1:1", "--connect", "east=tcp://127.0.0.1:2"],
            "given twice"
        ),
    ])
    func wrongWordsAreUsageErrors(words: [String], says: String) throws {
        try Fleet.with { fleet in
            let topology = try fleet.directory.write(scene.text, as: "scene.yaml")
            let share = try fleet.run("share", ["fleet", topology] + words)
            #expect(share.ending == .code(64), "\(share.tail)")
            #expect(share.tail.contains(says), "\(share.tail)")
        }
    }

    @Test func theFlagWinsOverTheScheduler() throws {
        try Fleet.with { fleet in
            let run = try ByHand(fleet, scene)
            let variables = ["SLURM_PROCID": "0", "SLURM_NTASKS": "2"]
            let share = try start(fleet, "share", run, ["--shard", "8/9"], environment: variables)
            try fleet.waitForEnd(of: share)
            #expect(try result(share)["shard"] as? String == "8/9")
            #expect(share.tail.contains("not 0/2 of SLURM_PROCID"), "\(share.tail)")
            let lost = try start(fleet, "lost", run, [], environment: ["JOB_COMPLETION_INDEX": "0"])
            try fleet.waitForEnd(of: lost)
            #expect(lost.ending == .code(64))
            #expect(lost.tail.contains("TRIBUTARY_SHARD_COUNT"), "\(lost.tail)")
        }
    }

    @Test func unknownParentsAndTooFewOpenFilesAreToldBeforeTheStart() throws {
        try Fleet.with { fleet in
            let run = try ByHand(fleet, scene)
            let unknown = try start(
                fleet, "unknown", run, ["--shard", "0/1", "--connect", "north=tcp://127.0.0.1:1"])
            try fleet.waitForEnd(of: unknown)
            #expect(unknown.ending == .code(78))
            #expect(unknown.tail.contains("no aggregator 'north'"), "\(unknown.tail)")
            let words = [try Fleet.binary(), "fleet", run.topology, "--shard", "0/1"] + run.common("few")
            let few = try fleet.start(
                "few", program: "/bin/sh", ["-c", "ulimit -n 160; exec \"$@\"", "sh"] + words)
            try fleet.waitForEnd(of: few)
            #expect(few.ending == .code(75), "\(few.tail)")
            #expect(few.tail.contains("open files"), "\(few.tail)")
        }
    }

    @Test func aLowSoftLimitOfOpenFilesIsRaised() throws {
        try Fleet.with { fleet in
            let run = try ByHand(fleet, scene)
            let tree = try Tree(run, Self.regions)
            let words = [try Fleet.binary(), "fleet", run.topology, "--shard", "0/1"] + run.common("fleet")
            let share = try fleet.start(
                "share", program: "/bin/sh", ["-c", "ulimit -Sn 24; exec \"$@\"", "sh"] + words + tree.connect)
            #expect(try tree.end(fleet, [share]) != nil)
        }
    }
}
