// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

/// One round below one node: who was asked, who has answered, and when it is enough.
///
/// A member is a chosen client or a connected aggregator, and has a slot for the time of the round. States only move
/// forward: asked -> offered -> granted (sums) -> folding -> accepted, or out with a reason. Every change of a member
/// goes through `update`, which keeps the tally, so an event costs the same in a round of ten and of a million.
struct Collection: Sendable {
    enum State: Hashable, Sendable {
        case asked
        /// An offer stands; its names (sums) or body (updates) are being fetched.
        case offered
        /// A sum was granted; its header or body is under way.
        case granted
        case folding
        case accepted
        case out(ReasonCode)
    }

    /// What a member has sent.
    enum Answer: Sendable {
        case none
        case update(Update)
        indirect case sum(OfferedSum)
    }

    struct OfferedSum: Sendable {
        let offer: SumOffer
        var sum: Sum?
        /// The contributions that were granted.
        var names: [ContributionName] = []
    }

    struct Member: Sendable {
        let name: NodeName
        let isAggregator: Bool
        var state = State.asked
        /// Clients chosen at or below the member: those connected when the round opened, until it says itself.
        var chosenCount: UInt64
        /// What `chosenCount` cannot fall below: a member that lost its children in a restart still owes them.
        var chosenFloor: UInt64 = 0
        /// Clients whose work reached the member's own sum; for progress.
        var reportedCount: UInt64 = 0
        var answer = Answer.none
        /// Whether nothing that concerns the round has come from it: it may not know of the round.
        var isSilent = true

        init(client name: NodeName) {
            self.name = name
            isAggregator = false
            chosenCount = 1
        }

        init(aggregator name: NodeName, chosenCount: UInt64) {
            self.name = name
            isAggregator = true
            self.chosenCount = chosenCount
        }

        /// What a refusal of the answer refers to; `nil` while there is none.
        var subject: Refuse.Subject? {
            switch answer {
            case .none: nil
            case .update(let update): .update(update.key)
            case .sum(let offered): .sum(offered.offer.key)
            }
        }

        var isOpen: Bool {
            switch state {
            case .asked, .offered, .granted: true
            case .folding, .accepted, .out: false
            }
        }

        mutating func says(chosen count: UInt64) {
            chosenCount = max(chosenFloor, count)
        }
    }

    enum Phase: Sendable { case collecting, folding, closed }

    /// What all members together amount to.
    private struct Tally: Sendable {
        var chosen: UInt64 = 0
        var reported: UInt64 = 0
        var contributors: UInt64 = 0
        var open = 0
        var folding = 0
        var accepted = 0
        /// Members whose connection broke: they may return before the deadline.
        var lost = 0

        mutating func add(_ state: State, chosen: UInt64, reported: UInt64) {
            self.chosen += chosen
            self.reported += reported
            switch state {
            case .asked, .offered, .granted: open += 1
            case .folding: folding += 1
            case .accepted:
                accepted += 1
                contributors += reported
            case .out(let reason): lost += reason == .lost ? 1 : 0
            }
        }

        mutating func remove(_ state: State, chosen: UInt64, reported: UInt64) {
            self.chosen -= chosen
            self.reported -= reported
            switch state {
            case .asked, .offered, .granted: open -= 1
            case .folding: folding -= 1
            case .accepted:
                accepted -= 1
                contributors -= reported
            case .out(let reason): lost -= reason == .lost ? 1 : 0
            }
        }
    }

    let plan: RoundPlan
    let deadline: Moment
    /// The fraction of the chosen clients that must report.
    let quorum: Double
    /// Clients to wait for; below their number under over-selection.
    let target: Int
    /// Aggregators in order of name, then clients in order of index, so that everything that walks them is
    /// deterministic.
    private(set) var members: [Member]
    /// How many of the members, the first ones, are aggregators.
    let aggregatorCount: Int
    private(set) var phase = Phase.collecting
    /// Why collecting ended early; `nil` when everybody answered.
    private(set) var endedBy: ReasonCode?
    /// What was last said upwards of chosen and reported clients.
    var said: (chosen: UInt64, reported: UInt64, at: Moment)?
    /// When silent members are sent the plan again; `nil` when nobody is any more.
    private(set) var reminder: Moment?
    private var remindersLeft = 4
    private let slots: [NodeName: Int]
    private var tally = Tally()
    /// Every contribution that a sum of this node already holds; kept only where sums come, which may share some.
    private var taken: Set<ContributionName> = []

