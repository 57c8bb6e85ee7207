// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryProtocol

/// A journal that cannot be written: without space a node waits, for any other reason it ends.
struct FullDiskTests {
    /// The kinds of records that a node writes.
    static let kinds = [
        "welcomed", "assigned", "opened", "updateAccepted", "sumAccepted", "answered", "stepped", "closed",
    ]

    static func kind(of record: JournalRecord) -> String {
        switch record {
        case .welcomed: "welcomed"
        case .assigned: "assigned"
        case .opened: "opened"
        case .updateAccepted: "updateAccepted"
        case .sumAccepted: "sumAccepted"
        case .tookOut: "tookOut"
        case .subtracted: "subtracted"
        case .answered: "answered"
        case .stepped: "stepped"
        case .closed: "closed"
        }
    }

    @Test("a record that finds no space is written later; nobody is told anything before", arguments: kinds)
    func noSpace(kind: String) throws {
        let specs = TreeTests.threeTiers()
        var tree = try MemoryTree(specs, .init(rounds: 2, deadline: .seconds(120)))
        let full = Set(specs.filter { $0.client == nil }.map { NodeName($0.name) })
        let budget = Budget(count: 5)
        tree.journalFault = { name, record in
            full.contains(name) && Self.kind(of: record) == kind && budget.take() ? .storageFull : nil
        }
        var early: [String] = []
        tree.run { tree, delivery in
            guard case .down(let parent, let name, let envelope) = delivery, full.contains(parent),
                case .receipt(let receipt) = envelope.message
            else { return }
            let isWritten = (tree.journals[parent] ?? []).contains { record in
                switch (record, receipt.subject) {
                case (.updateAccepted(let update), .update(let key)): update.key == key
                case (.sumAccepted(let sum, _, _), .sum(let key)): sum.key == key
                default: false
                }
            }
            if !isWritten { early.append("\(parent) to \(name)") }
        }
        #expect(budget.left == 0)
        #expect(early.isEmpty)
        let cloud = CrashTests.steps(tree, at: NodeName("cloud"))
        #expect(cloud.count == 2)
        for (number, keys) in cloud { #expect(Set(keys.map(\.node)).count == 12 && keys.count == 12, "\(number)") }
        for node in full {
            let said = tree.events.compactMap { entry -> Bool? in
                if entry.node == node, case .storageFull(let isFull) = entry.event { isFull } else { nil }
            }
            #expect(said.enumerated().allSatisfy { $0.element == $0.offset.isMultiple(of: 2) }, "\(node) says \(said)")
        }
        #expect(tree.finished.count == specs.count)
    }

    @Test("any other failure ends the node, before anybody is told anything", arguments: kinds)
    func broken(kind: String) throws {
        var tree = try MemoryTree(TreeTests.flat, .init(rounds: 2, deadline: .seconds(120)))
        guard kind != "welcomed", kind != "assigned", kind != "sumAccepted", kind != "answered" else { return }
        tree.journalFault = { _, record in Self.kind(of: record) == kind ? .storage : nil }
        tree.run { tree, _ in if tree.finished.contains(NodeName("cloud")) { tree.dead.insert(NodeName("cloud")) } }
        #expect(tree.events.contains { $0.event == .finished(.storage) })
        #expect(
            !tree.events.contains { entry in if case .uploaded = entry.event { kind == "updateAccepted" } else { false }
            })
        #expect(!tree.events.contains { entry in if case .roundClosed = entry.event { true } else { false } })
    }

    /// How often a disk is full.
    final class Budget {
        private(set) var left: Int
        init(count: Int) { left = count }
        func take() -> Bool {
            guard left > 0 else { return false }
            left -= 1
            return true
        }
    }
}
