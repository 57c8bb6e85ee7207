// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// What `tributary up --format json` prints, as far as tests look at it.
struct Summary: Decodable {
    struct Final: Decodable {
        var model_sha256: String?
        var accuracy: Double?
    }
    struct Round: Decodable {
        var round: Int
        var reported: Int
        var model_sha256: String?
    }
    var devices: Int
    var aggregators: Int
    var directory: String
    var model: String
    var rounds: [Round]
    var final: Final

    private struct Envelope: Decodable {
        var schema_version: Int
        var data: Summary
    }

    init(_ process: Running) throws {
        let text = process.lines.joined(separator: "\n")
        self = try JSONDecoder().decode(Envelope.self, from: Data(text.utf8)).data
    }

    /// The processes that the run's directory names, the supervisor first.
    func processes() throws -> [(pid: pid_t, name: String)] { try Self.processes(in: directory) }

    static func processes(in directory: String) throws -> [(pid: pid_t, name: String)] {
        try String(contentsOfFile: directory + "/pids", encoding: .utf8).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count == 2, let pid = pid_t(words[0]) else { return nil }
            return (pid, String(words[1]))
        }
    }
}

/// The same 24 devices learn the same model, bit for bit, whatever the tree, the processes and the order.
@Suite(.serialized) struct SameModelTests {
    private static let shapes = ["flat", "three-tier", "four-tier"]

    private func file(_ shape: String) -> String { "\(Fleet.root)/Topologies/\(shape).yaml" }

    private func up(_ fleet: Fleet, _ shape: String, _ more: [String] = []) throws -> Summary {
        try run("up", fleet, shape, more)
    }

    private func run(_ verb: String, _ fleet: Fleet, _ shape: String, _ more: [String]) throws -> Summary {
        let words = [verb, file(shape), "--format", "json", "--runs", fleet.directory("runs")]
        return try Summary(fleet.succeed("\(verb) \(shape)", words + more))
    }

