// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryTopology

/// Whom nodes turn to when their parent is gone.
@Suite struct FailoverTests {
    private static func names(_ positions: [Int], _ tree: Tree) -> [String] {
        positions.map { tree.aggregators[$0].name.value }
    }

    private func fourTiers(_ nodes: [String: NodeOverride] = [:]) -> Topology {
        var topology = Example.topology(
            [
                Tier(name: "cloud", fanOut: .one), Tier(name: "region", fanOut: .names(["north", "south", "mid"])),
                Tier(name: "edge", fanOut: .perParent(2)), Tier(name: "camera", fanOut: .perParent(3)),
            ], nodes: nodes)
        topology.tiers[2].failover = .nodes(["south", "north"])
        topology.tiers[3].failover = .any
        return topology
    }

    @Test("a list is taken in its order, without the node's own parent; a node's own list wins")
    func lists() throws {
        let tree = try Tree(
            fourTiers(["edge-1": NodeOverride(failover: .nodes(["mid"])), "edge-5": NodeOverride(failover: .nodes([]))])
        )
        let edges = tree.aggregators(inTier: 2).map { Self.names(tree.fallbacks(ofAggregator: $0), tree) }
        #expect(
            edges == [["south"], ["mid"], ["north"], ["north"], ["south", "north"], []])
        #expect(tree.fallbacks(ofAggregator: Tree.root).isEmpty)
        #expect(tree.aggregators(inTier: 1).allSatisfy { tree.fallbacks(ofAggregator: $0).isEmpty })
    }

    @Test("'any' is every other node of the tier above, eight at most, and siblings begin with different ones")
    func any() throws {
        let tree = try Tree(fourTiers(["camera-0": NodeOverride(parent: "edge-3")]))
        for client in 0..<tree.deviceCount {
            let parent = try #require(tree.parent(of: ClientIndex(client)))
            let fallbacks = tree.fallbacks(of: ClientIndex(client))
            #expect(Set(fallbacks) == Set(tree.aggregators(inTier: 2)).subtracting([parent]))
        }
        let first = (0..<3).map { tree.fallbacks(of: ClientIndex($0)).first }
        #expect(Set(first).count == 3)
        var wide = Example.regions(30, devices: .perParent(40))
        wide.tiers[2].failover = .any
        let many = try Tree(wide)
        var loads: [Int: Int] = [:]
        for client in 0..<UInt64(40) {
            let fallbacks = many.fallbacks(of: ClientIndex(client))
            #expect(fallbacks.count == Tree.fallbackCountMax && Set(fallbacks).count == fallbacks.count)
            loads[fallbacks[0], default: 0] += 1
        }
        #expect(loads.count == 29 && loads.values.max() == 2)
    }

    @Test("those who turn to a node are exactly those whose lists it stands on")
    func children() throws {
        let tree = try Tree(fourTiers(["camera-2": NodeOverride(failover: .nodes(["edge-5"]))]))
        for position in tree.aggregators.indices {
            let children = tree.fallbackChildren(of: position)
            let aggregators = tree.aggregators.indices.filter { tree.fallbacks(ofAggregator: $0).contains(position) }
            let devices = (0..<tree.deviceCount).filter { tree.fallbacks(of: ClientIndex($0)).contains(position) }
            #expect(children.aggregators == aggregators)
            #expect(Array(children.devices.indices.map(\.value)) == devices)
        }
    }

    @Test("nodes agree on it, and it is written as it was read")
    func canonical() {
        var topology = Example.regions(2, devices: .perParent(2))
        let before = topology.agreedText
        topology.tiers[2].failover = .nodes(["region-1"])
        topology.nodes["camera-0"] = NodeOverride(failover: .any)
        #expect(topology.agreedText != before)
        #expect(topology.canonicalText.contains("failover: any"))
        #expect(topology.canonicalText.contains("failover: [region-1]"), "\(topology.canonicalText)")
    }

    @Test("a tier above with one node leaves nobody to turn to, which is said")
    func nobody() throws {
        var topology = Example.regions(2, devices: .perParent(2))
        topology.tiers[1].failover = .any
        let issues = topology.issues()
        #expect(issues.map(\.path) == ["tiers[1].failover"])
        #expect(issues.first?.severity == .warning)
        #expect(try Tree(topology).fallbacks(ofAggregator: 1).isEmpty)
    }
}
