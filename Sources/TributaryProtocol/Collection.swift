// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

/// One round below one node: who was asked, who has answered, and when it is enough.
///
/// A member is a chosen client, a connected aggregator, or one that came in the middle of the round, and has a slot
/// for the time of the round. States move forward: asked -> offered -> granted (sums) -> folding -> journaling ->
/// accepted, or out with a reason. Every change of a member goes through `update`, which keeps the tally, so an event
/// costs the same in a round of ten and of a million.
struct Collection: Sendable {
    enum State: Hashable, Sendable {
        case asked
        /// An offer stands; its names (sums) or body (updates) are being fetched.
        case offered
        /// A sum was granted; its header or body is under way.
        case granted
        case folding
        /// It is in the sum, and being written down; there is no receipt yet.
        case journaling
        case accepted
        /// It has a receipt, and left the sum again because another holder has the same contribution.
        case excluded
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
        var granted: [ContributionName] = []
        /// Those of them that are still in this node's sum.
        var names: [ContributionName] = []
        /// Those that it was to leave out.
        var excluded: [ContributionName] = []
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

        init(client name: NodeName, chosenCount: UInt64 = 1) {
            self.name = name
            isAggregator = false
            self.chosenCount = chosenCount
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
            case .folding, .journaling, .accepted, .excluded, .out: false
            }
        }

        /// Whether it was promised an outcome.
        var hasReceipt: Bool {
            switch state {
            case .accepted, .excluded, .out(.cohortAbandoned): true
            case .asked, .offered, .granted, .folding, .journaling, .out: false
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

        mutating func add(_ member: Member) { change(member, 1, &+) }

        mutating func remove(_ member: Member) { change(member, -1, &-) }

        private mutating func change(_ member: Member, _ one: Int, _ plus: (UInt64, UInt64) -> UInt64) {
            chosen = plus(chosen, member.chosenCount)
            reported = plus(reported, member.reportedCount)
            switch member.state {
            case .asked, .offered, .granted: open += one
            case .folding, .journaling: folding += one
            case .accepted:
                accepted += one
                contributors = plus(contributors, member.reportedCount)
            case .excluded: accepted += one
            case .out(let reason): lost += reason == .lost ? one : 0
            }
        }
    }

    let plan: RoundPlan
    let deadline: Moment
    /// The fraction of the chosen clients that must report.
    let quorum: Double
    /// Aggregators in order of name, then clients in order of index, then who came later, so that everything that
    /// walks them is deterministic.
    private(set) var members: [Member]
    private(set) var aggregatorCount = 0
    /// Clients that were asked directly; under over-selection fewer are waited for.
    private let askedCount: UInt64
    /// Clients that were asked before the node started again and are not back yet.
    private(set) var absentCount: UInt64 = 0
    /// Until when a node that has just started again waits for them.
    private(set) var holdUntil: Moment?
    var phase = Phase.collecting
    /// Why collecting ended early; `nil` when everybody answered.
    private(set) var endedBy: ReasonCode?
    /// What was last said upwards of chosen and reported clients.
    var said: (chosen: UInt64, reported: UInt64, at: Moment)?
    /// When silent members are sent the plan again; `nil` when nobody is any more.
    private(set) var reminder: Moment?
    private var remindersLeft = 4
    private(set) var slots: [NodeName: Int]
    private var tally = Tally()
    /// Which member holds each contribution that this node's sum counts, and who else has it; kept only where sums
    /// come, which may share some.
    var holders = Holders()
    /// Sums of a few contributions that members were asked for.
    var parts = Parts()

    init(plan: RoundPlan, openedAt now: Moment, deadline: Moment, quorum: Double, members: [Member]) {
        self.plan = plan
        self.deadline = deadline
        reminder = Self.reminder(at: now, deadline)
        self.quorum = quorum
        self.members = members
        var slots: [NodeName: Int] = [:]
        slots.reserveCapacity(members.count)
        for (slot, member) in members.enumerated() {
            slots[member.name] = slot
            tally.add(member)
            if member.isAggregator { aggregatorCount += 1 }
        }
        self.slots = slots
        askedCount = UInt64(members.count - aggregatorCount)
    }

    /// A round that was open when the node stopped: `members` have answered or are to return, `askedCount` clients were
    /// asked, and they have until `hold` to come back.
    init(
        plan: RoundPlan, restoredAt now: Moment, deadline: Moment, quorum: Double, members: [Member],
        askedCount: UInt64, hold: Moment
    ) {
        self.plan = plan
        self.deadline = deadline
        reminder = Self.reminder(at: now, deadline)
        self.quorum = quorum
        self.members = []
        self.askedCount = askedCount
        slots = [:]
        holdUntil = hold
        absentCount = askedCount
        for member in members { add(member) }
    }

    /// Takes a member in while the round is open; a client that was asked before a restart is not absent any more.
    @discardableResult
    mutating func add(_ member: Member) -> Int {
        precondition(slots[member.name] == nil, "a member has one slot")
        let slot = members.count
        slots[member.name] = slot
        members.append(member)
        tally.add(member)
        if member.isAggregator {
            aggregatorCount += 1
            // From now on names are compared: those that are here already are told.
            if aggregatorCount == 1 { for other in 0..<slot { takeOwn(other) } }
        } else if absentCount > 0, member.chosenCount > 0 {
            absentCount -= 1
        }
        return slot
    }

    var chosenCount: UInt64 { max(tally.chosen + absentCount, tally.contributors) }

    /// Clients whose work is in the sum, whether it came by itself, in a voice or in a child's sum.
    var contributorCount: UInt64 { tally.contributors }

    /// Clients that have reported so far anywhere below, for progress.
    var progressCount: UInt64 { tally.reported }

    var meetsQuorum: Bool {
        let needed = (quorum * Double(chosenCount)).rounded(.up)
        return contributorCount > 0 && Double(contributorCount) >= needed
    }

    /// When time alone moves the round on.
    var due: Moment {
        var due = deadline
        if let reminder { due = min(due, reminder) }
        if let holdUntil { due = min(due, holdUntil) }
        return due
    }

    /// The slot of a member; `nil` for everybody else.
    func slot(of name: NodeName) -> Int? { slots[name] }

    func state(of slot: Int) -> State { members[slot].state }

    func isAggregator(_ slot: Int) -> Bool { members[slot].isAggregator }

    /// The key of the update that a member has sent.
    func updateKey(of slot: Int) -> UpdateKey? {
        if case .update(let update) = members[slot].answer { update.key } else { nil }
    }

    /// For how many clients a member's update speaks; `nil` for a client's own.
    func voice(of slot: Int) -> UInt64? {
        if case .update(let update) = members[slot].answer { update.voice?.contributorCount } else { nil }
    }

    /// The sum that a member has offered.
    func offered(_ slot: Int) -> OfferedSum? {
        if case .sum(let offered) = members[slot].answer { offered } else { nil }
    }

    mutating func update(_ slot: Int, _ change: (inout Member) -> Void) {
        tally.remove(members[slot])
        change(&members[slot])
        tally.add(members[slot])
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
        let isDone = silent.isEmpty && parts.openCount == 0
        reminder = isDone || remindersLeft == 0 ? nil : Self.reminder(at: now, deadline)
        return silent
    }

    /// Reminds again when somebody new may not know of the round.
    mutating func renewReminder(at now: Moment) {
        if reminder == nil, remindersLeft > 0 { reminder = Self.reminder(at: now, deadline) }
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
            // Who is expected back after this node's own restart was counted by what was known of it then.
            let isKnown = holdUntil == nil
            update(slot) { member in
                if isKnown { member.chosenFloor = member.chosenCount }
                member.state = .asked
                member.answer = .none
                member.isSilent = true
            }
            renewReminder(at: now)
            return true
        case .folding, .journaling, .accepted, .excluded, .out:
            update(slot) { $0.chosenFloor = $0.chosenCount }
            return false
        }
    }