    @Test func everyTreeLearnsTheSameModelInProcessesAndWithKeysOfTheirOwn() throws {
        try Fleet.with { fleet in
            var models: [String: Set<String?>] = [:]
            for shape in Self.shapes {
                let summary = try up(fleet, shape)
                models[shape] = [summary.final.model_sha256]
                try expectOwnProcessesAndKeys(summary)
            }
            let first = try #require(models["flat"]?.first ?? nil)
            #expect(first.count == 64)
            for shape in Self.shapes { #expect(models[shape] == [first], "\(shape)") }
            #expect(try up(fleet, "four-tier").final.model_sha256 == first)
            #expect(try up(fleet, "four-tier", ["--seed", "12"]).final.model_sha256 != first)
        }
    }

    private func expectOwnProcessesAndKeys(_ summary: Summary) throws {
        #expect(summary.rounds.map(\.round) == [1, 2, 3, 4, 5])
        #expect(summary.rounds.allSatisfy { $0.reported == 24 })
        #expect(Set(summary.rounds.map(\.model_sha256)).count == 5)
        let nodes = summary.devices + summary.aggregators
        let processes = try summary.processes()
        #expect(processes.first?.name == "up")
        #expect(Set(processes.map(\.pid)).count == nodes + 1)
        #expect(Set(processes.map(\.name)).count == nodes + 1)
        #expect(!processes.contains { isAlive($0.pid) })
        let keys = try FileManager.default.contentsOfDirectory(atPath: summary.directory + "/keys")
            .filter { $0.hasSuffix(".pub") }
            .map { try String(contentsOfFile: "\(summary.directory)/keys/\($0)", encoding: .utf8) }
        #expect(keys.count == nodes)
        #expect(Set(keys).count == nodes)
    }

    @Test func allNodesFollowTheRootsSeedAndRounds() throws {
        try Fleet.with { fleet in
            let expected = try up(fleet, "three-tier", ["--seed", "12", "--rounds", "2"])
            #expect(expected.rounds.count == 2)
            let simulated = try self.run("simulate", fleet, "three-tier", ["--seed", "12", "--rounds", "2"])
            #expect(simulated.rounds.map(\.model_sha256) == expected.rounds.map(\.model_sha256))
            let run = try ByHand(fleet, topology: file("three-tier"))
            let cloud = try fleet.start("cloud", run.node("cloud") + ["--seed", "12", "--rounds", "2"])
            let endpoint = try run.endpoint(of: cloud)
            let denied = try fleet.run("region-0", run.node("region-0", connect: endpoint) + ["--seed", "12"])
            #expect(denied.ending == .code(64) && denied.tail.contains("'cloud'"), "\(denied.tail)")
            for region in 0..<4 {
                let node = try run.start("region-\(region)", connect: endpoint)
                try run.devices(below: "region-\(region)", 0..<6, connect: run.endpoint(of: node))
            }
            try fleet.waitForEnd(of: cloud, within: .seconds(60))
            #expect(cloud.event("stepped") { $0.round == 2 }?["model"] == expected.final.model_sha256, "\(cloud.tail)")
        }
    }

    /// Six tiers: pass-through above and below stepping ones, one of them with an optimizer of its own.
    private static let deep = """
        tributary: v1
        federation: deep
        seed: 11
        model: {kind: mlp, hidden: [16]}
        data: {kind: synthetic, examples: 600, features: 16, classes: 4}
        rounds: 2
        evaluation: {devices: {every: 2}}
        tiers:
          - {name: cloud, quorum: 1}
          - {name: country, nodes: [north, south], quorum: 1}
          - {name: region, per-parent: 2, quorum: 1, edge-rounds: 2}
          - {name: site, count: 5, quorum: 1}
          - name: line
            count: 6
            quorum: 1
            edge-rounds: 2
            optimizer: {kind: fedavgm, learning-rate: 1, momentum: 0.5}
          - name: device
            count: 9
            train: {local-epochs: 1, batch: 16, optimizer: {kind: sgd, learning-rate: 0.1}}

        """

    /// What `up` and `simulate` say of a run in the same words.
    private struct Outcome: Decodable, Equatable {
        struct Round: Decodable, Equatable {
            var round: Int
            var reported: Int
            var model_sha256: String?
        }
        struct Report: Decodable { var rounds: [Round] }
        var data: Report

        static func == (left: Outcome, right: Outcome) -> Bool { left.data.rounds == right.data.rounds }

        init(_ process: Running) throws {
            let text = process.lines.joined(separator: "\n")
            self = try JSONDecoder().decode(Outcome.self, from: Data(text.utf8))
        }
    }

    @Test func sixTiersOfEveryKindLearnWhatTheirSimulationLearns() throws {
        try Fleet.with { fleet in
            let file = try fleet.directory.write(Self.deep, as: "deep.yaml")
            let words = [file, "--format", "json", "--runs", fleet.directory("runs")]
            let lived = try Outcome(fleet.succeed("up deep", ["up"] + words))
            let simulated = try Outcome(fleet.succeed("simulate deep", ["simulate"] + words))
            #expect(lived.data.rounds.map(\.reported) == [9, 9])
            #expect(Set(lived.data.rounds.map(\.model_sha256)).count == 2)
            #expect(lived == simulated)
        }
    }

    @Test func severalDevicesInAProcessStartedBeforeTheirParentsLearnTheSameModel() throws {
        try Fleet.with { fleet in
            let expected = try up(fleet, "three-tier").final.model_sha256
            let run = try ByHand(fleet, topology: file("three-tier"))
            let cloudPort = try Fleet.freePort()
            let cloudEndpoint = "tcp://127.0.0.1:\(cloudPort)"
            let ports = try (0..<4).map { _ in try Fleet.freePort() }
            // Devices, then edges, then the cloud; each has nobody to talk to for a while.
            let parts = [(3, 4..<6), (0, 0..<3), (2, 0..<6), (3, 0..<4), (1, 1..<6), (0, 3..<6), (1, 0..<1)]
            let devices = try parts.map { region, range in
                try run.devices(below: "region-\(region)", range, connect: "tcp://127.0.0.1:\(ports[region])")
            }
            let regions = try [2, 0, 3, 1].map { region in
                try run.start("region-\(region)", port: ports[region], connect: cloudEndpoint)
            }
            for region in regions { try fleet.wait(for: "listening", of: region) }
            let cloud = try run.start("cloud", port: cloudPort)
            for process in [cloud] + regions + devices {
                try fleet.waitForEnd(of: process, within: .seconds(60))
                #expect(process.ending == .code(0), "\(process.tail)")
            }
            let last = cloud.event("stepped") { $0.round == 5 }
            #expect(last?["model"] == expected)
            #expect(cloud.event("finished") != nil)
        }
    }
}