    init(plan: RoundPlan, openedAt now: Moment, deadline: Moment, quorum: Double, members: [Member]) {
        self.plan = plan
        self.deadline = deadline
        reminder = Self.reminder(at: now, deadline)
        self.quorum = quorum
        self.members = members
        var slots: [NodeName: Int] = [:]
        slots.reserveCapacity(members.count)
        var aggregatorCount = 0
        for (slot, member) in members.enumerated() {
            slots[member.name] = slot
            tally.add(member.state, chosen: member.chosenCount, reported: member.reportedCount)
            if member.isAggregator { aggregatorCount += 1 }
        }
        self.slots = slots
        self.aggregatorCount = aggregatorCount
        target =
            aggregatorCount
            + Cohort.target(chosenCount: members.count - aggregatorCount, overSelect: plan.selection.overSelect)
    }

    var chosenCount: UInt64 { tally.chosen }

    /// Clients whose work is in the sum, whether it came by itself, in a voice or in a child's sum.
    var contributorCount: UInt64 { tally.contributors }

    /// Clients that have reported so far anywhere below, for progress.
    var progressCount: UInt64 { tally.reported }

    var meetsQuorum: Bool {
        let needed = (quorum * Double(chosenCount)).rounded(.up)
        return contributorCount > 0 && Double(contributorCount) >= needed
    }

    /// The slot of a member; `nil` for everybody else.
    func slot(of name: NodeName) -> Int? { slots[name] }

    func state(of slot: Int) -> State { members[slot].state }

    func isAggregator(_ slot: Int) -> Bool { slot < aggregatorCount }

    /// The key of the update that a member has sent.
    func updateKey(of slot: Int) -> UpdateKey? {
        if case .update(let update) = members[slot].answer { update.key } else { nil }
    }

    /// For how many clients a member's update speaks; `nil` for a client's own.
    func voice(of slot: Int) -> UInt64? {
        if case .update(let update) = members[slot].answer { update.voice?.contributorCount } else { nil }
    }

    /// The key of the sum that a member has offered.
    func sumKey(of slot: Int) -> SumKey? {
        if case .sum(let offered) = members[slot].answer { offered.offer.key } else { nil }
    }

    mutating func update(_ slot: Int, _ change: (inout Member) -> Void) {
        tally.remove(
            members[slot].state, chosen: members[slot].chosenCount, reported: members[slot].reportedCount)
        change(&members[slot])
        tally.add(members[slot].state, chosen: members[slot].chosenCount, reported: members[slot].reportedCount)
    }

    // MARK: Silence

    /// A member has said something about the round.
    mutating func heard(_ slot: Int) { members[slot].isSilent = false }

    /// The members that are sent the plan again because they have been silent for a third of the time left.
    ///
    /// A plan can be lost with no connection breaking. O(members), four times a round at most.
    mutating func remind(at now: Moment) -> [Int] {
        guard phase == .collecting, let due = reminder, due <= now, now < deadline else { return [] }
        let silent = members.indices.filter { members[$0].isSilent && members[$0].state == .asked }
        remindersLeft -= 1
        reminder = silent.isEmpty || remindersLeft == 0 ? nil : Self.reminder(at: now, deadline)
        return silent
    }

    private static func reminder(at now: Moment, _ deadline: Moment) -> Moment {
        now + .nanoseconds(max(0, (deadline - now).nanoseconds) / 3)
    }