    // MARK: The end

    /// Moves on when nobody needs to be waited for any more; returns the slots whose members are late or surplus.
    mutating func advance(at now: Moment) -> (slots: [Int], reason: ReasonCode)? {
        guard phase == .collecting else {
            settle()
            return nil
        }
        let late = now >= deadline
        if let hold = holdUntil, hold <= now { holdUntil = nil }
        if tally.open == 0, parts.openCount == 0 {
            // Who is lost is not waited for, unless the quorum needs it back and there is time; after a restart
            // everybody gets some time to come back.
            let isMissed = tally.lost > 0 || absentCount > 0
            if isMissed, !late, !meetsQuorum || holdUntil != nil { return nil }
            if late, !meetsQuorum { endedBy = .deadline }
            phase = .folding
            settle()
            return nil
        }
        guard late || hasEnough else { return nil }
        if late { endedBy = .deadline }
        phase = .folding
        return (members.indices.filter { members[$0].isOpen }, late ? .late : .surplus)
    }

    /// Whether as many have answered as are waited for under over-selection.
    private var hasEnough: Bool {
        guard plan.selection.overSelect > 1 else { return false }
        let target =
            aggregatorCount
            + Cohort.target(chosenCount: Int(clamping: askedCount), overSelect: plan.selection.overSelect)
        return target < members.count + Int(clamping: absentCount) && tally.accepted + tally.folding >= target
    }

    /// Closes once everything that is being folded is in.
    mutating func settle() {
        if phase == .folding, tally.folding == 0, tally.open == 0, parts.foldingCount == 0 { phase = .closed }
    }
}
