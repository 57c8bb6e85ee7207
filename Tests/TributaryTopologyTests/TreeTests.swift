// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryTopology

@Suite struct TreeTests {
    @Test("counts spread evenly and contiguously, in depth-first order")
    func spread() throws {
        let tree = try Tree(Example.regions(3, devices: .count(10)))
        #expect(tree.aggregators.map(\.name.value) == ["cloud", "region-0", "region-1", "region-2"])
        #expect(tree.aggregators[0].children == [1, 2, 3])
        let ranges = tree.aggregators[1...].map(\.devices.ranges)
        #expect(ranges == [[0..<4], [4..<7], [7..<10]])
        #expect(tree.aggregators[0].clients.ranges == [0..<10])
        #expect(tree.count(ofTier: 0) == 1 && tree.count(ofTier: 1) == 3 && tree.count(ofTier: 2) == 10)
    }

    @Test("every device has one parent, and it is among that parent's devices")
    func parents() throws {
        for devices in [FanOut.count(29), .perParent(6), .names((0..<9).map { "cam\($0)x" })] {
            let moved = devices == .perParent(6) ? "camera-3" : nil
            let tree = try Tree(
                Example.regions(5, devices: devices, nodes: moved.map { [$0: NodeOverride(parent: "region-4")] } ?? [:])
            )
            var total: UInt64 = 0
            for aggregator in tree.aggregators { total += aggregator.devices.count }
            #expect(total == tree.deviceCount)
            for index in 0..<tree.deviceCount {
                let client = ClientIndex(index)
                let parent = try #require(tree.parent(of: client))
                #expect(tree.aggregators[parent].devices.contains(client))
                #expect(tree.node(named: tree.deviceName(client)) == .device(client))
                #expect(tree.policy(of: client)?.parent == tree.aggregators[parent].name)
            }
            #expect(tree.parent(of: ClientIndex(tree.deviceCount)) == nil)
        }
    }

    @Test("a device that moves keeps its index; the others stay where they are")
    func movedDevice() throws {
        let tree = try Tree(
            Example.regions(2, devices: .perParent(4), nodes: ["camera-1": NodeOverride(parent: "region-1")]))
        #expect(tree.aggregators[1].devices.ranges == [0..<1, 2..<4])
        #expect(tree.aggregators[2].devices.ranges == [1..<2, 4..<8])
        #expect(tree.aggregators[0].clients.ranges == [0..<8])
    }

    @Test("an aggregator that moves takes its devices with it")
    func movedAggregator() throws {
        let topology = Example.topology(
            [
                Tier(name: "cloud", fanOut: .one), Tier(name: "zone", fanOut: .names(["x", "y"])),
                Tier(name: "edge", fanOut: .names(["a", "b", "c", "d"])), Tier(name: "camera", fanOut: .perParent(2)),
            ], nodes: ["a": NodeOverride(parent: "y")])
        let tree = try Tree(topology)
        #expect(tree.node(named: NodeName("y")) == .aggregator(2))
        #expect(tree.aggregators[1].children.map { tree.aggregators[$0].name.value } == ["b"])
        #expect(tree.aggregators[2].children.map { tree.aggregators[$0].name.value } == ["a", "c", "d"])
        #expect(tree.aggregators[1].clients.ranges == [2..<4])
        #expect(tree.aggregators[2].clients.ranges == [0..<2, 4..<8])
    }

    @Test("a node's own number of children moves the indices behind it")
    func ownChildren() throws {
        let tree = try Tree(
            Example.regions(3, devices: .perParent(2), nodes: ["region-1": NodeOverride(children: 5)]))
        #expect(tree.aggregators[1...].map(\.devices.ranges) == [[0..<2], [2..<7], [7..<9]])
    }

    @Test("the same devices below any tree: indices do not depend on depth")
    func sameIndices() throws {
        let flat = try Tree(
            Example.topology([Tier(name: "cloud", fanOut: .one), Tier(name: "device", fanOut: .count(24))]))
        let deep = try Tree(
            Example.topology([
                Tier(name: "cloud", fanOut: .one), Tier(name: "r", fanOut: .count(2)),
                Tier(name: "g", fanOut: .perParent(3)), Tier(name: "device", fanOut: .count(24)),
            ]))
        #expect(flat.deviceCount == deep.deviceCount)
        #expect(deep.aggregators[3...].flatMap { $0.devices.indices } == flat.aggregators[0].devices.indices.map { $0 })
        #expect(flat.deviceName(ClientIndex(17)) == deep.deviceName(ClientIndex(17)))
    }

