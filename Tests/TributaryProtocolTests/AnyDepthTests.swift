// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryProtocol

/// Trees of every depth, with every mix of tiers between the root and the devices.
struct AnyDepthTests {
    typealias Spec = MemoryTree.Spec

    /// What a middle tier does.
    enum Kind: String, CaseIterable {
        case passThrough, edgeRounds, optimizer

        /// As `MemoryTree.Spec` says it; an optimizer alone steps once a round.
        var edgeRounds: UInt32? {
            switch self {
            case .passThrough: nil
            case .edgeRounds: 2
            case .optimizer: 1
            }
        }
    }

    /// How many children the nodes of a tree have.
    enum Shape: CaseIterable {
        case even, uneven, single

        func childCount(tier: Int, position: Int) -> Int {
            switch self {
            case .even: 2
            case .uneven: 1 + (tier + position) % 3
            case .single: 1
            }
        }
    }

    /// Every sequence of `length` kinds.
    static func mixes(_ length: Int) -> [[Kind]] {
        guard length > 0 else { return [[]] }
        return mixes(length - 1).flatMap { mix in Kind.allCases.map { mix + [$0] } }
    }

    /// A root, a tier of aggregators for each kind, and devices.
    static func tree(_ kinds: [Kind], _ shape: Shape, quorum: Double = 1) -> [Spec] {
        var specs = [Spec(name: "cloud", quorum: quorum)]
        var parents = ["cloud"]
        for (tier, kind) in kinds.enumerated() {
            var nodes: [String] = []
            for (position, parent) in parents.enumerated() {
                for _ in 0..<shape.childCount(tier: tier, position: position) {
                    let name = "t\(tier + 1)-\(nodes.count)"
                    nodes.append(name)
                    specs.append(Spec(name: name, parent: parent, quorum: quorum, edgeRounds: kind.edgeRounds))
                }
            }
            parents = nodes
        }
        var client: UInt64 = 0
        for (position, parent) in parents.enumerated() {
            for _ in 0..<shape.childCount(tier: kinds.count, position: position) {
                specs.append(TreeTests.device(client, under: parent))
                client += 1
            }
        }
        return specs
    }

    /// The clients behind the contributions of a step, one entry for each time that their work is in it.
    ///
    /// A stepping node's voice stands for the steps of the node's edge rounds, which must all have the same clients.
    static func clients(
        behind keys: [UpdateKey], _ number: RoundNumber, in tree: MemoryTree
    ) throws -> [String] {
        try keys.flatMap { key -> [String] in
            guard let spec = tree.specs[key.node], spec.client == nil else { return [key.node.value] }
            let edgeRounds = try #require(spec.edgeRounds, "only stepping nodes have a voice")
            let inside = ((number.edgeRound - 1) * edgeRounds + 1)...(number.edgeRound * edgeRounds)
            let steps = tree.stepped.filter {
                $0.node == key.node && $0.number.round == number.round && inside.contains($0.number.edgeRound)
            }
            #expect(steps.count == Int(edgeRounds), "\(key.node) steps once in each edge round")
            let behind = try steps.map { try clients(behind: $0.keys, $0.number, in: tree).sorted() }
            #expect(Set(behind).count == 1)
            return behind.first ?? []
        }
    }

