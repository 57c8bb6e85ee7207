// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

/// A round below a node that takes nothing more: who had a part in it, with what, and how it ended for each.
struct EndedRound: Sendable {
    /// What a member has a receipt for, and how it fares.
    struct Fate: Sendable {
        enum Contribution: Hashable, Sendable {
            case none
            case update(sequence: UInt64)
            case sum(revision: UInt32)
        }
        var contribution = Contribution.none
        /// `nil`: as the round.
        var reason: ReasonCode?
    }

    /// What follows at this node when the end is written down.
    enum Next: Sendable { case nothing, edgeRound, evaluation, nextRound }

    let number: RoundNumber
    private let seed: UInt64
    private let slots: [NodeName: Int]
    private let names: [NodeName]
    private var fates: [Fate]
    /// What is to leave out of whose word, where not everybody's contributions fared alike.
    private var without: [Int: [ContributionName]] = [:]
    private(set) var end: RoundClosed?
    /// Bodies that are needed no more when the end is known.
    var bodies: [Digest]
    var next = Next.nothing
    /// Whether the end is written down, and was told.
    var isTold = false
    /// Whether every key that had a receipt is known here; the journal knows those of rounds before a restart.
    let isComplete: Bool

    // While only the parent knows the end:
    /// What it was told, and is told again.
    var answer: Message?
    var retry = Retry()
    /// What is known of its members until then.
    var waiting: Collection?

    init(_ collection: Collection, bodies: [Digest]) {
        number = collection.plan.number
        seed = collection.plan.seed
        slots = collection.slots
        names = collection.members.map(\.name)
        self.bodies = bodies
        isComplete = true
        fates = collection.members.map { member in
            guard member.hasReceipt else {
                var reason = ReasonCode.late
                if case .out(let said) = member.state { reason = said }
                return Fate(contribution: .none, reason: reason)
            }
            let reason: ReasonCode? = member.state == .out(.cohortAbandoned) ? .cohortAbandoned : nil
            switch member.answer {
            case .none: return Fate(contribution: .sum(revision: 0), reason: reason)
            case .update(let update): return Fate(contribution: .update(sequence: update.key.sequence), reason: reason)
            case .sum(let offered):
                return Fate(contribution: .sum(revision: offered.offer.key.revision), reason: reason)
            }
        }
    }

    /// A round that ended before the node started again.
    init(_ end: RoundClosed) {
        number = end.number
        seed = 0
        slots = [:]
        names = []
        fates = []
        bodies = []
        self.end = end
        isTold = true
        isComplete = false
    }

    var members: [NodeName] { names }

    /// Notes how the round ended; `lost` are contributions with a receipt that are not in it, though it was committed.
    mutating func ends(_ outcome: RoundClosed.Outcome, lost: Set<ContributionName>, in collection: Collection) {
        guard case .committed = outcome, !lost.isEmpty else {
            end = RoundClosed(number: number, outcome: outcome)
            return
        }
        let all = lost.sorted()
        end = RoundClosed(number: number, outcome: outcome, without: Array(all.prefix(Limits.excludedNameCountMax)))
        for (slot, member) in collection.members.enumerated() where member.hasReceipt {
            switch member.answer {
            case .update where lost.contains(collection.ownName(slot)): fates[slot].reason = .cohortAbandoned
            case .sum(let offered):
                let theirs = (offered.granted + offered.excluded + collection.parts.added(by: slot)).filter(
                    lost.contains)
                if !theirs.isEmpty { without[slot] = Set(theirs).sorted() }
            case .none, .update: break
            }
        }
    }

    /// Whether a contribution has a receipt for this round; `nil` when only the journal can tell.
    func hasReceipt(_ subject: Refuse.Subject, of name: NodeName) -> Bool? {
        guard isComplete else { return nil }
        guard let slot = slots[name] else { return false }
        return switch (subject, fates[slot].contribution) {
        case (.update(let key), .update(let sequence)): key.sequence == sequence
        case (.sum(let key), .sum(let revision)): revision == 0 || key.revision == revision
        default: false
        }
    }

    /// How the round ended for the member at a position of `members`.
    func end(at slot: Int) -> RoundClosed? {
        guard var end else { return nil }
        if case .committed = end.outcome, let reason = fates[slot].reason { end.outcome = .failed(reason) }
        end.without = without[slot] ?? []
        return end
    }

    /// How it ended for a member; the end as such for one that is not known any more.
    func end(for name: NodeName) -> RoundClosed? { slots[name].flatMap { end(at: $0) } }

    /// Whether the member at a position of `members` went away without a receipt: another parent may have given it one,
    /// and tells it how that ended.
    func isElsewhere(_ slot: Int) -> Bool {
        fates[slot].contribution == .none && fates[slot].reason == .lost
    }

    /// Whether the member at a position of `members` is told what most are.
    func isPlain(_ slot: Int) -> Bool {
        if case .failed? = end?.outcome { return true }
        return fates[slot].reason == nil && without[slot] == nil
    }
}
