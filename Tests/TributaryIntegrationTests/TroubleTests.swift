// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// What goes wrong around a node: deaths, strangers, ports and files.
@Suite(.serialized) struct TroubleTests {
    @Test func anEdgeThatIsKilledAndStartedAgainGetsItsDevicesBack() throws {
        try Fleet.with { fleet in
            var scene = Scene()
            scene.rounds = 60
            scene.examples = 24_000
            scene.quorum = 0.8
            let run = try ByHand(fleet, scene)
            let cloud = try run.start("cloud")
            let up = try run.endpoint(of: cloud)
            let port = try Fleet.freePort()
            let first = try run.start("east", port: port, connect: up)
            let devices = try run.devices(below: "east", 0..<4, connect: run.endpoint(of: first))
            try fleet.wait(for: "round 2") { cloud.event("round-collected") { $0.round == 2 } }
            first.kill()
            let lost = try fleet.wait(for: "the loss of the edge") { cloud.event("child-gone") }
            #expect(lost["child"] == "east")
            let seen = 2
            let second = try run.start("east", port: port, connect: up)
            for process in [cloud, second, devices] {
                try fleet.waitForEnd(of: process, within: .seconds(90))
                #expect(process.ending == .code(0), "\(process.tail)")
            }
            let later = second.event("round-closed") { $0.round > seen && $0["contributors"] == 4 }
            #expect(later != nil, "its devices take part again: \(second.tail)")
        }
    }

    @Test func aStrangersKeyIsRefusedAndOthersAreNotAffected() throws {
        try Fleet.with { fleet in
            let run = try ByHand(fleet, Scene())
            let stranger = fleet.directory("stranger")
            try fleet.succeed("other keys", ["key", "new", "--topology", run.topology, "--keys", stranger])
            // The stranger knows the edge's public key, but the edge does not know the stranger's.
            try FileManager.default.removeItem(atPath: stranger + "/east.pub")
            try FileManager.default.copyItem(atPath: run.keys + "/east.pub", toPath: stranger + "/east.pub")
            let cloud = try run.start("cloud")
            let east = try run.start("east", connect: run.endpoint(of: cloud))
            let endpoint = try run.endpoint(of: east)
            let unknown = try run.devices(below: "east", 3..<4, connect: endpoint, keys: stranger)
            let refusal = try fleet.wait(for: "refused", of: unknown)
            #expect(refusal["reason"] == "admission.unknown_key")
            let known = try run.devices(below: "east", 0..<4, connect: endpoint)
            for process in [cloud, east, known] {
                try fleet.waitForEnd(of: process, within: .seconds(60))
                #expect(process.ending == .code(0), "\(process.tail)")
            }
            #expect(east.event("refused") { $0["reason"] == "admission.unknown_key" } != nil)
        }
    }

    @Test func aTakenPortIsNamed() throws {
        try Fleet.with { fleet in
            let run = try ByHand(fleet, Scene())
            let listener = try Listener()
            defer { listener.close() }
            let node = try fleet.run("cloud", run.node("cloud", port: listener.port))
            #expect(node.ending != .code(0))
            #expect(node.tail.contains("\(listener.port)"), "\(node.tail)")
        }
    }

    @Test func missingDataAreToldBeforeAnythingStarts() throws {
        try Fleet.with { fleet in
            var scene = Scene()
            scene.data = ["kind: csv", "path: nothing.csv", "label: y"]
            let file = try fleet.directory.write(scene.text, as: "scene.yaml")
            let up = try fleet.run("up", ["up", file, "--runs", fleet.directory("runs")])
            #expect(up.ending == .code(78))
            #expect(up.tail.contains("nothing.csv"), "\(up.tail)")
            #expect(!FileManager.default.fileExists(atPath: fleet.directory("runs")))
        }
    }
}
