// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryProtocol

/// Nodes that die at every record that they write, and start again from what they have written.
struct CrashTests {
    /// What devices were promised, and what they were told.
    struct Ledger {
        var receipts: [UpdateKey: RoundNumber] = [:]
        var ends: [NodeName: [RoundNumber: [RoundClosed.Outcome]]] = [:]

        mutating func see(_ delivery: MemoryTree.Delivery) {
            guard case .down(_, let name, let envelope) = delivery else { return }
            switch envelope.message {
            case .receipt(let receipt):
                if case .update(let key) = receipt.subject, key.node == name { receipts[key] = RoundNumber(round: 0) }
            case .roundClosed(let end): ends[name, default: [:]][end.number, default: []].append(end.outcome)
            default: break
            }
        }
    }

    static let trees: [[MemoryTree.Spec]] = [
        [MemoryTree.Spec(name: "cloud")] + (0..<2).map { TreeTests.device($0, under: "cloud") },
        [MemoryTree.Spec(name: "cloud")]
            + (0..<2).map { MemoryTree.Spec(name: "edge-\($0)", parent: "cloud") }
            + (0..<4).map { TreeTests.device($0, under: "edge-\($0 / 2)") },
        [MemoryTree.Spec(name: "cloud"), MemoryTree.Spec(name: "region", parent: "cloud")]
            + (0..<2).map { MemoryTree.Spec(name: "edge-\($0)", parent: "region") }
            + (0..<4).map { TreeTests.device($0, under: "edge-\($0 / 2)") },
        [MemoryTree.Spec(name: "cloud")]
            + (0..<2).map { MemoryTree.Spec(name: "edge-\($0)", parent: "cloud", edgeRounds: 2) }
            + (0..<4).map { TreeTests.device($0, under: "edge-\($0 / 2)") },
    ]

    /// The steps that count: of two of the same round, the node forgot the first.
    static func steps(_ tree: MemoryTree, at node: NodeName) -> [RoundNumber: [UpdateKey]] {
        var steps: [RoundNumber: [UpdateKey]] = [:]
        for step in tree.stepped where step.node == node { steps[step.number] = step.keys }
        return steps
    }

    /// Runs a tree whose `node` dies at its record `record`; returns whether it wrote so many.
    static func check(
        _ specs: [MemoryTree.Spec], _ node: NodeName, _ record: Int, survey: UInt32? = nil
    ) throws -> Bool {
        var tree = try MemoryTree(specs, .init(rounds: 2, deadline: .seconds(200), survey: survey))
        tree.crash = (node, record)
        var ledger = Ledger()
        tree.run { _, delivery in ledger.see(delivery) }
        let what: Comment = "\(specs.count) nodes: \(node) dies at record \(record)"
        let all = specs.filter { $0.client != nil }.map(\.name).sorted()
        let cloud = steps(tree, at: NodeName("cloud")).filter { $0.key.edgeRound == 1 }
        #expect(cloud.keys.map(\.round).sorted() == [1, 2], what)
        // A node that was down when the next round opened above it has no part in that.
        let isLate = tree.specs[node]?.parent != nil
        for (number, keys) in cloud where !isLate || number.round == 1 {
            let clients = try AnyDepthTests.clients(behind: keys, number, in: restepped(tree)).sorted()
            #expect(clients == all, what)
        }
        for (name, ends) in ledger.ends {
            guard let parent = tree.specs[name]?.parent, tree.clients[name] != nil else { continue }
            let isStepping = tree.specs[NodeName(parent)]?.edgeRounds != nil
            for (number, outcomes) in ends {
                #expect(Set(outcomes).count == 1, "\(name) in \(number): \(outcomes), \(what)")
                let isCommitted = if case .committed? = outcomes.first { true } else { false }
                // What a survey adds up has no body, and no keys to be seen.
                guard number.edgeRound <= (isStepping ? 2 : 1) else { continue }
                let keys = steps(tree, at: isStepping ? NodeName(parent) : NodeName("cloud"))[number] ?? []
                let isIn = keys.contains { $0.node == name }
                #expect(isIn == isCommitted, "\(name) in \(number): \(outcomes), \(keys), \(what)")
            }
        }
        #expect(tree.finished.count == specs.count, what)
        let refused = tree.events.filter { if case .refused = $0.event { true } else { false } }
        #expect(refused.isEmpty, "\(what) \(tree.refusals.count) \(refused.prefix(4).map { "\($0.node) \($0.event)" })")
        return tree.crash == nil
    }

    /// A tree with the last step of each round alone.
    static func restepped(_ tree: MemoryTree) -> MemoryTree {
        var tree = tree
        var seen: Set<String> = []
        tree.stepped = tree.stepped.reversed().filter { seen.insert("\($0.node) \($0.number)").inserted }.reversed()
        return tree
    }

    @Test("whatever record a node dies at, the same rounds complete with everybody in them", arguments: 0..<4)
    func everyRecord(tree: Int) throws {
        let specs = Self.trees[tree]
        for spec in specs where spec.client == nil {
            var record = 1
            while try Self.check(specs, NodeName(spec.name), record) { record += 1 }
            #expect(record > 6)
        }
    }

    @Test("surveys go on as well", arguments: 0..<4)
    func everyRecordOfSurveys(tree: Int) throws {
        let specs = Self.trees[tree]
        for spec in specs where spec.client == nil {
            var record = 1
            while try Self.check(specs, NodeName(spec.name), record, survey: 1) { record += 1 }
        }
    }
}
