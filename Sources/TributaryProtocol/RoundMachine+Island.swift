// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryTopology

// A node whose parent is gone: it goes on collecting, as many rounds of its own as its tier allows.

extension RoundMachine {
    /// The edge rounds of a node on its own lie above all that a parent can plan.
    private static let islandBase: UInt32 = 1 << 20

    /// Whether a round was opened without the parent.
    static func isIsland(_ number: RoundNumber) -> Bool { number.edgeRound >= islandBase }

    /// The link to the parent is down: once the parent's own round must be over, the node goes on by itself.
    mutating func becomeIsland(at now: Moment) {
        guard configuration.islandRounds > 0, let assignment, islandDue == nil, islandCount == 0 else { return }
        islandDue = max(now + Retry.first, assignment.deadline)
    }

    /// Opens the next round of the node's own, when it is time and the quota allows it.
    mutating func openIsland(_ membership: Membership, at now: Moment) {
        guard let due = islandDue, due <= now else { return }
        guard let assignment, islandCount < configuration.islandRounds else {
            islandDue = nil
            return
        }
        if let collection {
            // The parent's round is still being collected here, or has no answer yet.
            guard collection.phase == .closed, !Self.isIsland(collection.plan.number), let told = assignment.told else {
                islandDue = collection.phase == .closed ? nil : collection.deadline
                return
            }
            setAside(told, at: now)
        }
        islandDue = nil
        var plan = assignment.plan
        plan.number = RoundNumber(round: plan.number.round, edgeRound: Self.islandBase + islandCount)
        islandCount += 1
        guard plan.kind != .evaluate else { return }
        if let stepping = configuration.stepping {
            plan.model = assignment.model
            for index in plan.groups.indices { plan.groups[index].ring = stepping.ring }
        }
        open(plan, until: now + DeadlineRule.derived.timeOpen(timeLeft: plan.timeLeft), membership, at: now)
    }

    /// A round of the node's own is complete: it is kept for the parent's return, and the next one follows.
    mutating func islandCollected(at now: Moment) {
        guard let collection else { return }
        var round = EndedRound(collection, bodies: bodies)
        round.waiting = collection
        bodies = []
        self.collection = nil
        keep(round)
        islandDue = now
    }

    /// The parent is back: by the rule of synchronous tiers what was collected without it is dropped.
    mutating func endIsland() {
        islandDue = nil
        islandCount = 0
        if let number = collection?.plan.number, Self.isIsland(number) { close(.failed(.parentLate)) }
        for place in ended.indices where Self.isIsland(ended[place].number) && ended[place].end == nil {
            guard let collection = ended[place].waiting else { continue }
            ended[place].ends(.failed(.parentLate), lost: [], in: collection)
            ended[place].waiting = nil
            if let end = ended[place].end { journal(.closed(end)) }
        }
    }
}