    /// Puts a lost member back into the round when it returns before the end.
    mutating func askAgain(_ slot: Int, at now: Moment) -> Bool {
        guard phase == .collecting else { return false }
        switch members[slot].state {
        case .asked, .offered, .granted, .out(.lost), .out(.parentLost):
            giveBack(slot)
            update(slot) { member in
                member.chosenFloor = member.chosenCount
                member.state = .asked
                member.answer = .none
                member.isSilent = true
            }
            if reminder == nil, remindersLeft > 0 { reminder = Self.reminder(at: now, deadline) }
            return true
        case .folding, .accepted, .out:
            update(slot) { $0.chosenFloor = $0.chosenCount }
            return false
        }
    }

    // MARK: Contributions

    /// Reserves the names of an offered sum for it; returns those that another contribution holds already.
    mutating func take(_ names: [ContributionName], for slot: Int) -> [ContributionName] {
        guard case .sum(var offered) = members[slot].answer else { return [] }
        var exclude: [ContributionName] = []
        offered.names = names.filter { name in
            let isNew = taken.insert(name).inserted
            if !isNew { exclude.append(name) }
            return isNew
        }
        update(slot) { $0.answer = .sum(offered) }
        return exclude
    }

    /// Reserves the name of a member's own update, where sums of others might hold it.
    mutating func takeOwn(_ slot: Int) {
        if aggregatorCount > 0 { taken.insert(ownName(slot)) }
    }

    /// Lets go of what is reserved for a member.
    mutating func giveBack(_ slot: Int) {
        switch members[slot].answer {
        case .none: break
        case .update where members[slot].state != .accepted: break
        case .update: if aggregatorCount > 0 { taken.remove(ownName(slot)) }
        case .sum(let offered): taken.subtract(offered.names)
        }
    }

    /// The contributions that a member's accepted answer brought into the sum.
    func names(of slot: Int) -> [ContributionName] {
        guard members[slot].state == .accepted else { return [] }
        switch members[slot].answer {
        case .none: return []
        case .update: return [ownName(slot)]
        case .sum(let offered): return offered.names
        }
    }

    /// Updates in the sum: one of each client or stepping node, those of children's sums included.
    var contributionCount: UInt64 {
        members.reduce(0) { count, member in
            guard member.state == .accepted else { return count }
            return switch member.answer {
            case .none: count
            case .update: count + 1
            case .sum(let offered): count + UInt64(offered.names.count)
            }
        }
    }

    /// The contributions to the sum, in order of name: what a `SumOffer` lists.
    var contributionNames: [ContributionName] {
        var names: [ContributionName] = []
        names.reserveCapacity(Int(clamping: min(contributorCount, Limits.cohortMax)))
        for slot in members.indices where members[slot].state == .accepted {
            if case .update = members[slot].answer {
                names.append(ownName(slot))
            } else {
                names += self.names(of: slot)
            }
        }
        names.sort()
        return names
    }

    private func ownName(_ slot: Int) -> ContributionName {
        ContributionName(node: members[slot].name, number: plan.number, seed: plan.seed)
    }

    // MARK: The end

    /// Moves on when nobody needs to be waited for any more; returns the slots whose members are late or surplus.
    mutating func advance(at now: Moment) -> (slots: [Int], reason: ReasonCode)? {
        guard phase == .collecting else {
            settle()
            return nil
        }
        let late = now >= deadline
        if tally.open == 0 {
            // Who is lost is not waited for, unless the quorum needs it back and there is time.
            if tally.lost > 0, !late, !meetsQuorum { return nil }
            if late, !meetsQuorum { endedBy = .deadline }
            phase = .folding
            settle()
            return nil
        }
        guard late || (target < members.count && tally.accepted + tally.folding >= target) else { return nil }
        if late { endedBy = .deadline }
        phase = .folding
        return (members.indices.filter { members[$0].isOpen }, late ? .late : .surplus)
    }

    /// Closes once everything that is being folded is in.
    mutating func settle() {
        if phase == .folding, tally.folding == 0, tally.open == 0 { phase = .closed }
    }
}
