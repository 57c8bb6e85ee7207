// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

// What follows when a record is written down, and when it is not.

extension RoundMachine {
    /// How long a node that has no space lets itself and its children wait.
    private static let pauseWhenFull = Duration.seconds(5)

    mutating func journaled(_ key: JournalRecord.Key, _ membership: Membership, at now: Moment) {
        if let place = writing.firstIndex(where: { $0.key == key }) { writing.remove(at: place) }
        switch key {
        case .update(let key): updateJournaled(key, at: now)
        case .sum(let key): sumJournaled(key, at: now)
        case .answered(let number): answerJournaled(number, at: now)
        case .closed(let number): closed(number, membership, at: now)
        case .stepped(let number): stepJournaled(number, membership, at: now)
        case .welcomed, .assigned, .opened, .tookOut, .subtracted: break
        }
        if isFull, unwritten.isEmpty {
            isFull = false
            report(.storageFull(false))
        }
        advance(membership, at: now)
    }

    /// Nothing of a record is there: without space the node promises nothing and tries later; else it ends.
    mutating func notJournaled(
        _ key: JournalRecord.Key, _ reason: ReasonCode, _ membership: Membership, at now: Moment
    ) {
        guard reason == .storageFull else {
            workFailed("the journal could not be written (\(reason.rawValue))")
            return
        }
        becomeFull()
        switch key {
        case .update(let key): withdraw(key, at: now)
        case .sum(let key): withdraw(key, membership, at: now)
        case .welcomed, .assigned, .opened, .tookOut, .subtracted, .answered, .stepped, .closed:
            guard let place = writing.firstIndex(where: { $0.key == key }) else { break }
            unwritten.append(writing.remove(at: place))
            if writesAgain == nil { writesAgain = now + Self.pauseWhenFull }
        }
        advance(membership, at: now)
    }

    private mutating func becomeFull() {
        if !isFull { report(.storageFull(true)) }
        isFull = true
    }

    /// Asks for what found no space again, in its order.
    mutating func writeAgain(at now: Moment) {
        guard let due = writesAgain, due <= now else { return }
        writesAgain = nil
        let records = unwritten
        unwritten = []
        for record in records where isNeeded(record) { journal(record) }
    }

    /// Whether a record that found no space still says something: not of a round that is over.
    private func isNeeded(_ record: JournalRecord) -> Bool {
        switch record.key {
        case .welcomed, .update, .sum, .stepped, .closed: true
        case .assigned(let number), .answered(let number): assignment?.plan.number == number
        case .opened(let number), .tookOut(let number): collection?.plan.number == number
        case .subtracted(let key): collection?.plan.number == key.number
        }
    }

    /// Whether what is accepted in the open round can be found again.
    private var canPromise: Bool {
        guard isFull, let number = collection?.plan.number else { return true }
        return !(unwritten + writing).contains { $0.key == .opened(number) }
    }

    /// A member comes again later, with the same contribution.
    mutating func comeAgain(_ slot: Int) {
        guard let name = collection?.members[slot].name else { return }
        collection?.giveBack(slot)
        collection?.update(slot) {
            $0.state = .asked
            $0.answer = .none
        }
        toChild(name, .wait(Wait(retryAfter: Self.pauseWhenFull)))
    }

    /// The object that a member offered found no space.
    mutating func fetchFoundNoSpace(_ slot: Int) {
        becomeFull()
        comeAgain(slot)
    }

    // MARK: Contributions

    private mutating func updateJournaled(_ key: UpdateKey, at now: Moment) {
        guard let slot = collection?.slot(of: key.node), collection?.updateKey(of: slot) == key,
            collection?.state(of: slot) == .journaling
        else { return }
        guard canPromise else { return withdraw(key, at: now) }
        accept(slot, contributors: collection?.voice(of: slot) ?? 1, receipt: .update(key), at: now)
        if collection?.holders.holder.isEmpty == false { leaveOutIfShared(slot, key) }
    }

    /// Takes an update out again whose contribution a child's sum holds already.
    private mutating func leaveOutIfShared(_ slot: Int, _ key: UpdateKey) {
        guard let collection, let holder = collection.holders.holder[collection.ownName(slot)], holder != slot else {
            return
        }
        self.collection?.update(slot) { $0.state = .excluded }
        work(.takeOut([key], sums: []))
        journal(.tookOut(collection.plan.number, [key], sums: []))
    }

    private mutating func sumJournaled(_ key: SumKey, at now: Moment) {
        guard let slot = collection?.slot(of: key.node) else { return }
        if collection?.parts[key] != nil { return partJournaled(key, at: now) }
        guard let sum = collection?.offered(slot)?.sum, sum.key == key, collection?.state(of: slot) == .journaling
        else { return }
        let supplements = collection?.parts.contributors(of: slot) ?? 0
        accept(slot, contributors: sum.contributorCount + supplements, receipt: .sum(key), at: now)
    }

    private mutating func accept(_ slot: Int, contributors: UInt64, receipt: Receipt.Subject, at now: Moment) {
        guard let number = collection?.plan.number, let name = collection?.members[slot].name else { return }
        collection?.update(slot) {
            $0.state = .accepted
            $0.reportedCount = contributors
        }
        toChild(name, .receipt(Receipt(subject: receipt, durability: .disk)))
        report(.accepted(name, number, contributors: contributors))
        reportProgress(at: now)
    }

    private mutating func withdraw(_ key: UpdateKey, at now: Moment) {
        guard let slot = collection?.slot(of: key.node), collection?.updateKey(of: slot) == key,
            collection?.state(of: slot) == .journaling
        else { return }
        work(.takeOut([key], sums: []))
        comeAgain(slot)
    }

    private mutating func withdraw(_ key: SumKey, _ membership: Membership, at now: Moment) {
        guard let slot = collection?.slot(of: key.node) else { return }
        if collection?.parts[key] != nil {
            work(.takeOut([], sums: [key]))
            dropPart(key, membership, at: now)
            return
        }
        guard collection?.offered(slot)?.sum?.key == key, collection?.state(of: slot) == .journaling else { return }
        work(.takeOut([], sums: [key]))
        comeAgain(slot)
    }
}
