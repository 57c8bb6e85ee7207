// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

// Sums of a few contributions, asked of the children that hold them: a supplement, when who was to bring them is gone;
// what has to leave this node's sum again; and what the parent asks for.

extension RoundMachine {
    /// Has contributions that lost their holder brought in by somebody else who has them.
    mutating func supplement(_ membership: Membership, at now: Moment) {
        guard let collection else { return }
        let orphans = Set(collection.holders.orphans).sorted()
        self.collection?.holders.orphans = []
        guard collection.phase == .collecting, now < collection.deadline else { return }
        var wanted: [Int: [ContributionName]] = [:]
        for name in orphans where collection.holders.holder[name] == nil {
            // One that is not connected may come back in time, but nobody else would be asked then.
            let slot = collection.holders.spares[name]?.first { membership.contains(collection.members[$0].name) }
            if let slot { wanted[slot, default: []].append(name) }
        }
        for (slot, names) in wanted.sorted(by: { $0.key < $1.key }) {
            for name in names { self.collection?.holders.inherit(name, slot) }
            if case .update(let update) = collection.members[slot].answer {
                self.collection?.update(slot) { $0.state = .folding }
                work(.fold(update))
            } else {
                ask(slot, for: names, .add)
            }
        }
    }

    private mutating func ask(_ slot: Int, for names: [ContributionName], _ use: Part.Use) {
        guard let name = collection?.members[slot].name, let number = collection?.plan.number,
            let key = collection?.parts.makeKey(name, number)
        else { return }
        collection?.parts[key] = Part(slot: slot, names: names, use: use)
        toChild(name, .sumGrant(SumGrant(key: key, exclude: [], only: names)))
    }

    /// Asks again for the parts that have not come: those of one member, or of all.
    mutating func askForParts(_ slot: Int?) {
        guard let collection, !collection.parts.isEmpty else { return }
        for (key, part) in collection.parts.all where part.state == .asked && (slot == nil || part.slot == slot) {
            let grant = SumGrant(key: key, exclude: [], only: part.names)
            toChild(collection.members[part.slot].name, .sumGrant(grant))
        }
    }

    // MARK: A part arrives

    mutating func partSent(_ sum: Sum, by name: NodeName, _ membership: Membership, at now: Moment) {
        guard let collection, var part = collection.parts[sum.key], collection.members[part.slot].name == name,
            part.state == .asked, part.sum != sum
        else { return }
        if let problem = UpdateCheck.problem(of: sum, for: collection.plan, granted: part.names.count) {
            refuse(name, .sum(sum.key), problem.reason, problem.text)
            dropPart(sum.key, membership, at: now)
            return advance(membership, at: now)
        }
        part.sum = sum
        self.collection?.parts[sum.key] = part
        if let body = sum.body {
            work(.fetch(body, from: .child(name)))
        } else {
            partComplete(sum.key)
        }
    }

    /// Whether an object was the body of a part.
    mutating func partFetched(_ digest: Digest, _ slot: Int) -> Bool {
        guard let key = collection?.parts.key(fetching: digest, from: slot) else { return false }
        bodies.append(digest)
        partComplete(key)
        return true
    }

    private mutating func partComplete(_ key: SumKey) {
        guard let part = collection?.parts[key], let sum = part.sum else { return }
        switch part.use {
        case .add: work(.foldSum(sum))
        case .subtract: work(.subtractSum(sum))
        case .pass(let wanted):
            collection?.parts[key]?.state = .here
            return sealIfComplete(wanted)
        }
        collection?.parts[key]?.state = .folding
    }

    mutating func partFolded(
        _ key: SumKey, _ refusal: RoundWorkResult.Refusal?, _ membership: Membership, at now: Moment
    ) {
        guard let part = collection?.parts[key], let sum = part.sum else { return }
        guard part.state == .folding else {
            if let refusal { restoreFailed("sum \(key.node)/\(key.revision)", refusal) }
            return
        }
        if let refusal {
            refuse(key.node, .sum(key), refusal.reason, refusal.text)
            dropPart(key, membership, at: now)
            return advance(membership, at: now)
        }
        switch part.use {
        case .add:
            collection?.parts[key]?.state = .journaling
            journal(.sumAccepted(sum, names: part.names, excluded: []))
        case .subtract:
            collection?.parts[key]?.state = .here
            subtracted(sum, part)
            goOnTakingOut(at: now)
        case .pass: break
        }
    }

    mutating func partJournaled(_ key: SumKey, at now: Moment) {
        guard let part = collection?.parts[key], part.state == .journaling, let number = collection?.plan.number
        else { return }
        collection?.parts[key]?.state = .here
        let brought = part.sum?.contributorCount ?? 0
        collection?.update(part.slot) { member in
            if case .out = member.state {
                // All that it had was held by others: this is what it brings now.
                member.state = .accepted
                member.answer = .none
                member.reportedCount = 0
            }
            if member.state == .accepted { member.reportedCount += brought }
        }
        toChild(key.node, .receipt(Receipt(subject: .sum(key), durability: .disk)))
        report(.accepted(key.node, number, contributors: brought))
        reportProgress(at: now)
    }

