// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryProtocol

/// Devices and aggregators that go to another parent in the middle of a round, and nodes that die meanwhile.
struct MoveTests {
    /// The leaves' parents, with every device allowed at each of them.
    static func settings(_ specs: [MemoryTree.Spec], seed: UInt64, rounds: UInt32 = 2) -> MemoryTree.Settings {
        var settings = MemoryTree.Settings(rounds: rounds, deadline: .seconds(60), seed: seed)
        let devices = specs.filter { $0.client != nil }
        for edge in Set(devices.compactMap(\.parent)) {
            settings.guests[NodeName(edge)] = devices.map { NodeName($0.name) }
        }
        return settings
    }

    /// Who gave each device a receipt for its update of a round, and what each said of the round's end.
    struct Words {
        var receipts: [UpdateKey: Set<NodeName>] = [:]
        var keys: [NodeName: [RoundNumber: UpdateKey]] = [:]
        var ends: [(from: NodeName, to: NodeName, end: RoundClosed)] = []

        mutating func hear(_ delivery: MemoryTree.Delivery) {
            switch delivery {
            case .up(let name, _, let envelope):
                if case .update(let update) = envelope.message { keys[name, default: [:]][update.number] = update.key }
            case .down(let parent, let name, let envelope):
                switch envelope.message {
                case .receipt(let receipt):
                    if case .update(let key) = receipt.subject { receipts[key, default: []].insert(parent) }
                case .roundClosed(let end): ends.append((parent, name, end))
                default: break
                }
            default: break
            }
        }
    }

    /// Nobody counts twice, and what a device was told is what happened to its update.
    ///
    /// Of two parents that gave it a receipt one may have failed, and says so: the device believes the other.
    static func check(_ tree: MemoryTree, _ words: Words, _ what: Comment) {
        let cloud = CrashTests.steps(tree, at: NodeName("cloud"))
        for (number, keys) in cloud {
            #expect(Set(keys.map(\.node)).count == keys.count, "\(number) counts somebody twice: \(keys), \(what)")
        }
        for (parent, name, end) in words.ends where tree.clients[name] != nil {
            guard let key = words.keys[name]?[end.number], let holders = words.receipts[key], holders.contains(parent)
            else { continue }
            let isIn = cloud[end.number]?.contains(key) ?? false
            switch end.outcome {
            case .committed: #expect(isIn, "\(key) in \(end.number), told by \(parent), \(what)")
            case .failed(let reason) where holders == [parent]:
                #expect(!isIn, "\(key) in \(end.number): \(reason), told by \(parent), \(what)")
            case .failed: break
            }
        }
    }

    @Test("devices move at random between edges, and count once", arguments: 0..<15)
    func randomMoves(block: UInt64) throws {
        for seed in block * 10..<(block + 1) * 10 {
            for specs in [TreeTests.threeTiers(quorum: 0.3), Self.withQuorum(TreeTests.fourTiers, 0.3)] {
                var tree = try MemoryTree(specs, Self.settings(specs, seed: seed))
                Self.script(&tree, specs, seed)
                var words = Words()
                tree.run { _, delivery in words.hear(delivery) }
                let what: Comment = "seed \(seed), \(specs.count) nodes"
                Self.check(tree, words, what)
                #expect(tree.finished.contains(NodeName("cloud")), what)
            }
        }
    }

    static func withQuorum(_ specs: [MemoryTree.Spec], _ quorum: Double) -> [MemoryTree.Spec] {
        specs.map { spec in
            var spec = spec
            spec.quorum = quorum
            return spec
        }
    }

    /// Moves, deaths and returns in the first ten seconds.
    static func script(_ tree: inout MemoryTree, _ specs: [MemoryTree.Spec], _ seed: UInt64) {
        var random = CounterRandom(seed: seed, purpose: .synthetic, round: RoundNumber(round: 7))
        let edges = Array(Set(specs.filter { $0.client != nil }.compactMap(\.parent))).sorted()
        for spec in specs where spec.client != nil {
            let name = NodeName(spec.name)
            tree.trainingTime[name] = .milliseconds(Int64(random.next(below: 4000)))
            for _ in 0..<random.next(below: 3) {
                let edge = NodeName(edges[Int(random.next(below: UInt64(edges.count)))])
                tree.push(.move(name, to: edge), after: .milliseconds(Int64(random.next(below: 10_000))))
            }
        }
        let inner = specs.filter { $0.client == nil }
        var isSomebodyGone = false
        for _ in 0..<random.next(below: 4) {
            let spec = inner[Int(random.next(below: UInt64(inner.count)))]
            let begin = Int64(random.next(below: 8000))
            tree.push(.stop(NodeName(spec.name)), after: .milliseconds(begin))
            // One may never come back.
            if spec.parent != nil, !isSomebodyGone, random.next(below: 4) == 0 {
                isSomebodyGone = true
                continue
            }
            let end = begin + 1 + Int64(random.next(below: 4000))
            tree.push(.restart(NodeName(spec.name)), after: .milliseconds(end))
        }
    }

