// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Who may take part: keys that are taken back, tokens, and nodes that join a running tree.
@Suite(.serialized) struct AdmissionTests {
    /// Enough rounds that a run never ends by itself during a test.
    private static let endless = 100_000

    /// A cloud and a region whose keys the test changes.
    private struct Tree {
        let run: ByHand
        let cloud: Running
        let east: Running
        let endpoint: String
        let joinEndpoint: String

        init(_ fleet: Fleet, _ scene: Scene = Scene(rounds: AdmissionTests.endless, deadline: "5s")) throws {
            run = try ByHand(fleet, scene)
            cloud = try run.start("cloud")
            east = try fleet.start(
                "east", run.node("east", connect: run.endpoint(of: cloud)) + ["--join", "tcp://127.0.0.1:*"])
            endpoint = try run.endpoint(of: east)
            joinEndpoint = try #require(east.event("listening")?["join"])
        }

        /// Forgets the keys of devices that have not been made yet, as far as the region knows.
        func forget(_ devices: Range<Int>) throws {
            for device in devices {
                for suffix in ["key", "pub"] {
                    try FileManager.default.removeItem(atPath: "\(run.keys)/device-\(device).\(suffix)")
                }
            }
        }
    }

    private func token(_ fleet: Fleet, _ tree: Tree, _ options: [String] = []) throws -> String {
        let command = ["token", "create", "--tier", "device", "--node", "east", "--keys", tree.run.keys] + options
        return try #require(try fleet.succeed("token", command).lines.first)
    }

    private func join(
        _ fleet: Fleet, _ tree: Tree, _ token: String, as state: String, _ options: [String] = []
    ) throws -> Running {
        try fleet.run(
            "join",
            ["join", tree.joinEndpoint, "--token", token, "--state", fleet.directory(state)] + options
                + ["--format", "json", "--timeout", "10s"])
    }

    private func data(_ process: Running) throws -> [String: Any] {
        let text = process.lines.joined()
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        return try #require(object?["data"] as? [String: Any], "\(process.tail)")
    }

    private func code(_ process: Running) throws -> String {
        let text = process.lines.joined()
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        return try #require((object?["error"] as? [String: Any])?["code"] as? String, "\(process.tail)")
    }

    @Test func aRevokedDeviceIsCutOffAndTheRoundsGoOn() throws {
        try Fleet.with { fleet in
            let tree = try Tree(fleet)
            let bad = try tree.run.devices(below: "east", 0..<1, connect: tree.endpoint)
            let good = try tree.run.devices(below: "east", 1..<4, connect: tree.endpoint)
            try fleet.wait(for: "round-closed", of: tree.cloud) { $0["contributors"] == 4 }
            try fleet.succeed("revoke", ["key", "revoke", "device-0", "--keys", tree.run.keys])
            let gone = try fleet.wait(for: "child-gone", of: tree.east, within: .seconds(2))
            #expect(gone["child"] == "device-0" && gone["reason"] == "admission.revoked_key")
            try fleet.wait(for: "refused", of: bad) { $0["reason"] == "admission.unknown_key" }
            let round = try fleet.wait(for: "round-closed", of: tree.cloud) { $0["contributors"] == 3 }.round
            try fleet.wait(for: "round-closed", of: tree.cloud) {
                $0.round > round + 1 && $0["contributors"] == 3
            }
            #expect(good.event("parent-gone") == nil)
            // The key stays refused, even when its file comes back; the next change shows that it was looked at.
            try FileManager.default.copyItem(
                atPath: tree.run.keys + "/device-0.revoked", toPath: tree.run.keys + "/device-0.pub")
            try fleet.succeed("revoke", ["key", "revoke", "device-3", "--keys", tree.run.keys])
            try fleet.wait(for: "child-gone", of: tree.east) { $0["child"] == "device-3" }
            #expect(tree.east.events.filter { $0.name == "child-joined" && $0["child"] == "device-0" }.count == 1)
        }
    }

