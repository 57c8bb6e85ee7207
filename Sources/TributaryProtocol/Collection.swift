// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

/// One round below one node: who was asked, who has answered, and when it is enough.
///
/// A member is a chosen client or a connected aggregator. States only move forward:
/// asked -> offered -> granted (sums) -> folding -> accepted, or out with a reason.
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

    struct Member: Sendable {
        let role: Hello.Role
        var state = State.asked
        /// Clients chosen at or below the member: those connected when the round opened, until it says itself.
        var chosenCount: UInt64
        /// What `chosenCount` cannot fall below: a member that lost its children in a restart still owes them.
        var chosenFloor: UInt64 = 0
        /// Updates that reached the member's own sum; for progress.
        var reportedCount: UInt64 = 0
        var update: Update?
        var offer: SumOffer?
        var sum: Sum?
        var names: [ContributionName] = []

        init(role: Hello.Role, chosenCount: UInt64) {
            self.role = role
            self.chosenCount = chosenCount
        }

        mutating func says(chosen count: UInt64) {
            chosenCount = max(chosenFloor, count)
        }
    }

    enum Phase: Sendable { case collecting, folding, closed }

    let plan: RoundPlan
    let deadline: Moment
    /// The fraction of the chosen clients that must report.
    let quorum: Double
    /// Clients to wait for; below their number under over-selection.
    let target: Int
    private(set) var members: [NodeName: Member]
    private(set) var phase = Phase.collecting
    /// Why collecting ended early; `nil` when everybody answered.
    private(set) var endedBy: ReasonCode?
    /// Every contribution that a sum of this node already holds.
    private var taken: Set<ContributionName> = []

    init(plan: RoundPlan, deadline: Moment, quorum: Double, members: [NodeName: Member]) {
        self.plan = plan
        self.deadline = deadline
        self.quorum = quorum
        self.members = members
        let clients = members.values.count { $0.role != .aggregator }
        target =
            members.count - clients
            + Cohort.target(chosenCount: clients, overSelect: plan.selection.overSelect)
    }

    /// Members in order of name, so that everything that walks them is deterministic.
    var names: [NodeName] { members.keys.sorted() }

    var chosenCount: UInt64 { members.values.reduce(0) { $0 + $1.chosenCount } }

    /// Updates in the sum, whether they came one by one or in children's sums.
    var contributorCount: UInt64 {
        members.values.reduce(0) { $0 + ($1.state == .accepted ? $1.reportedCount : 0) }
    }

    /// Updates reported so far anywhere below, for progress.
    var progressCount: UInt64 { members.values.reduce(0) { $0 + $1.reportedCount } }

    var meetsQuorum: Bool {
        let needed = (quorum * Double(chosenCount)).rounded(.up)
        return contributorCount > 0 && Double(contributorCount) >= needed
    }

    /// Members whose connection broke: they may return before the deadline.
    private var mayReturn: Bool { members.values.contains { $0.state == .out(.lost) } }

    subscript(name: NodeName) -> Member? { members[name] }

    mutating func update(_ name: NodeName, _ change: (inout Member) -> Void) {
        guard var member = members[name] else { return }
        change(&member)
        members[name] = member
    }

    /// Puts a lost member back into the round when it returns before the end.
    mutating func askAgain(_ name: NodeName) -> Bool {
        guard phase == .collecting, let member = members[name] else { return false }
        members[name]?.chosenFloor = member.chosenCount
        switch member.state {
        case .asked, .out(.lost), .out(.parentLost):
            members[name]?.state = .asked
            return true
        case .offered, .granted:
            members[name]?.state = .asked
            members[name]?.offer = nil
            return true
        case .folding, .accepted, .out: return false
        }
    }

    /// Reserves names for a granted sum or an update; returns those that are already taken.
    mutating func take(_ offered: [ContributionName]) -> [ContributionName] {
        offered.filter { !taken.insert($0).inserted }
    }

    mutating func giveBack(_ names: [ContributionName]) { taken.subtract(names) }

    /// The contributors of the sum, in order of name: what a `SumOffer` lists.
    var contributionNames: [ContributionName] {
        members.values.flatMap { $0.state == .accepted ? $0.names : [] }.sorted()
    }

    /// Moves on when nobody needs to be waited for any more; returns the members dropped by that.
    mutating func advance(at now: Moment) -> [(NodeName, ReasonCode)] {
        guard phase == .collecting else { return settle() }
        let open = names.filter { isOpen($0) }
        let done = members.values.count { $0.state == .accepted || $0.state == .folding }
        let late = now >= deadline
        if open.isEmpty {
            // Who is lost is not waited for, unless the quorum needs it back and there is time.
            if mayReturn, !late, !meetsQuorum { return [] }
            if late, !meetsQuorum { endedBy = .deadline }
            phase = .folding
            return settle()
        }
        guard late || (target < members.count && done >= target) else { return [] }
        let reason: ReasonCode = late ? .late : .surplus
        if late { endedBy = .deadline }
        phase = .folding
        for name in open { members[name]?.state = .out(reason) }
        return open.map { ($0, reason) } + settle()
    }

    /// Ends collecting at once.
    mutating func abandon() { phase = .closed }

    private mutating func settle() -> [(NodeName, ReasonCode)] {
        if phase == .folding, !members.values.contains(where: { $0.state == .folding }) { phase = .closed }
        return []
    }

    private func isOpen(_ name: NodeName) -> Bool {
        switch members[name]?.state {
        case .asked, .offered, .granted: true
        case .folding, .accepted, .out, nil: false
        }
    }
}
