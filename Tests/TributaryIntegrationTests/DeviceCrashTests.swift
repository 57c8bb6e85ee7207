// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Testing

/// A device that is killed goes on with what it promised and was promised: one update, one key, one outcome.
@Suite(.serialized) struct DeviceCrashTests {
    /// A cloud, an edge, a device of its own process, and another one that can hold the round open.
    private struct Stage {
        let fleet: Fleet
        let run: ByHand
        let cloud: Running
        let east: Running
        let endpoint: String

        init(_ fleet: Fleet, _ scene: Scene) throws {
            self.fleet = fleet
            run = try ByHand(fleet, scene)
            cloud = try run.start("cloud")
            east = try run.start("east", connect: run.endpoint(of: cloud))
            endpoint = try run.endpoint(of: east)
        }

        var state: String { fleet.directory("state/east-0") }

        func device() throws -> Running { try run.devices(below: "east", 0..<1, connect: endpoint) }

        /// A device that is connected, and does nothing until it is sent SIGCONT.
        func sleeper() throws -> Running {
            let other = try run.devices(below: "east", 1..<2, connect: endpoint)
            try fleet.wait(for: "welcomed", of: other)
            other.send(SIGSTOP)
            return other
        }

        func end(_ processes: [Running]) throws {
            for process in [cloud, east] + processes {
                try fleet.waitForEnd(of: process, within: .seconds(60))
                #expect(process.ending == .code(0), "\(process.tail)")
            }
        }

        /// The outcomes that the device wrote down.
        func outcomes() throws -> [[String: Any]] {
            let text = try String(contentsOfFile: state + "/outcomes.jsonl", encoding: .utf8)
            return try text.split(separator: "\n").map { line in
                try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            }
        }
    }

    private static var scene: Scene {
        var scene = Scene(rounds: 1, quorum: 1)
        scene.devicesPerRegion = 2
        return scene
    }

    /// One round with both devices in it, and one outcome of the device that died: that of update `sequence`.
    private func check(_ stage: Stage, sequence: Int) throws {
        let step = try #require(stage.cloud.event("round-closed"), "\(stage.cloud.tail)")
        #expect(step["contributors"] == 2)
        let accepted = stage.east.events.filter { $0.name == "accepted" && $0["member"] == "device-0" }
        #expect(accepted.count == 1)
        let outcomes = try stage.outcomes()
        #expect(outcomes.count == 1, "\(outcomes)")
        #expect(outcomes.first?["outcome"] as? String == "committed")
        #expect(outcomes.first?["contributors"] as? Int == 2)
        #expect(outcomes.first?["sequence"] as? Int == sequence)
        #expect(outcomes.first?["round"] as? Int == 1)
    }

    @Test func killedAfterItsReceiptItHearsTheOutcome() throws {
        try Fleet.with { fleet in
            let stage = try Stage(fleet, Self.scene)
            let other = try stage.sleeper()
            let first = try stage.device()
            try fleet.wait(for: "uploaded", of: first)
            first.kill()
            let second = try stage.device()
            try fleet.wait(for: "welcomed", of: second)
            other.send(SIGCONT)
            try stage.end([second, other])
            #expect(second.event("training") == nil, "the same update is good")
            try check(stage, sequence: 0)
        }
    }

    @Test func killedBeforeItsOfferArrivesItOffersTheSameUpdate() throws {
        try Fleet.with { fleet in
            var scene = Self.scene
            // Some seconds of work, so that the edge sleeps before the offer comes.
            scene.examples = 40_000
            scene.hidden = 64
            scene.features = 32
            let stage = try Stage(fleet, scene)
            let other = try stage.sleeper()
            let first = try stage.device()
            try fleet.wait(for: "training", of: first)
            stage.east.send(SIGSTOP)
            try fleet.wait(for: "the update on the disk") {
                let size = try FileManager.default.attributesOfItem(atPath: stage.state + "/updates.log")[.size]
                return (size as? Int ?? 0) > 100 ? () : nil
            }
            first.kill()
            stage.east.send(SIGCONT)
            let second = try stage.device()
            try fleet.wait(for: "uploaded", of: second)
            other.send(SIGCONT)
            try stage.end([second, other])
            #expect(second.event("training") == nil, "the same update is good")
            try check(stage, sequence: 0)
        }
    }

    @Test func killedAtWorkItBeginsAnewUnderAnotherNumber() throws {
        try Fleet.with { fleet in
            var scene = Self.scene
            scene.examples = 40_000
            scene.hidden = 64
            scene.features = 32
            scene.train = ["local-epochs: 12", "batch: 16"]
            let stage = try Stage(fleet, scene)
            let other = try stage.sleeper()
            let first = try stage.device()
            try fleet.wait(for: "training", of: first)
            try fleet.wait(for: "its number set aside") {
                FileManager.default.fileExists(atPath: stage.state + "/device-0.sequence") ? () : nil
            }
            first.kill()
            let second = try stage.device()
            try fleet.wait(for: "uploaded", of: second)
            other.send(SIGCONT)
            try stage.end([second, other])
            #expect(second.event("training") != nil)
            try check(stage, sequence: 64)
        }
    }

    @Test func aDamagedLogIsToldBeforeAnythingStarts() throws {
        try Fleet.with { fleet in
            let stage = try Stage(fleet, Self.scene)
            let other = try stage.sleeper()
            let first = try stage.device()
            try fleet.wait(for: "uploaded", of: first)
            first.kill()
            let log = URL(filePath: stage.state + "/updates.log")
            var bytes = try Data(contentsOf: log)
            bytes[30] ^= 1
            try bytes.write(to: log)
            let second = try stage.device()
            try fleet.waitForEnd(of: second)
            #expect(second.ending == .code(78) || second.ending == .code(1), "\(second.tail)")
            #expect(second.tail.contains("updates.log: byte 8: the file is damaged; put back a copy"), "\(second.tail)")
            #expect(try Data(contentsOf: log) == bytes)
            other.kill()
        }
    }
}