    private static let everybody = (0..<12).map { "d-\($0)" }.sorted()

    /// Has d-0 go to `edge` as soon as its own edge has promised to count it, and everybody there take some time.
    private static func defect(
        _ tree: inout MemoryTree, to edge: String, _ delivery: MemoryTree.Delivery, _ done: inout Bool
    ) {
        guard !done, case .down(_, NodeName("d-0"), let envelope) = delivery, case .receipt = envelope.message else {
            return
        }
        done = true
        tree.push(.move(NodeName("d-0"), to: NodeName(edge)), after: .milliseconds(1))
    }

    private static func slowDown(_ tree: inout MemoryTree, below edge: String) {
        for spec in tree.specs.values where spec.parent == edge { tree.trainingTime[NodeName(spec.name)] = .seconds(2) }
    }

    @Test("who was to bring a contribution dies, and who left it out brings it: a supplement")
    func supplement() throws {
        let specs = TreeTests.threeTiers(quorum: 0.5)
        var tree = try MemoryTree(specs, Self.settings(specs, seed: 3, rounds: 1))
        Self.slowDown(&tree, below: "edge-1")
        var (hasMoved, hasDied, supplements) = (false, false, 0)
        tree.run { tree, delivery in
            Self.defect(&tree, to: "edge-1", delivery, &hasMoved)
            switch delivery {
            case .up(NodeName("edge-0"), _, let envelope):
                if case .sum = envelope.message { tree.isLost = true }
            case .down(_, NodeName("edge-1"), let envelope):
                guard case .sumGrant(let grant) = envelope.message else { return }
                if !grant.only.isEmpty { supplements += 1 }
                guard !grant.exclude.isEmpty, !hasDied else { return }
                hasDied = true
                tree.push(.stop(NodeName("edge-0")), after: .milliseconds(1))
            default: break
            }
        }
        #expect(hasMoved && hasDied && supplements == 1)
        let step = try #require(tree.stepped.last { $0.node.value == "cloud" })
        let gone: Set<String> = ["d-1", "d-2", "d-3"]
        #expect(step.keys.map(\.node.value).sorted() == Self.everybody.filter { !gone.contains($0) })
        let told = tree.events.filter { $0.node.value == "d-0" }.compactMap { entry -> RoundClosed.Outcome? in
            if case .roundClosed(_, let outcome) = entry.event { outcome } else { nil }
        }
        #expect(told == [.committed(contributorCount: 9)])
    }

    @Test("what is inside a child's sum leaves it exactly, and comes back when it is needed", arguments: [false, true])
    func nestedTakeOut(bringerDies: Bool) throws {
        let specs = Self.withQuorum(TreeTests.fourTiers, 0.4)
        var tree = try MemoryTree(specs, Self.settings(specs, seed: 3, rounds: 1))
        Self.slowDown(&tree, below: "edge-2")
        var hasMoved = false
        var parts: [String] = []
        tree.run { tree, delivery in
            Self.defect(&tree, to: "edge-2", delivery, &hasMoved)
            switch delivery {
            case .up(NodeName("region-0"), _, let envelope):
                if bringerDies, case .sum = envelope.message { tree.isLost = true }
            case .down(_, let name, let envelope):
                guard case .sumGrant(let grant) = envelope.message else { return }
                if !grant.only.isEmpty { parts.append(name.value) }
                guard bringerDies, name.value == "region-1", !grant.exclude.isEmpty else { return }
                tree.push(.stop(NodeName("region-0")), after: .milliseconds(40))
            default: break
            }
        }
        #expect(hasMoved)
        let step = try #require(tree.stepped.last { $0.node.value == "cloud" })
        if bringerDies {
            #expect(parts == ["edge-2", "region-1"])
            let left = ["d-0"] + (6..<12).map { "d-\($0)" }
            #expect(step.keys.map(\.node.value).sorted() == left.sorted())
        } else {
            #expect(parts == ["edge-2"])
            #expect(step.keys.map(\.node.value).sorted() == Self.everybody)
        }
    }
}
