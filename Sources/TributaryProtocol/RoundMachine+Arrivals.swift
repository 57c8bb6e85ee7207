// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

// Members that come in the middle of a round, contributions to rounds that are over, and what is said to each.

extension RoundMachine {
    /// Whether somebody can still come into the open round.
    private func isOpenToOthers(at now: Moment) -> Bool {
        guard let collection else { return false }
        return collection.phase == .collecting && now < collection.deadline
    }

    /// Takes a client in that worked on the open round's plan under another parent, or before this node's restart.
    ///
    /// It is counted with those chosen elsewhere, so it adds nothing to what a quorum is a share of. What was offered
    /// to a stepping tier cannot be taken out again, so such a tier takes in its own clients alone.
    mutating func arrived(
        _ name: NodeName, with update: Update, _ membership: Membership, at now: Moment
    ) -> Int? {
        guard isOpenToOthers(at: now), let collection, let client = membership.clients.client(named: name) else {
            return arrived(name, withVoice: update, at: now)
        }
        let isAwaited = collection.absentCount > 0
        let isStepping = configuration.stepping != nil && coordinator == nil && collection.plan.kind != .evaluate
        guard isAwaited || !isStepping, mayBeChosen(client, for: collection.plan) else { return nil }
        return self.collection?.add(Collection.Member(client: name, chosenCount: isAwaited ? 1 : 0))
    }

    /// A stepping aggregator, whose voice is one contribution.
    private mutating func arrived(_ name: NodeName, withVoice update: Update, at now: Moment) -> Int? {
        update.voice == nil ? nil : arrived(name, at: now)
    }

    /// Takes an aggregator in that has collected the open round's plan under another parent.
    mutating func arrived(_ name: NodeName, at now: Moment) -> Int? {
        guard isOpenToOthers(at: now), configuration.children.role(of: name) == .aggregator else { return nil }
        return collection?.add(Collection.Member(aggregator: name, chosenCount: 0))
    }

    /// A share chooses each client by itself; a count cannot be checked by one node.
    private func mayBeChosen(_ client: ClientIndex, for plan: RoundPlan) -> Bool {
        guard case .fraction(let fraction, let overSelect) = plan.selection, fraction * overSelect < 1 else {
            return true
        }
        return Cohort.draw(seed: plan.seed, round: plan.number.round, client: client) < fraction * overSelect
    }

    /// A child is back that may have had a part in the round which was open when this node stopped.
    mutating func returned(_ name: NodeName, _ membership: Membership, at now: Moment) {
        guard isOpenToOthers(at: now), let collection, collection.absentCount > 0,
            let client = membership.clients.client(named: name), mayBeChosen(client, for: collection.plan)
        else { return }
        guard let slot = self.collection?.add(Collection.Member(client: name)) else { return }
        self.collection?.renewReminder(at: now)
        sendPlan(to: slot, at: now)
    }

    // MARK: Rounds that are not open

    /// Answers a contribution to a round that is not open here: it may open soon, it is over, or its end is awaited.
    mutating func answerWithoutRound(_ number: RoundNumber, _ subject: Refuse.Subject, to name: NodeName) {
        if let place = place(of: number) {
            answer(subject, of: name, about: ended[place])
            return
        }
        let current = collection?.plan.number ?? ended.last?.number
        guard let current, number <= current else {
            toChild(name, .wait(Wait(retryAfter: .seconds(1))))
            return
        }
        work(.recall(subject, number))
    }

    private mutating func answer(_ subject: Refuse.Subject, of name: NodeName, about round: EndedRound) {
        switch round.hasReceipt(subject, of: name) {
        case true? where round.isTold: if let end = round.end(for: name) { toChild(name, .roundClosed(end)) }
        case true?:
            guard let receipt = subject.receipt else { return }
            toChild(name, .receipt(Receipt(subject: receipt, durability: .disk)))
        case false?: refuseStale(subject, round.number, name)
        case nil: work(.recall(subject, round.number))
        }
    }

    /// The journal has said how a round ended for a contribution.
    mutating func recalled(_ subject: Refuse.Subject, _ number: RoundNumber, _ end: RoundClosed?) {
        guard let name = subject.sender else { return }
        guard let end else { return refuseStale(subject, number, name) }
        toChild(name, .roundClosed(end))
    }

    private mutating func refuseStale(_ subject: Refuse.Subject, _ number: RoundNumber, _ name: NodeName) {
        let latest = collection?.plan.number ?? ended.last?.number ?? number
        refuse(name, subject, .staleRound, "round \(number) is over; round \(latest) is the latest here")
    }
}

extension Refuse.Subject {
    /// The same contribution, as a receipt names it.
    fileprivate var receipt: Receipt.Subject? {
        switch self {
        case .update(let key): .update(key)
        case .sum(let key): .sum(key)
        case .connection, .object: nil
        }
    }

    /// Who sent it.
    fileprivate var sender: NodeName? {
        switch self {
        case .update(let key): key.node
        case .sum(let key): key.node
        case .connection, .object: nil
        }
    }
}