    @Test("a hundred million devices cost what their aggregators cost")
    func manyDevices() throws {
        var topology = Example.regions(100, devices: .perParent(1_000_000))
        topology.tiers[2].cohort = .count(10_000, overSelect: 1)
        let tree = try Tree(topology)
        #expect(tree.deviceCount == 100_000_000)
        #expect(tree.aggregators.count == 101)
        #expect(tree.parent(of: ClientIndex(99_999_999)) == 100)
        #expect(tree.deviceName(ClientIndex(12_345_678)).value == "camera-12345678")
        #expect(tree.client(named: NodeName("camera-99999999")) == ClientIndex(99_999_999))
        #expect(tree.client(named: NodeName("camera-100000000")) == nil)
        #expect(tree.client(named: NodeName("camera-007")) == nil)
        #expect(tree.client(named: NodeName("camera-")) == nil)
    }

    @Test("ports count up inside a tier; a node's own endpoint wins")
    func endpoints() throws {
        var topology = Example.regions(3, devices: .perParent(1))
        topology.tiers[1].listen = Endpoint(host: "0.0.0.0", port: 9000)
        topology.nodes["region-2"] = NodeOverride(listen: Endpoint(host: "*", port: 1234))
        topology.nodes["region-1"] = NodeOverride(advertise: Endpoint(host: "one.example", port: 80))
        let tree = try Tree(topology)
        #expect(
            tree.aggregators.map { $0.listen?.description ?? "" } == [
                "tcp://127.0.0.1:7100", "tcp://0.0.0.0:9000", "tcp://0.0.0.0:9001", "tcp://*:1234",
            ])
        #expect(
            tree.aggregators.map { $0.advertise?.description ?? "" } == [
                "tcp://127.0.0.1:7100", "tcp://127.0.0.1:9000", "tcp://one.example:80", "tcp://127.0.0.1:1234",
            ])
    }

    @Test("seed, round count and what a simulation assumes are written out, and no part of what nodes must agree on")
    func agreedText() {
        var topology = Example.regions(2, devices: .perParent(2))
        let (agreed, canonical) = (topology.agreedText, topology.canonicalText)
        let lines = canonical.split(separator: "\n").prefix { $0 != "simulate:" }
        let kept = lines.filter { !$0.hasPrefix("seed: ") && !$0.hasPrefix("rounds: ") }
        #expect(kept.count == lines.count - 2)
        #expect(agreed == kept.map { "\($0)\n" }.joined())
        (topology.seed, topology.rounds) = (topology.seed + 1, topology.rounds + 1)
        topology.simulation.links["camera"] = LinkSettings(latency: .milliseconds(30))
        topology.simulation.faults = [Fault(kind: .partition, target: .tier("camera"))]
        #expect(topology.agreedText == agreed)
        #expect(topology.canonicalText != canonical)
    }

    @Test("equal topologies give equal text, different ones different text")
    func canonicalText() {
        let topology = Example.regions(2, devices: .perParent(2))
        #expect(topology.canonicalText == topology.filled().canonicalText)
        var changes: [Topology] = []
        func change(_ body: (inout Topology) -> Void) {
            var changed = topology
            body(&changed)
            changes.append(changed)
        }
        change { $0.model = .mlp(hidden: [1]) }
        change { $0.data.holdOut = 0.25 }
        change { $0.stop = StopRule(metric: .loss, threshold: 1) }
        change { $0.evaluation.every = 2 }
        change { $0.tiers[1].quorum = 0.75 }
        change { $0.tiers[1].edgeRounds = 2 }
        change { $0.tiers[2].training.deltaBound = 4 }
        change { $0.tiers[2].training.settings.optimizer = .sgd(learningRate: 0.05, momentum: 0.5) }
        change { $0.nodes["camera-1"] = NodeOverride(parent: "region-1") }
        change { $0.tiers[2].training = .none }
        #expect(Set(changes.map(\.agreedText) + [topology.agreedText]).count == changes.count + 1)
        change { $0.seed = 2 }
        change { $0.rounds = 4 }
        #expect(Set(changes.map(\.canonicalText) + [topology.canonicalText]).count == changes.count + 1)
    }
}
