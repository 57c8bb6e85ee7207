// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

/// A sum of just a few contributions, asked of a member that holds them.
struct Part: Sendable {
    /// What it is asked for.
    enum Use: Sendable {
        /// Its contributions lost the holder that they had before.
        case add
        /// They are in the member's own sum and must leave this node's.
        case subtract
        /// The parent asks for them under this key.
        case pass(SumKey)
    }

    enum State: Sendable {
        /// Its header or body is under way.
        case asked
        case folding
        case journaling
        /// It is used as it was meant to be, and kept until the round ends.
        case here
    }

    let slot: Int
    let names: [ContributionName]
    let use: Use
    var state = State.asked
    var sum: Sum?
}

/// The parts of a round, by their keys.
struct Parts: Sendable {
    /// The parent's keys for parts lie above every revision of a child's own sum.
    static let revisionMin: UInt32 = 1 << 16

    private var parts: [SumKey: Part] = [:]
    private var nextRevision = revisionMin
    /// Parts that collecting waits for.
    private(set) var openCount = 0
    private(set) var foldingCount = 0

    var isEmpty: Bool { parts.isEmpty }

    /// A key that was never used in the round.
    mutating func makeKey(_ node: NodeName, _ number: RoundNumber) -> SumKey {
        defer { nextRevision += 1 }
        return SumKey(node: node, number: number, revision: nextRevision)
    }

    /// In the order in which they were asked for.
    var all: [(key: SumKey, part: Part)] {
        parts.sorted { $0.key.revision < $1.key.revision }.map { ($0.key, $0.value) }
    }

    subscript(key: SumKey) -> Part? {
        get { parts[key] }
        set {
            count(parts[key], -1)
            parts[key] = newValue
            count(newValue, 1)
            if newValue != nil { nextRevision = max(nextRevision, key.revision + 1) }
        }
    }

    private mutating func count(_ part: Part?, _ one: Int) {
        guard let part, case .add = part.use else { return }
        switch part.state {
        case .asked: openCount += one
        case .folding, .journaling: foldingCount += one
        case .here: break
        }
    }

    /// The part of a slot whose body has a digest and is under way.
    func key(fetching digest: Digest, from slot: Int) -> SumKey? {
        parts.first { $0.value.slot == slot && $0.value.state == .asked && $0.value.sum?.body?.digest == digest }?.key
    }

    /// Contributions that supplements of a slot brought into the sum.
    func added(by slot: Int) -> [ContributionName] {
        all.flatMap { entry -> [ContributionName] in
            guard entry.part.slot == slot, case .add = entry.part.use, case .here = entry.part.state else { return [] }
            return entry.part.names
        }
    }

    /// Contributions that left what a slot brought.
    func subtracted(from slot: Int) -> Set<ContributionName> {
        parts.values.reduce(into: []) { names, part in
            guard part.slot == slot, case .subtract = part.use, case .here = part.state else { return }
            names.formUnion(part.names)
        }
    }

    /// Clients whose work they are.
    func contributors(of slot: Int) -> UInt64 {
        parts.values.reduce(0) { count, part in
            guard part.slot == slot, case .add = part.use, case .here = part.state else { return count }
            return count + (part.sum?.contributorCount ?? 0)
        }
    }

    /// Whether what is to be taken out has not all been.
    var isSubtracting: Bool {
        parts.values.contains { part in
            if case .subtract = part.use, case .here = part.state { return false }
            if case .subtract = part.use { return true }
            return false
        }
    }
}
