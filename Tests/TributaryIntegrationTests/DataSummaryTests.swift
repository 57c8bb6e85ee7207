// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// `tributary data summary`, as a script and as a person see it.
@Suite struct DataSummaryTests {
    private struct Envelope: Decodable {
        struct Node: Decodable {
            let name: String
            let examples: Int
            let labels: [Int]
        }
        struct Body: Decodable {
            let devices: Int
            let estimate: Bool
            let nodes: [Node]
            let device_rows: [Node]
        }
        let data: Body
    }

    private static let file = "\(Fleet.root)/Topologies/four-tier.yaml"

    @Test("nodes add up to their parents, devices to the root, and rows to the training examples")
    func addsUp() throws {
        try Fleet.with { fleet in
            let process = try fleet.succeed("summary", ["data", "summary", Self.file, "--format", "json"])
            let data = try JSONDecoder().decode(Envelope.self, from: Data(process.lines.joined().utf8)).data
            #expect(data.devices == 24 && data.device_rows.count == 24 && data.nodes.count == 9 && !data.estimate)
            func sum(_ nodes: some Sequence<Envelope.Node>) -> [Int] {
                nodes.reduce([0, 0, 0, 0]) { zip($0, $1.labels).map { $0 + $1 } }
            }
            let root = data.nodes[0]
            #expect(root.examples == 1_200 && root.labels.reduce(0, +) == 1_200)
            #expect(sum(data.nodes[1...2]) == root.labels && sum(data.nodes[3...]) == root.labels)
            #expect(sum(data.device_rows) == root.labels)
        }
    }

    @Test("a large fleet says that it was sampled; the heat map has a line for each node")
    func estimateAndHeatMap() throws {
        try Fleet.with { fleet in
            let path = fleet.directory("fleet.yaml")
            try """
            tributary: v1
            federation: fleet
            model: {kind: linear}
            data: {kind: synthetic, examples: 10, features: 3, classes: 5, shard: {examples: 7}}
            rounds: 1
            tiers: [{name: cloud}, {name: region, count: 3}, {name: device, count: 3000000}]
            """.write(toFile: path, atomically: true, encoding: .utf8)
            let process = try fleet.succeed(
                "summary", ["data", "summary", path, "--sample", "60", "--heat-map"])
            let lines = process.lines
            #expect(lines.first == "estimated from 60 of 3000000 devices; --sample 3000000 counts all")
            let fleetLine = try #require(lines.first { $0.hasPrefix("device ") })
            #expect(fleetLine.split(separator: " ") == ["device", "3000000", "7", "7", "7"])
            let shaded = lines.filter { $0.contains { "░▒▓█".contains($0) } }
            #expect(shaded.map { $0.prefix { $0 != " " } } == ["cloud", "region-0", "region-1", "region-2"])
        }
    }
}
