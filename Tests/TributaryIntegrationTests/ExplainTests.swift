// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// What `explain capacity` says of a topology before it runs is what running it shows.
@Suite(.serialized) struct ExplainTests {
    private struct Envelope<Value: Decodable>: Decodable { var data: Value }

    private struct Traffic: Decodable {
        var bytes_up: [String: Double]
        var bytes_down: [String: Double]
    }

    private struct Run: Decodable { var rounds: [Traffic] }

    private static func decode<Value: Decodable>(_ type: Value.Type, _ process: Running) throws -> Value {
        let text = process.lines.joined(separator: "\n")
        return try JSONDecoder().decode(Envelope<Value>.self, from: Data(text.utf8)).data
    }

    /// The bus counts what it moves.
    ///
    /// A plan leaves out probes and a device's progress, and estimates sums.
    @Test func thePlannedBytesAreThoseOfARun() throws {
        try Fleet.with { fleet in
            let scene = Scene(regions: ["east", "west"], hidden: 200)
            let topology = try fleet.directory.write(scene.text, as: "scene.yaml")
            let explain = try fleet.run("explain", ["explain", "capacity", topology, "--format", "json"])
            #expect(explain.ending == .code(0), "\(explain.tail)")
            let plan = try Self.decode(Traffic.self, explain)
            let up = try fleet.run("up", ["up", topology, "--format", "json", "--runs", fleet.directory("runs")])
            #expect(up.ending == .code(0), "\(up.tail)")
            // The first round also has the greetings.
            let round = try #require(Self.decode(Run.self, up).rounds.dropFirst().first)
            #expect(Set(plan.bytes_up.keys) == ["region", "device"])
            for tier in ["region", "device"] {
                let up = (try #require(plan.bytes_up[tier]), try #require(round.bytes_up[tier]))
                let down = (try #require(plan.bytes_down[tier]), try #require(round.bytes_down[tier]))
                #expect(abs(up.0 - up.1) < 0.2 * up.1, "\(tier) up: planned \(up.0), counted \(up.1)")
                #expect(abs(down.0 - down.1) < 0.2 * down.1, "\(tier) down: planned \(down.0), counted \(down.1)")
            }
        }
    }

    // MARK: Against a simulation

    private struct Plan: Decodable {
        struct Seconds: Decodable { var median: Double }
        struct Joules: Decodable { var total: Double }
        var bytes_up: [String: Double]
        var bytes_down: [String: Double]
        var round_seconds: Seconds
        var device_joules: Joules
    }

    private struct Simulated: Decodable {
        struct Energy: Decodable {
            var compute: Double
            var radio: Double
        }
        struct Round: Decodable {
            var selected: Double
            var bytes_up: [String: Double]
            var bytes_down: [String: Double]
            var virtual_seconds: Double
            var energy_joules: [String: Energy]
        }
        var rounds: [Round]
    }

    /// A flat tree, three tiers whose devices differ and are over-selected, and edges that take two rounds for one.
    private static let trees = [
        """
        tiers:
          - {name: cloud, deadline: 600s}
          - {name: device, per-parent: 60, train: {local-epochs: 2, batch: 16}}
        simulate:
          links: {device: {bandwidth: {up: 1Mbit, down: 4Mbit}, latency: 40ms}}
          compute: {kind: constant, time: 30ms}
        """,
        """
        tiers:
          - {name: cloud, deadline: 600s}
          - {name: region, count: 6}
          - {name: device, per-parent: 50, cohort: {fraction: 0.4, over-select: 1.25}}
        simulate:
          links: {region: {bandwidth: 50Mbit, latency: 20ms}, device: {bandwidth: 2Mbit, latency: 30ms, jitter: 5ms}}
          compute: {kind: lognormal, median: 40ms, sigma: 0.5}
        """,
        """
        tiers:
          - {name: cloud, deadline: 600s}
          - {name: region, count: 3, edge-rounds: 2}
          - {name: device, per-parent: 20}
        simulate:
          links: {region: {bandwidth: 10Mbit, latency: 20ms}, device: {bandwidth: 1Mbit, latency: 10ms}}
          compute: {kind: lognormal, median: 20ms, sigma: 0.3}
        """,
    ]

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    @Test(arguments: trees.indices) func thePlanIsWhatASimulationMeasures(tree: Int) throws {
        try Fleet.with { fleet in
            let text = """
                tributary: v1
                federation: planned
                seed: 5
                model: {kind: mlp, hidden: [64]}
                data: {kind: synthetic, examples: 18000, features: 32, classes: 10}
                rounds: 41
                evaluation: {every: 100}

                """ + Self.trees[tree]
            let file = try fleet.directory.write(text, as: "planned.yaml")
            let plan = try Self.decode(
                Plan.self, fleet.succeed("explain", ["explain", "capacity", file, "--format", "json"]))
            let words = ["simulate", file, "--format", "json", "--runs", fleet.directory("runs")]
            let rounds = Array(try Self.decode(Simulated.self, fleet.succeed("simulate", words)).rounds.dropFirst())
            func check(_ what: String, _ planned: Double, _ measured: Double) {
                #expect(abs(planned - measured) < 0.2 * measured, "\(what): planned \(planned), measured \(measured)")
            }
            for tier in plan.bytes_up.keys.sorted() {
                check("\(tier) up", plan.bytes_up[tier] ?? 0, Self.median(rounds.map { $0.bytes_up[tier] ?? 0 }))
                check("\(tier) down", plan.bytes_down[tier] ?? 0, Self.median(rounds.map { $0.bytes_down[tier] ?? 0 }))
            }
            check("seconds", plan.round_seconds.median, Self.median(rounds.map(\.virtual_seconds)))
            let joules = rounds.map { round in
                let spent = round.energy_joules["device"]
                return ((spent?.compute ?? 0) + (spent?.radio ?? 0)) / round.selected
            }
            check("joules", plan.device_joules.total, Self.median(joules))
        }
    }
}
