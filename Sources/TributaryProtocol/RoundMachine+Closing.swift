// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

// How a round ends: nobody is waited for any more, its outcome is written down, and everybody who had a part is told.

extension RoundMachine {
    /// How many rounds are kept at hand after their end; older ones are looked up in the journal.
    private static let endedCountMax = 2

    /// Drops who need not be waited for any more, and moves on when the collection is complete.
    mutating func advance(_ membership: Membership, at now: Moment) {
        guard collection != nil, collection?.phase != .closed else { return }
        if collection?.holders.orphans.isEmpty == false { supplement(membership, at: now) }
        if let ended = collection?.advance(at: now) {
            for slot in ended.slots { dismiss(slot, ended.reason) }
            dropOpenParts()
            collection?.settle()
        }
        if collection?.phase == .closed { collected(membership, at: now) }
    }

    /// Everything that will come is in the sum.
    private mutating func collected(_ membership: Membership, at now: Moment) {
        guard let number = collection?.plan.number, let chosen = collection?.chosenCount,
            let contributors = collection?.contributorCount, let kind = collection?.plan.kind
        else { return }
        let reached = collection?.meetsQuorum == true
        let reason: ReasonCode? = reached ? nil : (collection?.endedBy ?? .belowQuorum)
        report(.roundCollected(number, reported: contributors, chosen: chosen, reason: reason))
        reportProgress(isLast: true, at: now)
        if Self.isIsland(number) {
            islandCollected(at: now)
            openIsland(membership, at: now)
        } else if coordinator != nil {
            rootCollected(number, kind, reached: reached, reason: reason, at: now)
        } else if let stepping = configuration.stepping, kind != .evaluate {
            edgeRoundCollected(number, stepping, reached: reached, reason: reason)
        } else {
            offerSum(reason: reason, at: now)
        }
    }

    // MARK: The outcome

    /// Ends the open round, for everybody who had a part in it: they are told when that is written down.
    ///
    /// `without` are contributions that the parent could not count, though it committed the round.
    mutating func close(
        _ outcome: RoundClosed.Outcome, without: [ContributionName] = [], then next: EndedRound.Next = .nothing
    ) {
        guard let collection else { return }
        var round = EndedRound(collection, bodies: bodies)
        round.ends(outcome, lost: collection.lostNames.union(without), in: collection)
        round.next = next
        bodies = []
        self.collection = nil
        partAnswers = [:]
        takingOut = nil
        keep(round)
        if let end = round.end { journal(.closed(end)) }
    }

    /// Keeps a round in its place among those that ended.
    func place(of number: RoundNumber) -> Int? { ended.firstIndex { $0.number == number } }

    mutating func keep(_ round: EndedRound) {
        let place = ended.firstIndex { round.number < $0.number } ?? ended.count
        ended.insert(round, at: place)
    }

    /// Sets the round aside whose answer the parent has and whose end it has not told: only its word decides.
    mutating func setAside(_ answer: Message, at now: Moment) {
        guard let collection else { return }
        var round = EndedRound(collection, bodies: bodies)
        round.answer = answer
        round.waiting = collection
        bodies = []
        self.collection = nil
        partAnswers = [:]
        takingOut = nil
        keep(round)
        askForEnd(of: round.number, at: now)
    }

    /// The parent has said how its round `number` ended, to which one that was set aside belongs.
    mutating func settle(
        _ number: RoundNumber, _ outcome: RoundClosed.Outcome, without: [ContributionName] = []
    ) {
        guard let place = ended.firstIndex(where: { $0.answer?.offeredNumber == number }),
            let collection = ended[place].waiting
        else { return }
        ended[place].ends(outcome, lost: collection.lostNames.union(without), in: collection)
        ended[place].answer = nil
        ended[place].waiting = nil
        ended[place].retry.stop()
        if let end = ended[place].end { journal(.closed(end)) }
    }

    /// A round's end is written down: tells it, and goes on.
    mutating func closed(_ number: RoundNumber, _ membership: Membership, at now: Moment) {
        guard let place = place(of: number), !ended[place].isTold, let end = ended[place].end else { return }
        ended[place].isTold = true
        tell(ended[place])
        report(.roundClosed(number, end.outcome))
        work(.release(ended[place].bodies))
        let next = ended[place].next
        ended[place].bodies = []
        forgetOldest()
        switch next {
        case .nothing: break
        case .edgeRound: gatherForNext(after: number, membership, at: now)
        case .evaluation: evaluate(number, membership, at: now)
        case .nextRound: continueRun(membership, at: now)
        }
        if drainCount > 0, !isUnsettled { runEnded(.stopped, membership) }
    }

    private mutating func tell(_ round: EndedRound) {
        actions.reserveCapacity(actions.count + round.members.count + 2)
        guard let end = round.end else { return }
        let common = Message.roundClosed(RoundClosed(number: end.number, outcome: end.outcome))
        for (slot, name) in round.members.enumerated() where !round.isElsewhere(slot) {
            if round.isPlain(slot) {
                toChild(name, common)
            } else if let own = round.end(at: slot) {
                toChild(name, .roundClosed(own))
            }
        }
    }

    private mutating func forgetOldest() {
        var surplus = ended.count { $0.isTold } - Self.endedCountMax
        ended.removeAll { round in
            guard surplus > 0, round.isTold else { return false }
            surplus -= 1
            return true
        }
    }

    /// Ends what is left of the run: a new run has begun.
    package mutating func abandon() {
        guard let number = collection?.plan.number else { return }
        close(.failed(.stopped))
        guard let place = place(of: number) else { return }
        ended[place].isTold = true
        tell(ended[place])
        report(.roundClosed(number, .failed(.stopped)))
    }

    // MARK: Members that are out

    /// Marks a member as out of the round; what it brought in as a supplement stays.
    mutating func drop(_ slot: Int, _ reason: ReasonCode) {
        guard let name = collection?.members[slot].name, let number = collection?.plan.number else { return }
        switch collection?.members[slot].answer {
        case .update(let update):
            if let body = update.body { work(.cancel(body.digest, from: .child(name))) }
        case .sum(let offered):
            if let names = offered.offer.names { work(.cancel(names.digest, from: .child(name))) }
            if let body = offered.sum?.body { work(.cancel(body.digest, from: .child(name))) }
        case .none?, nil: break
        }
        collection?.giveBack(slot)
        let supplements = collection?.parts.contributors(of: slot) ?? 0
        collection?.update(slot) { member in
            if case .sum(var offered) = member.answer {
                offered.names = []
                member.answer = .sum(offered)
            }
            member.state = .out(reason)
            guard supplements > 0 else { return }
            member.state = .accepted
            member.answer = .none
            member.reportedCount = supplements
        }
        report(.dropped(name, number, reason))
    }

    /// Drops a member and tells it why.
    private mutating func dismiss(_ slot: Int, _ reason: ReasonCode) {
        guard let name = collection?.members[slot].name else { return }
        let subject = collection?.members[slot].subject
        drop(slot, reason)
        guard let subject else { return }
        if case .update = subject {
            refuse(name, subject, reason, "the round went on without this update")
        } else {
            refuse(name, subject, reason, "the round went on without this sum")
        }
    }
}
