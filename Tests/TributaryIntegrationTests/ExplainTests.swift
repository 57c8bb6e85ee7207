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
}
