// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryTestSupport

@testable import TributaryTopology

@Suite struct TopologyDiffTests {
    @Test("a topology does not differ from itself")
    func same() throws {
        for seed in 0..<50 as Range<UInt64> {
            let tree = try Self.randomTree(seed)
            #expect(TopologyDiff(from: tree, to: tree).isEmpty, "seed \(seed)")
        }
    }

    @Test("the old topology with the diff applied is the new one")
    func law() throws {
        for seed in 0..<400 as Range<UInt64> {
            let (old, new) = (try Self.randomTree(seed), try Self.randomTree(seed + 1000))
            let diff = TopologyDiff(from: old, to: new)
            #expect(Self.applied(diff, old, new) == Self.parents(new), "seed \(seed): \(diff)")
            #expect(Self.appliedSettings(diff, old) == Self.settings(new, shared: old), "seed \(seed): \(diff)")
            let back = TopologyDiff(from: new, to: old)
            #expect(back.isEmpty == diff.isEmpty)
            #expect(
                back.deviceCount { if case .removed = $0 { true } else { false } }
                    == diff.deviceCount { if case .added = $0 { true } else { false } }, "seed \(seed)")
        }
    }

    @Test("devices are told in runs, however many there are")
    func runs() throws {
        let old = try Tree(Example.regions(2, devices: .perParent(1_000_000)))
        let new = try Tree(Example.regions(2, devices: .perParent(1_200_000)))
        let diff = TopologyDiff(from: old, to: new)
        let names = diff.devices.map { "\($0.first) \($0.last) \($0.count)" }
        #expect(names == ["camera-1000000 camera-1199999 200000", "camera-2000000 camera-2399999 400000"])
        #expect(
            diff.devices.map(\.change) == [
                .moved(from: NodeName("region-1"), to: NodeName("region-0")), .added(parent: NodeName("region-1")),
            ])
        #expect(diff.settings.map(\.path) == ["tiers.camera.per-parent"])
        #expect(diff.dealsDataAnew)
    }

    @Test("a device whose place in a list changes holds another share of the data")
    func shifted() throws {
        let old = try Tree(Example.regions(1, devices: .names(["ant", "bee", "cat"])))
        let new = try Tree(Example.regions(1, devices: .names(["bee", "cat", "dog"])))
        let diff = TopologyDiff(from: old, to: new)
        #expect(diff.devices.map(\.first.value) == ["bee", "dog", "ant"])
        #expect(diff.devices.map(\.last.value) == ["cat", "dog", "ant"])
        #expect(diff.devices.map(\.shift) == [-1, 0, 0])
        #expect(!diff.dealsDataAnew)
    }

    @Test("a tier that comes is told as a whole, and its children move below it")
    func tierAdded() throws {
        let old = try Tree(Example.regions(2, devices: .count(4)))
        var topology = Example.regions(2, devices: .count(4))
        topology.tiers.insert(Tier(name: "zone", fanOut: .count(1)), at: 1)
        let diff = TopologyDiff(from: old, to: try Tree(topology))
        #expect(diff.settings.isEmpty && diff.devices.isEmpty)
        #expect(diff.tiers == [TopologyDiff.TierChange(name: "zone", nodeCount: 1, isAdded: true)])
        let zone = NodeName("zone-0")
        let cloud = NodeName("cloud")
        #expect(
            diff.aggregators.map(\.change) == [
                .added(parent: cloud), .moved(from: cloud, to: zone), .moved(from: cloud, to: zone),
            ])
    }

    @Test("settings are compared with their defaults filled in")
    func settings() throws {
        let old = Example.regions(2, devices: .count(4))
        var new = old
        new.tiers[0].deadline = Tier.deadlineDefault
        #expect(TopologyDiff(from: try Tree(old), to: try Tree(new)).isEmpty)
        new.tiers[0].deadline = .seconds(5)
        new.tiers[0].optimizer = .fedAdam(learningRate: 0.5, beta1: 0, beta2: 0, tau: 1)
        let diff = TopologyDiff(from: try Tree(old), to: try Tree(new))
        let change = try #require(diff.settings.first { $0.path == "tiers.cloud.deadline" })
        #expect(change.before == "60s" && change.after == "5s")
        let kind = try #require(diff.settings.first { $0.path == "tiers.cloud.optimizer.kind" })
        #expect(kind.before == "fedavg" && kind.after == "fedadam")
        #expect(diff.settings.contains { $0.path == "tiers.cloud.optimizer.tau" && $0.before == nil })
    }

    // MARK: Applying

    /// Every node with its parent.
    private static func parents(_ tree: Tree) -> [NodeName: NodeName?] {
        var parents: [NodeName: NodeName?] = [:]
        for node in tree.aggregators { parents[node.name] = .some(node.parent.map { tree.aggregators[$0].name }) }
        for index in 0..<tree.deviceCount {
            let client = ClientIndex(index)
            parents[tree.deviceName(client)] = .some(tree.parent(of: client).map { tree.aggregators[$0].name })
        }
        return parents
    }

    private static func applied(_ diff: TopologyDiff, _ old: Tree, _ new: Tree) -> [NodeName: NodeName?] {
        var parents = parents(old)
        func apply(_ name: NodeName, _ change: TopologyDiff.NodeChange) {
            switch change {
            case .added(let parent), .moved(_, let parent): parents[name] = .some(parent)
            case .removed: parents[name] = nil
            }
        }
        for node in diff.aggregators.reversed() { apply(node.name, node.change) }
        for run in diff.devices.reversed() { for name in names(of: run, old, new) { apply(name, run.change) } }
        return parents
    }

    /// The names of a run: consecutive clients of the tree that has them.
    private static func names(of run: TopologyDiff.DeviceChange, _ old: Tree, _ new: Tree) -> [NodeName] {
        var tree = new
        if case .removed = run.change { tree = old }
        return (run.client.value..<run.client.value + run.count).map { tree.deviceName(ClientIndex($0)) }
    }

    /// The settings of `tree`'s tiers that `shared` has too.
    private static func settings(_ tree: Tree, shared: Tree) -> [String: String] {
        let common = Set(tree.topology.tiers.map(\.name)).intersection(shared.topology.tiers.map(\.name))
        return TopologyDiff.Leaves(tree.topology).values.filter { path, _ in
            TopologyDiff.tierName(in: path).map(common.contains) ?? true
        }
    }

    private static func appliedSettings(_ diff: TopologyDiff, _ old: Tree) -> [String: String] {
        var values = TopologyDiff.Leaves(old.topology).values
        for setting in diff.settings where setting.path != "tiers" { values[setting.path] = setting.after }
        let gone = Set(diff.tiers.filter { !$0.isAdded }.map(\.name))
        return values.filter { path, _ in !(TopologyDiff.tierName(in: path).map(gone.contains) ?? false) }
    }

    private static func list(count: UInt64, stride: UInt64) -> FanOut {
        .names((0..<count).map { "camera-\($0 * stride)" })
    }

    /// A small tree whose names often agree with those of another seed.
    private static func randomTree(_ seed: UInt64) throws -> Tree {
        var random = Generator(seed: seed)
        let devices: FanOut =
            switch random.integer(0...3) {
            case 0: Self.list(count: random.integer(4...9), stride: random.integer(1...3))
            case 1: .perParent(random.integer(1...5))
            default: .count(random.integer(4...20))
            }
        var topology = Example.regions(random.integer(1...4), devices: devices)
        if random.integer(0...2) == 0 {
            topology.tiers.insert(Tier(name: "zone", fanOut: .count(1)), at: 1)
        }
        if random.integer(0...3) == 0 { topology.tiers[topology.tiers.count - 1].name = "sensor" }
        if random.integer(0...2) == 0 { topology.tiers[1].quorum = 0.25 }
        if random.integer(0...2) == 0 { topology.rounds = 9 }
        return try Tree(topology)
    }
}
