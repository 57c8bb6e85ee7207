// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

// Which contributions a round holds, and who has them: no two holders count one.

/// Who has a contribution: the one whose copy counts, and those who leave theirs out.
struct Holders: Sendable {
    /// The slot whose copy is, or will be, in the sum.
    private(set) var holder: [ContributionName: Int] = [:]
    /// Slots that have it and leave it out.
    private(set) var spares: [ContributionName: [Int]] = [:]
    /// Contributions that lost their holder while somebody else has them.
    var orphans: [ContributionName] = []

    /// Gives a contribution to a slot; returns whether it is the first to have it.
    mutating func take(_ name: ContributionName, _ slot: Int) -> Bool {
        if let other = holder[name], other != slot {
            if spares[name]?.contains(slot) != true { spares[name, default: []].append(slot) }
            return false
        }
        holder[name] = slot
        return true
    }

    /// Makes a slot that had left a contribution out its holder.
    mutating func inherit(_ name: ContributionName, _ slot: Int) {
        holder[name] = slot
        forget(name, spare: slot)
    }

    mutating func forget(_ name: ContributionName, spare slot: Int) {
        spares[name]?.removeAll { $0 == slot }
        if spares[name]?.isEmpty == true { spares[name] = nil }
    }

    mutating func addSpare(_ name: ContributionName, _ slot: Int) {
        if spares[name]?.contains(slot) != true { spares[name, default: []].append(slot) }
    }

    /// A slot does not bring a contribution after all.
    mutating func release(_ name: ContributionName, _ slot: Int) {
        guard holder[name] == slot else { return }
        holder[name] = nil
        if spares[name] != nil { orphans.append(name) }
    }
}

extension Collection {
    /// Reserves the names of an offered sum for it; returns those that another contribution holds already.
    mutating func take(_ names: [ContributionName], for slot: Int) -> [ContributionName] {
        guard var offered = offered(slot) else { return [] }
        var exclude: [ContributionName] = []
        offered.granted = names.filter { name in
            let isFirst = holders.take(name, slot)
            if !isFirst { exclude.append(name) }
            return isFirst
        }
        offered.names = offered.granted
        offered.excluded = exclude
        update(slot) { $0.answer = .sum(offered) }
        return exclude
    }

    /// Reserves the name of a member's own update, where sums of others might hold it; returns whether nobody does.
    @discardableResult
    mutating func takeOwn(_ slot: Int) -> Bool {
        guard aggregatorCount > 0, case .update = members[slot].answer else { return true }
        switch members[slot].state {
        case .folding, .journaling, .accepted: return holders.take(ownName(slot), slot)
        case .asked, .offered, .granted, .excluded, .out: return true
        }
    }

    /// Lets go of what is reserved for a member that has no receipt.
    mutating func giveBack(_ slot: Int) {
        switch members[slot].answer {
        case .none: break
        case .update:
            if aggregatorCount > 0 { holders.release(ownName(slot), slot) }
        case .sum(let offered):
            for name in offered.names { holders.release(name, slot) }
            for name in offered.excluded { holders.forget(name, spare: slot) }
        }
    }

    /// The contributions that a member's accepted answer brought into the sum.
    func names(of slot: Int) -> [ContributionName] {
        guard members[slot].state == .accepted else { return [] }
        switch members[slot].answer {
        case .update: return [ownName(slot)]
        case .none: return parts.added(by: slot).filter { [gone = parts.subtracted(from: slot)] in !gone.contains($0) }
        case .sum(let offered):
            guard !parts.isEmpty else { return offered.names }
            let gone = parts.subtracted(from: slot)
            return (offered.names + parts.added(by: slot)).filter { !gone.contains($0) }
        }
    }

    /// Updates in the sum: one of each client or stepping node, those of children's sums included.
    var contributionCount: UInt64 {
        members.indices.reduce(0) { count, slot in
            guard members[slot].state == .accepted else { return count }
            if case .update = members[slot].answer { return count + 1 }
            return count + UInt64(names(of: slot).count)
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

    func ownName(_ slot: Int) -> ContributionName {
        ContributionName(node: members[slot].name, number: plan.number, seed: plan.seed)
    }

    /// The contributions with a receipt that no holder brought into the sum; costs nothing where nobody shares any.
    var lostNames: Set<ContributionName> {
        var lost: Set<ContributionName> = []
        for (name, slots) in holders.spares {
            let isHeld = holders.holder[name].map { members[$0].hasReceipt } ?? false
            if !isHeld, slots.contains(where: { members[$0].hasReceipt }) { lost.insert(name) }
        }
        for slot in members.indices where members[slot].state == .out(.cohortAbandoned) {
            lost.formUnion(offered(slot)?.granted.filter { holders.holder[$0] == nil } ?? [])
        }
        return lost
    }
}