    // MARK: A part does not arrive

    mutating func dropParts(of slot: Int, _ membership: Membership, at now: Moment) {
        guard let collection, !collection.parts.isEmpty else { return }
        for (key, part) in collection.parts.all where part.slot == slot && part.state == .asked {
            dropPart(key, membership, at: now)
        }
    }

    /// At the end of collecting: supplements come in time or not at all.
    mutating func dropOpenParts() {
        guard let collection, collection.parts.openCount > 0 else { return }
        for (key, part) in collection.parts.all where part.state == .asked {
            guard case .add = part.use else { continue }
            forget(key, part)
        }
        self.collection?.holders.orphans = []
    }

    private mutating func forget(_ key: SumKey, _ part: Part) {
        if let body = part.sum?.body { work(.cancel(body.digest, from: .child(key.node))) }
        collection?.parts[key] = nil
        guard case .add = part.use else { return }
        for name in part.names {
            collection?.holders.release(name, part.slot)
            // It still has it, but was asked in vain: others come first.
            collection?.holders.addSpare(name, part.slot)
        }
    }

    mutating func dropPart(_ key: SumKey, _ membership: Membership, at now: Moment) {
        guard let part = collection?.parts[key] else { return }
        forget(key, part)
        switch part.use {
        case .add: break
        case .subtract:
            abandon(part.slot)
            goOnTakingOut(at: now)
        case .pass(let wanted): refuseParent(wanted, "who holds some of the contributions is gone")
        }
    }

    // MARK: Taking out

    /// Takes what the parent excludes out of the sum, exactly; the sum is sent when all of it is out.
    mutating func takeOut(_ grant: SumGrant, _ membership: Membership, at now: Moment) {
        let excluded = Set(grant.exclude)
        guard takingOut?.key != grant.key, let collection else { return }
        takingOut = grant
        var updates: [UpdateKey] = []
        var sums: [SumKey] = []
        for slot in collection.members.indices where collection.state(of: slot) == .accepted {
            switch collection.members[slot].answer {
            case .update(let update):
                guard excluded.contains(collection.ownName(slot)) else { continue }
                updates.append(update.key)
                self.collection?.update(slot) { $0.state = .excluded }
            case .none, .sum:
                sums += takeOut(excluded, from: slot, membership)
            }
        }
        if !updates.isEmpty || !sums.isEmpty {
            work(.takeOut(updates, sums: sums))
            journal(.tookOut(collection.plan.number, updates, sums: sums))
        }
        goOnTakingOut(at: now)
    }

    /// Whole sums of a child are taken out at once; of others just the part is asked for.
    private mutating func takeOut(
        _ excluded: Set<ContributionName>, from slot: Int, _ membership: Membership
    ) -> [SumKey] {
        guard let collection else { return [] }
        let leaving = collection.names(of: slot).filter(excluded.contains)
        guard !leaving.isEmpty else { return [] }
        let isWhole = collection.parts.isEmpty && leaving.count == collection.offered(slot)?.granted.count
        if isWhole, let offered = collection.offered(slot), let key = offered.sum?.key {
            self.collection?.update(slot) { member in
                var offered = offered
                offered.names = []
                member.answer = .sum(offered)
                member.state = .excluded
                member.reportedCount = 0
            }
            return [key]
        }
        if membership.contains(collection.members[slot].name) {
            ask(slot, for: leaving.sorted(), .subtract)
        } else {
            abandon(slot)
        }
        return []
    }

    private mutating func subtracted(_ sum: Sum, _ part: Part) {
        journal(.subtracted(sum, names: part.names))
        collection?.update(part.slot) { $0.reportedCount -= min($0.reportedCount, sum.contributorCount) }
    }

    /// Takes all of a child out that cannot be asked for a part any more.
    private mutating func abandon(_ slot: Int) {
        guard let collection, collection.state(of: slot) == .accepted else { return }
        let parts = collection.parts.all.filter { $0.part.slot == slot && $0.part.state == .here }
        var sums = collection.offered(slot)?.sum.map { [$0.key] } ?? []
        var back: [Sum] = []
        for (key, part) in parts {
            switch part.use {
            case .add: sums.append(key)
            case .subtract: if let sum = part.sum { back.append(sum) }
            case .pass: continue
            }
            self.collection?.parts[key] = nil
        }
        work(.takeOut([], sums: sums))
        for sum in back { work(.foldSum(sum)) }
        journal(.tookOut(collection.plan.number, [], sums: sums))
        self.collection?.giveBack(slot)
        self.collection?.update(slot) { member in
            member.state = .out(.cohortAbandoned)
            member.reportedCount = 0
        }
        report(.dropped(collection.members[slot].name, collection.plan.number, .cohortAbandoned))
    }

    private mutating func goOnTakingOut(at now: Moment) {
        guard let grant = takingOut, let collection, !collection.parts.isSubtracting else { return }
        takingOut = nil
        let isSmaller = collection.members.contains { $0.state == .out(.cohortAbandoned) }
        if isSmaller {
            assignment?.revision += 1
            offerSum(reason: .duplicate, at: now)
        } else {
            work(.sealSum(grant.key))
        }
    }
}