    @Test func aDeviceJoinsWithATokenAndTakesPart() throws {
        try Fleet.with { fleet in
            let tree = try Tree(fleet)
            let others = try tree.run.devices(below: "east", 0..<2, connect: tree.endpoint)
            try tree.forget(2..<4)
            let before = try Self.contents(of: tree.run.keys)
            let token = try token(fleet, tree, ["--uses", "1", "--endpoint", tree.joinEndpoint])
            let joined = try data(join(fleet, tree, token, as: "new"))
            #expect(joined["name"] as? String == "device-2" && joined["client_index"] as? Int == 2)
            #expect(joined["parent"] as? String == "east" && joined["endpoint"] as? String == tree.endpoint)
            // The answer got lost, perhaps: the same directory asks again, and is the same node.
            try FileManager.default.removeItem(atPath: fleet.directory("new/enrolment"))
            try Self.moveBack(fleet.directory("new/keys"), "device-2")
            #expect(try data(join(fleet, tree, token, as: "new"))["name"] as? String == "device-2")
            // Its use is up, for everybody else.
            let late = try join(fleet, tree, token, as: "late")
            #expect(try code(late) == "admission.used_token" && late.ending == .code(77))
            let device = try fleet.start(
                "joined device",
                ["device", tree.run.topology, "--state", fleet.directory("new"), "--format", "jsonl"]
                    + ["--end-with-standard-input"])
            try fleet.wait(for: "round-closed", of: device) { $0["outcome"] == "committed" }
            try fleet.wait(for: "round-closed", of: tree.cloud) { $0["contributors"] == 3 }
            // Nobody else's file was touched, and nobody else noticed.
            let after = try Self.contents(of: tree.run.keys)
            #expect(Set(after.keys).subtracting(before.keys) == ["device-2.pub"])
            for (name, old) in before { #expect(after[name] == old, "\(name)") }
            #expect(others.event("parent-gone") == nil)
        }
    }

    /// Names, bytes and times of the key files.
    private static func contents(of directory: String) throws -> [String: [String]] {
        var contents: [String: [String]] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: directory) where name != "tokens" {
            let path = "\(directory)/\(name)"
            let time = try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
            contents[name] = [try String(contentsOfFile: path, encoding: .utf8), "\(time?.timeIntervalSince1970 ?? 0)"]
        }
        return contents
    }

    /// What a state directory looks like before the answer has come.
    private static func moveBack(_ keys: String, _ name: String) throws {
        for suffix in ["key", "pub"] {
            try FileManager.default.moveItem(atPath: "\(keys)/\(name).\(suffix)", toPath: "\(keys)/new_node.\(suffix)")
        }
    }