    static func check(_ kinds: [Kind], _ shape: Shape, rounds: UInt32 = 2) throws {
        let specs = tree(kinds, shape)
        var tree = try MemoryTree(specs, .init(rounds: rounds, survey: rounds))
        tree.run()
        let devices = specs.filter { $0.client != nil }.map(\.name).sorted()
        let count = UInt64(devices.count)
        let what: Comment = "\(kinds.map(\.rawValue)), \(shape)"
        // A survey is the second edge round of its round at the root.
        let steps = tree.stepped.filter { $0.node.value == "cloud" && $0.number.edgeRound == 1 }
        #expect(steps.map(\.number.round) == Array(1...rounds), what)
        for step in steps { #expect(try clients(behind: step.keys, step.number, in: tree).sorted() == devices, what) }
        #expect(tree.refusals.isEmpty, what)
        #expect(tree.finished.count == specs.count, what)
        for round in 1...rounds {
            let number = RoundNumber(round: round)
            let collected = TelemetryEvent.roundCollected(number, reported: count, chosen: count, reason: nil)
            #expect(tree.events.contains { $0.node.value == "cloud" && $0.event == collected }, what)
            let closed = TelemetryEvent.roundClosed(number, .committed(contributorCount: count))
            #expect(tree.events.contains { $0.node.value == "cloud" && $0.event == closed }, what)
        }
        let surveys = tree.events.compactMap { entry -> Int64? in
            if case .evaluated(_, true, let metrics) = entry.event { metrics.first?.numerator } else { nil }
        }
        #expect(surveys == [Int64(count)], what)
    }

    @Test("every mix of tiers counts every client once", arguments: [1, 2, 3], Shape.allCases)
    func everyMix(middleTiers: Int, shape: Shape) throws {
        for kinds in Self.mixes(middleTiers) { try Self.check(kinds, shape) }
    }

    @Test("six tiers of every mix, a child per node")
    func sixTiers() throws {
        for kinds in Self.mixes(4) { try Self.check(kinds, .single, rounds: 1) }
    }

    @Test("a fraction chooses the same clients under every mix, and nodes without any hold nobody up")
    func fractionUnderEveryMix() throws {
        var cohorts: Set<[String]> = []
        for kinds in Self.mixes(2) {
            var tree = try MemoryTree(
                Self.tree(kinds, .uneven), .init(rounds: 1, selection: .fraction(0.3, overSelect: 1), seed: 5))
            tree.run()
            let step = try #require(tree.stepped.last { $0.node.value == "cloud" })
            let cohort = try Self.clients(behind: step.keys, step.number, in: tree).sorted()
            let count = UInt64(cohort.count)
            let collected = TelemetryEvent.roundCollected(step.number, reported: count, chosen: count, reason: nil)
            #expect(tree.events.contains { $0.node.value == "cloud" && $0.event == collected })
            #expect(try #require(tree.finishedAt).seconds < 10)
            cohorts.insert(cohort)
        }
        #expect(cohorts.count == 1)
        #expect((1..<6).contains(cohorts.first?.count ?? 0))
    }

    @Test("each tier passes on a word of progress a second, however many report below it")
    func progressIsBounded() throws {
        let specs =
            [Spec(name: "cloud"), Spec(name: "hub", parent: "cloud")]
            + (0..<10).map { Spec(name: "edge-\($0)", parent: "hub") }
            + (0..<100).map { TreeTests.device($0, under: "edge-\($0 / 10)") }
        var tree = try MemoryTree(specs, .init(rounds: 1))
        for index in 0..<100 {
            tree.trainingTime[NodeName("d-\(index)")] = .milliseconds(2000 + 37 * ((index * 61) % 100))
        }
        var words: [String: Int] = [:]
        tree.run { _, delivery in
            guard case .up(let from, _, let envelope) = delivery, case .working = envelope.message else { return }
            words[from.value, default: 0] += 1
        }
        #expect(tree.stepped.count == 1)
        // All report within four seconds: at the start, at the end, and once a second between.
        #expect((3...7).contains(words["hub"] ?? 0))
        for edge in 0..<10 { #expect((3...7).contains(words["edge-\(edge)"] ?? 0)) }
        #expect((0..<100).allSatisfy { words["d-\($0)"] == 1 })
    }

    @Test("a quorum counts clients, not voices, wherever the failing node is", arguments: Kind.allCases)
    func quorumCountsClients(above: Kind) throws {
        // One of ten clients is below the node that works; the other node closes below its own quorum.
        let specs =
            [
                Spec(name: "cloud", quorum: 0.5),
                Spec(name: "hub", parent: "cloud", quorum: 0.05, edgeRounds: above.edgeRounds),
                Spec(name: "small", parent: "hub", edgeRounds: 2), Spec(name: "large", parent: "hub", edgeRounds: 2),
                TreeTests.device(0, under: "small"),
            ] + (1..<10).map { TreeTests.device($0, under: "large") }
        var tree = try MemoryTree(specs, .init(rounds: 1, deadline: .seconds(100)))
        tree.trainingTime[NodeName("d-5")] = .seconds(200)
        tree.run()
        #expect(!tree.stepped.contains { $0.node.value == "cloud" })
        let collected = tree.events.compactMap { entry -> [UInt64]? in
            guard entry.node.value == "cloud", case .roundCollected(_, let reported, let chosen, _) = entry.event
            else { return nil }
            return [reported, chosen]
        }
        #expect(collected == [[1, 10]])
    }
}
