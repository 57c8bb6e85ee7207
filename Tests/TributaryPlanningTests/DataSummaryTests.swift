// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryPlanning
import TributaryTopology

@Suite struct DataSummaryTests {
    static func tree(devices: UInt64, moved: [String: NodeOverride] = [:]) throws -> Tree {
        var topology = ForecastTests.topology([
            Tier(name: "cloud", fanOut: .one), Tier(name: "region", fanOut: .count(2)),
            Tier(name: "gateway", fanOut: .perParent(2)), Tier(name: "device", fanOut: .perParent(devices)),
        ])
        topology.nodes = moved
        return try Tree(topology)
    }

    /// Device i holds i examples of class 0 and one of class 1 + i mod 2.
    static func labelCounts(_ client: ClientIndex) -> [Int] {
        [Int(client.value), client.value % 2 == 0 ? 1 : 0, Int(client.value % 2)]
    }

    @Test("counts by hand: three devices below each of four gateways, one of them moved")
    func exact() throws {
        let tree = try Self.tree(devices: 3, moved: ["device-0": NodeOverride(parent: "gateway-3")])
        let summary = try DataSummary(tree, classCount: 3, deviceRows: 2, labelCounts: Self.labelCounts)
        #expect(!summary.isEstimate && summary.sampleCount == 12)
        let labels: [[UInt64]] = [
            [66, 6, 6], [15, 2, 3], [51, 4, 3], [3, 1, 1], [12, 1, 2], [21, 2, 1], [30, 2, 2],
        ]
        #expect(summary.nodes.map(\.labels) == labels)
        #expect(summary.nodes.map(\.deviceCount) == [12, 5, 7, 2, 3, 3, 4])
        #expect(summary.nodes.map(\.tier) == [0, 1, 1, 2, 2, 2, 2])
        let gateway = summary.nodes[6].examplesPerDevice
        #expect([gateway.min, gateway.median, gateway.max] == [1, 10, 12])
        #expect(summary.devices.map(\.labels) == [[0, 1, 0], [1, 0, 1]])
        #expect(summary.devices.map(\.name.value) == ["device-0", "device-1"])
        #expect(summary.tiers.map(\.name) == ["cloud", "region", "gateway", "device"])
        #expect(summary.tiers.map(\.nodeCount) == [1, 2, 4, 12])
        #expect(summary.tiers.map(\.examplesPerNode.max) == [78, 58, 34, 12])
        #expect(summary.tiers.map(\.examplesPerNode.median) == [78, 20, 15, 6])
    }

    @Test("a sample at even distances estimates a linear law to within a step")
    func estimate() throws {
        let tree = try Self.tree(devices: 2_500)
        var asked: Set<UInt64> = []
        let summary = try DataSummary(tree, classCount: 3, sampleMax: 100) { client in
            asked.insert(client.value)
            return Self.labelCounts(client)
        }
        #expect(summary.isEstimate && summary.sampleCount == 100 && asked.count == 100)
        #expect(summary.nodes.map(\.sampleCount) == [100, 50, 50, 25, 25, 25, 25])
        let whole = 10_000.0 * 9_999 / 2
        #expect(abs(Double(summary.nodes[0].labels[0]) / whole - 1) < 0.01)
        #expect(summary.nodes[0].labels[1] + summary.nodes[0].labels[2] == 10_000)
        #expect(summary.nodes[0].labels[0] == summary.nodes[1].labels[0] + summary.nodes[2].labels[0])
    }

    @Test("every aggregator is looked at, however small the sample")
    func smallSample() throws {
        let summary = try DataSummary(
            try Self.tree(devices: 50), classCount: 3, sampleMax: 1, labelCounts: Self.labelCounts)
        #expect(summary.nodes.allSatisfy { $0.sampleCount >= 1 })
        #expect(summary.sampleCount == 4)
    }
}