    @Test func tokensThatDoNotHoldAreRefusedWithTheReason() throws {
        try Fleet.with { fleet in
            let tree = try Tree(fleet)
            try tree.forget(3..<4)
            let good = try token(fleet, tree, ["--uses", "5"])
            // Another parent's, another tier's, one that was taken back, a damaged one.
            let clouds = try #require(
                try fleet.succeed(
                    "token", ["token", "create", "--tier", "region", "--node", "cloud", "--keys", tree.run.keys]
                ).lines.first)
            #expect(try code(join(fleet, tree, clouds, as: "a")) == "join.other_parent")
            let tier = ["token", "create", "--tier", "camera", "--node", "east", "--keys", tree.run.keys]
            let cameras = try #require(try fleet.succeed("token", tier).lines.first)
            #expect(try code(join(fleet, tree, cameras, as: "b")) == "admission.wrong_token")
            let damaged = String(good.dropLast(1)) + (good.last == "A" ? "B" : "A")
            let refused = try join(fleet, tree, damaged, as: "c")
            #expect(try code(refused) == "token.invalid" && refused.ending == .code(64))
            let brief = try token(fleet, tree, ["--ttl", "1s"])
            try fleet.wait(for: "the token's end") {
                try data(fleet.succeed("list", ["token", "list", "--keys", tree.run.keys, "--format", "json"]))
                    .description.contains("expired") ? () : nil
            }
            #expect(try code(join(fleet, tree, brief, as: "d")) == "admission.expired_token")
            // Names: another's, none of this parent's, then the one that is free, then none is.
            #expect(try code(join(fleet, tree, good, as: "e", ["--name", "device-0"])) == "admission.name_taken")
            #expect(try code(join(fleet, tree, good, as: "f", ["--name", "device-9"])) == "admission.wrong_identity")
            #expect(try data(join(fleet, tree, good, as: "g"))["name"] as? String == "device-3")
            #expect(try code(join(fleet, tree, good, as: "h")) == "admission.no_vacancy")
            // A key that was taken back does not come in again by the token that it came with.
            try fleet.succeed("revoke", ["key", "revoke", "device-3", "--keys", tree.run.keys])
            try FileManager.default.removeItem(atPath: fleet.directory("g/enrolment"))
            try Self.moveBack(fleet.directory("g/keys"), "device-3")
            #expect(try code(join(fleet, tree, good, as: "g")) == "admission.revoked_key")
            // Nothing of all that used the token up but the one that joined.
            let list = try fleet.succeed("list", ["token", "list", "--keys", tree.run.keys])
            #expect(list.lines.contains { $0.contains("open") && $0.contains("  4  ") }, "\(list.tail)")
        }
    }

    /// Sets how many files a process may have open from now on.
    private func limitOpenFiles(of process: Running, to count: Int, _ fleet: Fleet) throws {
        let setting = try fleet.start(
            "prlimit", program: "/usr/bin/prlimit", ["--pid", "\(process.pid)", "--nofile=\(count):"])
        try fleet.waitForEnd(of: setting)
        #expect(setting.ending == .code(0), "\(setting.tail)")
    }

    @Test func aFileThatCannotBeReadChangesNothing() throws {
        try Fleet.with { fleet in
            let tree = try Tree(fleet)
            let devices = try tree.run.devices(below: "east", 0..<4, connect: tree.endpoint)
            try fleet.wait(for: "round-closed", of: tree.cloud) { $0["contributors"] == 4 }
            let file = tree.run.keys + "/device-1.pub"
            let whole = try String(contentsOfFile: file, encoding: .utf8)
            try Data(whole.utf8.prefix(20)).write(to: URL(filePath: file))
            let trouble = try fleet.wait(for: "keys-unreadable", of: tree.east, within: .seconds(3))
            #expect(trouble["reason"] == "admission.unreadable_keys")
            #expect((trouble["text"] as String?)?.contains("device-1.pub") == true)
            // The directory as a whole goes, too, and nobody is the worse for it.
            try FileManager.default.moveItem(atPath: tree.run.keys, toPath: tree.run.keys + "-away")
            try fleet.wait(for: "keys-unreadable", of: tree.east) {
                ($0["text"] as String?)?.contains("cannot list") == true
            }
            let round = try #require(tree.cloud.events.last { $0.name == "round-closed" }).round
            try fleet.wait(for: "round-closed", of: tree.cloud) {
                $0.round > round + 1 && $0["contributors"] == 4
            }
            try FileManager.default.moveItem(atPath: tree.run.keys + "-away", toPath: tree.run.keys)
            try whole.write(toFile: file, atomically: false, encoding: .utf8)
            try fleet.wait(for: "keys-readable", of: tree.east)
            #expect(devices.event("parent-gone") == nil && tree.east.event("child-gone") == nil)
            #expect(tree.east.event("keys-changed") == nil)
            // No descriptor is left to look with: a key that is taken back meanwhile is noticed afterwards. Rounds need
            // descriptors of their own, so the devices leave first.
            devices.send(SIGTERM)
            try fleet.waitForEnd(of: devices)
            try fleet.wait(for: "the cloud to gather") { tree.cloud.events.last?.name == "gathering" ? true : nil }
            try limitOpenFiles(of: tree.east, to: 3, fleet)
            try fleet.wait(for: "keys-unreadable", of: tree.east) {
                ($0["text"] as String?)?.contains("Too many open files") == true
            }
            try fleet.succeed("revoke", ["key", "revoke", "device-1", "--keys", tree.run.keys])
            #expect(tree.east.event("keys-changed") == nil)
            try limitOpenFiles(of: tree.east, to: 1000, fleet)
            try fleet.wait(for: "keys-changed", of: tree.east)
        }
    }

    @Test func aRootThatDemandsSignaturesTakesSumsOfThoseItKnowsAlone() throws {
        try Fleet.with { fleet in
            let run = try ByHand(fleet, Scene(signed: true))
            let cloud = try run.start("cloud")
            let east = try run.start("east", connect: run.endpoint(of: cloud))
            let devices = try run.devices(below: "east", 0..<4, connect: run.endpoint(of: east))
            for process in [cloud, east, devices] {
                try fleet.waitForEnd(of: process, within: .seconds(60))
                #expect(process.ending == .code(0), "\(process.tail)")
            }
            #expect(cloud.events.filter { $0.name == "round-closed" && $0["contributors"] == 4 }.count == 3)
            // The same again, where the cloud has never heard of a device of the region's.
            let keys = fleet.directory("cloud-keys")
            try FileManager.default.copyItem(atPath: run.keys, toPath: keys)
            try FileManager.default.removeItem(atPath: keys + "/device-3.pub")
            let strict = try run.start("cloud", keys: keys)
            let region = try run.start("east", connect: run.endpoint(of: strict))
            try run.devices(below: "east", 0..<4, connect: run.endpoint(of: region))
            let refused = try fleet.wait(for: "refused", of: strict)
            #expect(refused["peer"] == "east" && refused["reason"] == "update.wrong_signature")
            #expect((refused["text"] as String?)?.contains("device-3") == true)
            // It is told to admit the key, and the next round counts.
            try fleet.succeed("add", ["key", "add", "device-3", "\(run.keys)/device-3.pub", "--keys", keys])
            try fleet.wait(for: "round-closed", of: strict) { $0["contributors"] == 4 }
        }
    }

    /// Through tiers that add up and tiers that step, in rounds of training and in surveys.
    @Test(arguments: ["", ", edge-rounds: 2"])
    func signaturesHoldInDeepTrees(region: String) throws {
        try Fleet.with { fleet in
            let topology = try fleet.directory.write(
                """
                tributary: v1
                federation: deep
                model: {kind: linear}
                data: {kind: synthetic, examples: 240, features: 4, classes: 2}
                rounds: 2
                evaluation: {devices: {every: 1, hold-out: 0.2}}
                tiers:
                  - {name: cloud, signatures: required}
                  - {name: region, count: 2\(region)}
                  - {name: edge, per-parent: 2}
                  - {name: device, per-parent: 2}
                """, as: "deep.yaml")
            let runs = fleet.directory("runs")
            try fleet.succeed("up", ["up", topology, "--runs", runs])
            let run = try #require(try FileManager.default.contentsOfDirectory(atPath: runs).first)
            let logs = "\(runs)/\(run)/logs"
            for name in try FileManager.default.contentsOfDirectory(atPath: logs) {
                let log = try String(contentsOfFile: "\(logs)/\(name)", encoding: .utf8)
                #expect(!log.contains("update.wrong_signature"), "\(name)")
            }
        }
    }

    /// Whether a device must sign is for its parent to say, by the key that it has on file.
    @Test func whoseSigningKeyIsOnFileMustSign() throws {
        try Fleet.with { fleet in
            let run = try ByHand(fleet, Scene(rounds: Self.endless, deadline: "5s"))
            func forgetSigningKey(_ file: String) throws {
                let path = "\(run.keys)/\(file)"
                let curve = try #require(try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").first)
                try "\(curve)\n".write(toFile: path, atomically: false, encoding: .utf8)
            }
            for file in ["device-0.key", "device-0.pub", "device-1.key"] { try forgetSigningKey(file) }
            let cloud = try run.start("cloud")
            let east = try run.start("east", connect: run.endpoint(of: cloud))
            try run.devices(below: "east", 0..<4, connect: run.endpoint(of: east))
            try fleet.wait(for: "refused", of: east) {
                $0["peer"] == "device-1" && $0["reason"] == "update.wrong_signature"
            }
            try fleet.wait(for: "accepted", of: east) { $0["member"] == "device-0" }
            try fleet.wait(for: "round-closed", of: cloud) { $0["contributors"] == 3 }
            let members = Set(east.events.filter { $0.name == "accepted" }.compactMap { $0["member"] as String? })
            #expect(members == ["device-0", "device-2", "device-3"])
        }
    }

    @Test func widePermissionsAreRefused() throws {
        try Fleet.with { fleet in
            let run = try ByHand(fleet, Scene())
            let secret = run.keys + "/cloud.key"
            try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: secret)
            let readable = try fleet.run("cloud", run.node("cloud"))
            #expect(readable.ending == .code(77))
            #expect(readable.tail.contains("chmod 600 \(secret)"), "\(readable.tail)")
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: secret)
            try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: run.keys)
            let writable = try fleet.run("cloud", run.node("cloud"))
            #expect(writable.ending == .code(77))
            #expect(writable.tail.contains("chmod go-w \(run.keys)"), "\(writable.tail)")
        }
    }

    @Test func keysAreAddedListedAndTakenBack() throws {
        try Fleet.with { fleet in
            let (here, there) = (fleet.directory("here"), fleet.directory("there"))
            try fleet.succeed("new", ["key", "new", "camera-1", "camera-2", "--keys", there])
            try fleet.succeed("add", ["key", "add", "camera-1", "\(there)/camera-1.pub", "--keys", here])
            try fleet.succeed("again", ["key", "add", "camera-1", "\(there)/camera-1.pub", "--keys", here])
            func failure(_ arguments: [String]) throws -> String {
                try code(fleet.run("key", ["key"] + arguments + ["--keys", here, "--format", "json"]))
            }
            #expect(try failure(["add", "camera-1", "\(there)/camera-2.pub"]) == "key.exists")
            #expect(try failure(["add", "camera-2", "\(there)/camera-1.pub"]) == "key.shared")
            #expect(try failure(["add", "camera-2", "\(there)/camera-2.key"]) == "key.secret")
            #expect(try failure(["add", "camera-2", "nonsense"]) == "file.missing")
            #expect(try failure(["add", "Camera", "\(there)/camera-2.pub"]) == "key.name")
            #expect(try failure(["add", "camera-2", String(repeating: "~", count: 40)]) == "key.invalid")
            #expect(try failure(["revoke", "camera-2"]) == "key.unknown")
            let lines = try String(contentsOfFile: "\(there)/camera-2.pub", encoding: .utf8).split(separator: "\n")
            try fleet.succeed("add", ["key", "add", "camera-2", "--keys", here, "--"] + lines.map { String($0) })
            try fleet.succeed("revoke", ["key", "revoke", "camera-1", "--keys", here])
            #expect(try failure(["add", "camera-1", "\(there)/camera-1.pub"]) == "key.revoked")
            let listed = try data(fleet.succeed("list", ["key", "list", "--keys", here, "--format", "json"]))
            #expect(listed["nodes"] as? [String] == ["camera-2"])
            let states = (listed["keys"] as? [[String: String]])?.map { "\($0["name"] ?? "") \($0["state"] ?? "")" }
            #expect(states == ["camera-1 revoked", "camera-2 admitted"])
        }
    }
}
