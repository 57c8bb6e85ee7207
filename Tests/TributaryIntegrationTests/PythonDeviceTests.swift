// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing

/// A device written in Python from the protocol's documents alone, beside real ones on a live tree.
@Suite(.serialized) struct PythonDeviceTests {
    /// A cloud, a region and three devices; the fourth is the Python one.
    private struct Tree {
        let cloud: Running
        let region: Running
        let devices: Running
        let python: Running

        init(_ fleet: Fleet, _ options: [String]) throws {
            var scene = Scene()
            scene.rounds = 4
            let run = try ByHand(fleet, scene)
            cloud = try run.start("cloud")
            region = try run.start("east", connect: run.endpoint(of: cloud))
            let endpoint = try run.endpoint(of: region)
            python = try run.python(
                "device-3", index: 3, parent: "east", connect: endpoint, ["--deadline", "60"] + options)
            devices = try run.devices(below: "east", 0..<3, connect: endpoint)
        }

        /// Waits until the run is over for everybody but the Python device.
        func waitForEnd(_ fleet: Fleet) throws {
            for process in [cloud, region, devices] {
                try fleet.waitForEnd(of: process, within: .seconds(50))
                #expect(process.ending == .code(0), "\(process.tail)")
            }
            #expect(cloud.event("finished") != nil)
        }
    }

    @Test func takesPartAndGetsItsReceipts() throws {
        try Fleet.with { fleet in
            let tree = try Tree(fleet, ["--rounds", "4"])
            try tree.waitForEnd(fleet)
            try fleet.waitForEnd(of: tree.python)
            #expect(tree.python.ending == .code(0), "\(tree.python.tail)")
            for round in 1...4 {
                let accepted = tree.region.event("accepted") { $0.round == round && $0["member"] == "device-3" }
                #expect(accepted != nil, "round \(round)")
                let collected = tree.cloud.event("round-collected") { $0.round == round }
                #expect(collected?["reported"] == 4)
            }
        }
    }

    @Test(arguments: [
        ("nan", "update.not_finite"), ("inf", "update.not_finite"), ("bound", "update.out_of_bound"),
        ("shape", "update.wrong_shape"), ("weight", "update.wrong_weight"), ("base", "update.wrong_base"),
        ("stale", "update.stale_round"), ("duplicate", "update.duplicate"), ("garbage", "wire.malformed"),
        ("oversized", "wire.oversized"), ("unsigned", "update.wrong_signature"), ("forged", "update.wrong_signature"),
        ("identity", "admission.wrong_identity"),
        ("digest", "object.wrong_digest"), ("heavier", "update.wrong_signature"),
        ("replayed", "update.wrong_signature"),
    ])
    func isRefusedWithTheReasonAndTheRoundGoesOn(mode: String, reason: String) throws {
        try Fleet.with { fleet in
            let tree = try Tree(fleet, ["--send", mode])
            try fleet.waitForEnd(of: tree.python, within: .seconds(60))
            #expect(tree.python.ending == .code(0), "the device hears of it: \(tree.python.tail)")
            try tree.waitForEnd(fleet)
            let refused = tree.region.event("refused") { $0["peer"] == "device-3" && $0["reason"] == reason }
            #expect(refused != nil, "\(tree.region.tail)")
            if mode != "duplicate" {
                let folded = tree.region.event("accepted") { $0.round == 1 && $0["member"] == "device-3" }
                #expect(folded == nil, "nothing of it is folded")
            }
        }
    }

    /// It has a key of its own, and says that it is somebody else.
    @Test func whoCallsItselfByAnothersNameIsNotLetIn() throws {
        try Fleet.with { fleet in
            let tree = try Tree(fleet, ["--send", "hello-identity"])
            try fleet.waitForEnd(of: tree.python)
            #expect(tree.python.ending == .code(0), "the device hears of it: \(tree.python.tail)")
            try fleet.wait(for: "refused", of: tree.region) {
                $0["peer"] == "device-3" && $0["reason"] == "admission.wrong_identity"
            }
            let joined = tree.region.event("child-joined") { $0["child"] == "device-3" }
            #expect(joined == nil)
        }
    }

    @Test func killedWhileItUploadsIsNotWaitedFor() throws {
        try Fleet.with { fleet in
            let tree = try Tree(fleet, ["--send", "kill-mid-upload"])
            let start = ContinuousClock.now
            try tree.waitForEnd(fleet)
            #expect(ContinuousClock.now - start < .seconds(45), "the deadline of a round is a minute")
            let collected = tree.cloud.event("round-collected") { $0.round == 1 }
            #expect(collected?["reported"] == 3)
        }
    }
}
