// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Testing

/// Nodes whose parent is gone turn to another one in the middle of a round, and still everybody counts once.
@Suite(.serialized) struct FailoverTests {
    private static let regions = ["east", "west"]

    private var scene: Scene {
        var scene = Scene(rounds: 1, deadline: "60s", quorum: 0.5, regions: Self.regions)
        scene.devicesPerRegion = 2
        scene.failover = "any"
        return scene
    }

    /// A cloud and two regions; the devices of the west are connected and sleep, so that the round stays open.
    private struct Stage {
        let fleet: Fleet
        let run: ByHand
        let cloud: Running
        let nodes: [Running]
        let sleepers: Running
        let devices: Running

        init(_ fleet: Fleet, _ scene: Scene) throws {
            self.fleet = fleet
            let run = try ByHand(fleet, scene)
            let cloud = try run.start("cloud")
            let up = try run.endpoint(of: cloud)
            let nodes = try FailoverTests.regions.map { try run.start($0, connect: up) }
            let (east, west) = (try run.endpoint(of: nodes[0]), try run.endpoint(of: nodes[1]))
            let sleepers = try run.devices(below: "west", 0..<2, connect: west, or: ["east": east])
            (self.run, self.cloud, self.nodes, self.sleepers) = (run, cloud, nodes, sleepers)
            try fleet.wait(for: "both devices of the west") {
                sleepers.events.count { $0.name == "welcomed" } == 2 ? () : nil
            }
            sleepers.send(SIGSTOP)
            devices = try run.devices(below: "east", 0..<2, connect: east, or: ["west": west])
        }

        func waitForMoves(within limit: Duration) throws {
            try fleet.wait(for: "two moves", within: limit) {
                devices.events.count { $0.name == "moved" && $0["parent"] == "west" } == 2 ? () : nil
            }
            for device in ["device-0", "device-1"] {
                try fleet.wait(for: "accepted", of: nodes[1]) { $0["member"] == device }
            }
        }

        func end() throws {
            sleepers.send(SIGCONT)
            for process in [cloud, nodes[1], devices, sleepers] {
                try fleet.waitForEnd(of: process, within: .seconds(90))
                #expect(process.ending == .code(0), "\(process.tail)")
            }
            #expect(cloud.event("round-closed")?["outcome"] == "committed")
            #expect(cloud.event("round-closed")?["contributors"] == 4, "\(cloud.tail)")
        }
    }

    @Test func devicesOfAnEdgeThatIsGoneForGoodFinishTheRoundElsewhere() throws {
        try Fleet.with { fleet in
            let stage = try Stage(fleet, scene)
            try fleet.wait(for: "two receipts") {
                stage.devices.events.count { $0.name == "uploaded" } == 2 ? () : nil
            }
            stage.nodes[0].kill()
            try stage.waitForMoves(within: .seconds(20))
            #expect(stage.devices.events.count { $0.name == "training" } == 2, "they work once")
            try stage.end()
            let path = fleet.directory("state/east-0/outcomes.jsonl")
            let outcomes = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
            #expect(outcomes.count == 2)
            for line in outcomes {
                #expect(line.contains("\"outcome\":\"committed\",\"contributors\":4"), "\(line)")
                #expect(line.contains("\"parent\":\"west\""), "\(line)")
            }
        }
    }

    @Test func anEdgeThatFallsSilentIsLeft() throws {
        try Fleet.with { fleet in
            var scene = scene
            // The sleepers would be given up before.
            scene.rounds = 3
            let run = try ByHand(fleet, scene)
            let cloud = try run.start("cloud")
            let up = try run.endpoint(of: cloud)
            let (east, west) = (try run.start("east", connect: up), try run.start("west", connect: up))
            let others = ["west": try run.endpoint(of: west)]
            let devices = try run.devices(below: "east", 0..<2, connect: run.endpoint(of: east), or: others)
            try fleet.wait(for: "both devices") { devices.events.count { $0.name == "welcomed" } == 2 ? () : nil }
            // Its system still takes connections and bytes; nobody reads them.
            east.send(SIGSTOP)
            try fleet.wait(for: "two moves", within: .seconds(60)) {
                devices.events.count { $0.name == "moved" && $0["parent"] == "west" } == 2 ? () : nil
            }
            for process in [cloud, west, devices] {
                try fleet.waitForEnd(of: process, within: .seconds(90))
                #expect(process.ending == .code(0), "\(process.tail)")
            }
            #expect(cloud.event("round-closed") { $0.round == 3 }?["contributors"] == 2, "\(cloud.tail)")
            east.send(SIGCONT)
        }
    }

    private static let fourTiers = """
        tributary: v1
        federation: scene
        seed: 4
        model: {kind: mlp, hidden: [8]}
        data: {kind: synthetic, examples: 240, features: 8, classes: 3}
        rounds: 1
        tiers:
          - {name: cloud, quorum: 0.5, deadline: 60s}
          - {name: region, nodes: [north, south], quorum: 0.5}
          - {name: edge, nodes: [left, right], quorum: 0.5, failover: any}
          - {name: device, per-parent: 2, train: {local-epochs: 1, batch: 16}}

        """

    @Test func anEdgeWhoseRegionIsGoneForGoodBringsItsSumToAnother() throws {
        try Fleet.with { fleet in
            let run = try ByHand(fleet, topology: fleet.directory.write(Self.fourTiers, as: "tree.yaml"))
            let cloud = try run.start("cloud")
            let up = try run.endpoint(of: cloud)
            let (north, south) = (try run.start("north", connect: up), try run.start("south", connect: up))
            let (n, s) = (try run.endpoint(of: north), try run.endpoint(of: south))
            let left = try run.start("left", connect: n, or: ["south": s])
            let right = try run.start("right", connect: s, or: ["north": n])
            let sleepers = try run.devices(below: "right", 0..<2, connect: run.endpoint(of: right))
            try fleet.wait(for: "both sleepers") { sleepers.events.count { $0.name == "welcomed" } == 2 ? () : nil }
            sleepers.send(SIGSTOP)
            let devices = try run.devices(below: "left", 0..<2, connect: run.endpoint(of: left))
            try fleet.wait(for: "accepted", of: north) { $0["member"] == "left" }
            north.kill()
            try fleet.wait(for: "moved", of: left) { $0["parent"] == "south" }
            try fleet.wait(for: "accepted", of: south) { $0["member"] == "left" }
            sleepers.send(SIGCONT)
            for process in [cloud, south, left, right, devices, sleepers] {
                try fleet.waitForEnd(of: process, within: .seconds(90))
                #expect(process.ending == .code(0), "\(process.tail)")
            }
            #expect(cloud.event("round-closed")?["contributors"] == 4, "\(cloud.tail)")
            #expect(devices.events.count { $0.name == "training" } == 2, "they work once")
            let path = fleet.directory("state/left-0/outcomes.jsonl")
            let outcomes = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
            #expect(outcomes.count == 2 && outcomes.allSatisfy { $0.contains("\"outcome\":\"committed\"") })
        }
    }
}
