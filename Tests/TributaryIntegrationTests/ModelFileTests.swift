// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Testing

/// What becomes of models after a run: evaluated, read by others, compared; and a disk that has no room for them.
@Suite(.serialized) struct ModelFileTests {
    /// The object inside `data` of what a verb prints as JSON.
    private func data(_ process: Running) throws -> [String: Any] {
        let text = process.lines.joined(separator: "\n")
        let envelope = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        return try #require(envelope?["data"] as? [String: Any], "\(process.tail)")
    }

    private func evaluated(_ fleet: Fleet, _ model: String, _ topology: String) throws -> Double {
        let process = try fleet.succeed("evaluate", ["model", "evaluate", model, topology, "--format", "json"])
        return try #require(try data(process)["accuracy"] as? Double)
    }

    @Test func aSavedModelPassesThroughPyPISafetensorsAndComesBackTheSame() throws {
        try Fleet.with { fleet in
            let topology = try fleet.directory.write(Scene().text, as: "scene.yaml")
            let up = try fleet.succeed(
                "up", ["up", topology, "--runs", fleet.directory("runs"), "--seed", "9", "--format", "json"])
            let summary = try Summary(up)
            let shown = try data(fleet.succeed("show", ["model", "show", summary.model, "--format", "json"]))
            #expect(shown["sha256"] as? String == summary.final.model_sha256)
            // The seed of the run, not of the file, says which examples no device has seen.
            #expect(try evaluated(fleet, summary.model, topology) == summary.final.accuracy)
            let copy = fleet.directory("copy.safetensors")
            let script = """
                import sys
                from safetensors.numpy import load_file, save_file
                save_file(load_file(sys.argv[1]), sys.argv[2])
                """
            let python = try fleet.start("python", program: Fleet.python(), ["-c", script, summary.model, copy])
            try fleet.waitForEnd(of: python)
            #expect(python.ending == .code(0), "\(python.tail)")
            let compared = try data(
                fleet.succeed(
                    "compare", ["model", "compare", summary.model, copy, "--tolerance", "0", "--format", "json"]))
            #expect(compared["equal"] as? Bool == true)
            #expect(try evaluated(fleet, copy, topology) >= 0)
        }
    }

    @Test func differentModelsAreToldApart() throws {
        try Fleet.with { fleet in
            let topology = try fleet.directory.write(Scene(rounds: 1).text, as: "scene.yaml")
            let models = try ["1", "2"].map { seed in
                let words = ["up", topology, "--runs", fleet.directory("runs-\(seed)"), "--seed", seed]
                return try Summary(fleet.succeed("up", words + ["--format", "json"])).model
            }
            let compared = try data(fleet.succeed("compare", ["model", "compare"] + models + ["--format", "json"]))
            #expect(compared["equal"] as? Bool == false)
            let far = try fleet.run("compare", ["model", "compare"] + models + ["--tolerance", "0.000001"])
            #expect(far.ending == .code(1), "\(far.tail)")
            let bytes = try Data(contentsOf: URL(filePath: models[0]))
            try (bytes.dropLast() + [bytes[bytes.count - 1] ^ 1]).write(to: URL(filePath: models[0]))
            let damaged = try fleet.run("show", ["model", "show", models[0]])
            #expect(damaged.ending != .code(0) && damaged.tail.contains("SHA-256"), "\(damaged.tail)")
        }
    }

    @Test func devicesEvaluateTheModelOnWhatTheyKeptBack() throws {
        try Fleet.with { fleet in
            var scene = Scene()
            scene.evaluation = "{devices: {every: 1, hold-out: 0.25}}"
            let run = try ByHand(fleet, scene)
            let cloud = try run.start("cloud")
            let east = try run.start("east", connect: run.endpoint(of: cloud))
            let devices = try run.devices(below: "east", 0..<4, connect: run.endpoint(of: east))
            for process in [cloud, east, devices] {
                try fleet.waitForEnd(of: process)
                #expect(process.ending == .code(0), "\(process.tail)")
            }
            let judged = cloud.events.filter { $0.name == "evaluated-on-devices" }
            #expect(judged.map(\.round) == [1, 2, 3], "\(cloud.tail)")
            for event in judged {
                let accuracy: Double = try #require(event["accuracy"])
                // A mean over whole examples: 4 devices with a quarter of their shards each, 48 in all.
                #expect(accuracy >= 0 && accuracy <= 1)
                #expect(abs(accuracy * 48 - (accuracy * 48).rounded()) < 1e-9, "\(event)")
            }
        }
    }

    // MARK: A full disk

    /// A file system of so many bytes, in memory; `nil` where this user may not mount one.
    private static func mountSmall(_ path: String, byteCount: Int) -> Bool {
        mkdir(path, 0o755)
        return mount("tributary-test", path, "tmpfs", 0, "size=\(byteCount)") == 0
    }

    private static let canMount: Bool = {
        let path = NSTemporaryDirectory() + "/tributary-mount-\(getpid())"
        defer { rmdir(path) }
        guard mountSmall(path, byteCount: 4096) else { return false }
        return umount2(path, Int32(MNT_DETACH)) == 0
    }()

    @Test(.enabled(if: canMount, "needs the right to mount a small file system"))
    func aDiskThatIsFullAtTheCheckpointEndsTheRootWithOneErrorAndNothingHalfWritten() throws {
        try Fleet.with { fleet in
            // 1024 x 4 values fill the file system to the last page: their file, with a header, does not fit.
            var scene = Scene()
            (scene.model, scene.features) = ("{kind: linear}", 1023)
            scene.data = ["kind: synthetic", "examples: 240", "features: 1023", "classes: 4"]
            let run = try ByHand(fleet, scene)
            let state = fleet.directory("state/cloud")
            try FileManager.default.createDirectory(atPath: fleet.directory("state"), withIntermediateDirectories: true)
            try #require(Self.mountSmall(state, byteCount: 16384))
            defer { umount2(state, Int32(MNT_DETACH)) }
            // Objects and journal lie where there is room.
            for name in ["objects", "journal"] {
                let place = fleet.directory(name)
                try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
                try FileManager.default.createSymbolicLink(atPath: "\(state)/\(name)", withDestinationPath: place)
            }
            let cloud = try run.start("cloud")
            let east = try run.start("east", connect: run.endpoint(of: cloud))
            try run.devices(below: "east", 0..<4, connect: run.endpoint(of: east))
            try fleet.waitForEnd(of: cloud)
            #expect(cloud.ending == .code(75), "\(cloud.tail)")
            let errors = cloud.errorLines.filter { $0.hasPrefix("error: ") }
            #expect(errors.count == 1 && errors[0].contains("model.safetensors"), "\(cloud.tail)")
            #expect(errors.first?.contains("free some space") == true, "\(cloud.tail)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: state).sorted() == ["journal", "objects"])
        }
    }
}
