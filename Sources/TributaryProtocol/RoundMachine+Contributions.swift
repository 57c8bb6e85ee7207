// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

// What children send in answer to a plan: updates of clients and stepping tiers, sums of pass-through tiers.

extension RoundMachine {
    /// A message of a child that concerns this run.
    package mutating func receive(_ message: Message, from name: NodeName, _ membership: Membership, at now: Moment) {
        if let number = message.answeredNumber, number == collection?.plan.number,
            let slot = collection?.slot(of: name)
        {
            collection?.heard(slot)
        }
        switch message {
        case .update(let update): updateOffered(update, by: name, membership, at: now)
        case .sumOffer(let offer): sumOffered(offer, by: name, membership, at: now)
        case .sum(let sum): sumSent(sum, by: name, membership, at: now)
        case .working(let working): progressed(working, by: name, at: now)
        case .refuse(let refusal): gaveUp(refusal, by: name, membership, at: now)
        default: break
        }
    }

    // MARK: Updates

    private mutating func updateOffered(
        _ update: Update, by name: NodeName, _ membership: Membership, at now: Moment
    ) {
        guard update.key.node == name else {
            refuse(name, .update(update.key), .wrongIdentity, "an update bears its sender's own name")
            return
        }
        guard collection?.plan.number == update.number else {
            answerWithoutRound(update.number, .update(update.key), to: name)
            return
        }
        guard let slot = collection?.slot(of: name), let state = collection?.state(of: slot) else {
            refuse(name, .update(update.key), .notInCohort, "'\(name)' was not chosen for round \(update.number)")
            return
        }
        let isKnown = collection?.updateKey(of: slot) == update.key
        switch state {
        case .accepted where isKnown:
            toChild(name, .receipt(Receipt(subject: .update(update.key), durability: .memory)))
        // An impatient sender: its body is under way, its receipt will follow.
        case .offered where isKnown, .folding where isKnown: break
        case .accepted, .folding, .granted:
            refuse(name, .update(update.key), .duplicate, "round \(update.number) already has an update of '\(name)'")
        case .out(let reason):
            refuse(name, .update(update.key), reason, "'\(name)' is out of round \(update.number)")
        case .asked, .offered:
            accept(update, by: slot, membership, at: now)
        }
    }

    private mutating func accept(_ update: Update, by slot: Int, _ membership: Membership, at now: Moment) {
        guard let plan = collection?.plan, let isAggregator = collection?.isAggregator(slot) else { return }
        if let problem = UpdateCheck.problem(of: update, for: plan, isAggregator: isAggregator) {
            refuse(update.key.node, .update(update.key), problem.reason, problem.text)
            collection?.update(slot) { $0.state = .out(problem.reason) }
            report(.dropped(update.key.node, update.number, problem.reason))
            advance(membership, at: now)
            return
        }
        collection?.update(slot) {
            $0.state = update.body == nil ? .folding : .offered
            $0.answer = .update(update)
            if let voice = update.voice { $0.says(chosen: voice.chosenCount) }
        }
        if let body = update.body {
            work(.fetch(body, from: .child(update.key.node)))
        } else {
            work(.fold(update))
        }
    }

    /// Answers a contribution to a round that is not open here: it may open soon, or it is over.
    private mutating func answerWithoutRound(_ number: RoundNumber, _ subject: Refuse.Subject, to name: NodeName) {
        if let closed, closed.number == number, closedMembers.contains(name) {
            toChild(name, .roundClosed(closed))
            return
        }
        let current = collection?.plan.number ?? closed?.number
        if let current, number <= current {
            refuse(name, subject, .staleRound, "round \(number) is over; round \(current) is the latest here")
        } else {
            toChild(name, .wait(Wait(retryAfter: .seconds(1))))
        }
    }

    private mutating func progressed(_ working: Working, by name: NodeName, at now: Moment) {
        guard let slot = collection?.slot(of: name), collection?.isAggregator(slot) == true,
            collection?.plan.number == working.number, collection?.state(of: slot) == .asked
        else { return }
        collection?.update(slot) {
            $0.says(chosen: working.chosenCount)
            $0.reportedCount = working.reportedCount
        }
        reportProgress(at: now)
    }

    private mutating func gaveUp(_ refusal: Refuse, by name: NodeName, _ membership: Membership, at now: Moment) {
        guard case .update(let key) = refusal.subject, key.node == name else { return }
        report(.refused(name, refusal.reason, text: refusal.text))
        if let slot = collection?.slot(of: name), collection?.state(of: slot) == .asked {
            drop(slot, refusal.reason)
        }
        advance(membership, at: now)
    }

    // MARK: Sums

    private mutating func sumOffered(
        _ offer: SumOffer, by name: NodeName, _ membership: Membership, at now: Moment
    ) {
        guard offer.key.node == name else {
            refuse(name, .sum(offer.key), .wrongIdentity, "a sum bears its sender's own name")
            return
        }
        guard collection?.plan.number == offer.key.number else {
            answerWithoutRound(offer.key.number, .sum(offer.key), to: name)
            return
        }
        guard let slot = collection?.slot(of: name), collection?.isAggregator(slot) == true,
            let state = collection?.state(of: slot)
        else {
            refuse(name, .sum(offer.key), .notInCohort, "'\(name)' has no part in round \(offer.key.number)")
            return
        }
        let isKnown = collection?.sumKey(of: slot) == offer.key
        switch state {
        case .accepted where isKnown:
            toChild(name, .receipt(Receipt(subject: .sum(offer.key), durability: .memory)))
        // An impatient sender: its names are under way, its grant or receipt will follow.
        case .offered where isKnown, .folding where isKnown: break
        case .asked, .offered, .granted: considerOffer(offer, by: slot, membership, at: now)
        case .accepted, .folding:
            refuse(name, .sum(offer.key), .duplicate, "round \(offer.key.number) already has a sum of '\(name)'")
        case .out(let reason):
            refuse(name, .sum(offer.key), reason, "'\(name)' is out of round \(offer.key.number)")
        }
    }

    private mutating func considerOffer(
        _ offer: SumOffer, by slot: Int, _ membership: Membership, at now: Moment
    ) {
        let name = offer.key.node
        collection?.giveBack(slot)
        collection?.update(slot) {
            $0.answer = .sum(Collection.OfferedSum(offer: offer))
            $0.state = .offered
            $0.says(chosen: offer.chosenCount)
        }
        guard let names = offer.names, offer.contributionCount > 0 else {
            drop(slot, offer.reason ?? .belowQuorum)
            advance(membership, at: now)
            return
        }
        guard offer.contributionCount <= Limits.cohortMax,
            names.byteCount == offer.contributionCount * UInt64(ContributionName.byteCount)
        else {
            refuse(name, .sum(offer.key), .wrongSize, "a name list holds 16 bytes for each contribution")
            drop(slot, .wrongSize)
            advance(membership, at: now)
            return
        }
        work(.fetch(names, from: .child(name)))
    }

    private mutating func sumSent(_ sum: Sum, by name: NodeName, _ membership: Membership, at now: Moment) {
        guard let slot = collection?.slot(of: name), let plan = collection?.plan,
            let member = collection?.members[slot],
            case .sum(var offered) = member.answer, offered.offer.key == sum.key
        else {
            answerWithoutRound(sum.key.number, .sum(sum.key), to: name)
            return
        }
        if member.state == .accepted {
            toChild(name, .receipt(Receipt(subject: .sum(sum.key), durability: .memory)))
        }
        guard member.state == .granted, offered.sum != sum else { return }
        if let problem = UpdateCheck.problem(of: sum, for: plan, granted: offered.names.count) {
            refuse(name, .sum(sum.key), problem.reason, problem.text)
            drop(slot, problem.reason)
            advance(membership, at: now)
            return
        }
        offered.sum = sum
        collection?.update(slot) {
            $0.answer = .sum(offered)
            if sum.body == nil { $0.state = .folding }
        }
        if let body = sum.body {
            work(.fetch(body, from: .child(name)))
        } else {
            work(.foldSum(sum))
        }
    }

    // MARK: Work results

    mutating func fetched(_ digest: Digest, from name: NodeName) {
        guard let slot = collection?.slot(of: name), let state = collection?.state(of: slot) else { return }
        switch collection?.members[slot].answer {
        case .update(let update) where state == .offered && update.body?.digest == digest:
            collection?.update(slot) { $0.state = .folding }
            bodies.append(digest)
            work(.fold(update))
        case .sum(let offered) where state == .offered:
            guard let names = offered.offer.names, names.digest == digest else { return }
            work(.readNames(offered.offer.key, names))
        case .sum(let offered) where state == .granted:
            guard let sum = offered.sum, sum.body?.digest == digest else { return }
            collection?.update(slot) { $0.state = .folding }
            bodies.append(digest)
            work(.foldSum(sum))
        case .update, .sum, .none?, nil: break
        }
    }

    mutating func fetchFailed(
        _ digest: Digest, from name: NodeName, _ reason: ReasonCode, _ membership: Membership, at now: Moment
    ) {
        guard let slot = collection?.slot(of: name), let member = collection?.members[slot],
            member.state == .offered || member.state == .granted
        else { return }
        if let subject = member.subject {
            refuse(name, subject, reason, "the object \(digest.short) could not be had")
        }
        drop(slot, reason)
        advance(membership, at: now)
    }

    mutating func folded(
        _ key: UpdateKey, _ refusal: RoundWorkResult.Refusal?, _ membership: Membership, at now: Moment
    ) {
        guard let slot = collection?.slot(of: key.node), collection?.updateKey(of: slot) == key else { return }
        if let refusal {
            refuse(key.node, .update(key), refusal.reason, refusal.text)
            drop(slot, refusal.reason)
        } else {
            collection?.takeOwn(slot)
            settle(slot, key.node, contributors: collection?.voice(of: slot) ?? 1, receipt: .update(key), at: now)
        }
        advance(membership, at: now)
    }

    mutating func sumFolded(
        _ key: SumKey, _ refusal: RoundWorkResult.Refusal?, _ membership: Membership, at now: Moment
    ) {
        guard let slot = collection?.slot(of: key.node), case .sum(let offered) = collection?.members[slot].answer,
            let sum = offered.sum, sum.key == key
        else { return }
        if let refusal {
            refuse(key.node, .sum(key), refusal.reason, refusal.text)
            drop(slot, refusal.reason)
        } else {
            settle(slot, key.node, contributors: sum.contributorCount, receipt: .sum(key), at: now)
        }
        advance(membership, at: now)
    }

    private mutating func settle(
        _ slot: Int, _ name: NodeName, contributors: UInt64, receipt: Receipt.Subject, at now: Moment
    ) {
        guard let number = collection?.plan.number else { return }
        collection?.update(slot) {
            $0.state = .accepted
            $0.reportedCount = contributors
            // Whatever a child said of the clients below it: who reported was chosen.
            $0.chosenCount = max($0.chosenCount, contributors)
        }
        toChild(name, .receipt(Receipt(subject: receipt, durability: .memory)))
        report(.accepted(name, number, contributors: contributors))
        reportProgress(at: now)
    }

    /// The names of an offered sum are known: grants it without those that another contribution already holds.
    mutating func namesRead(
        _ key: SumKey, _ names: [ContributionName]?, _ membership: Membership, at now: Moment
    ) {
        guard let slot = collection?.slot(of: key.node), collection?.state(of: slot) == .offered,
            collection?.sumKey(of: slot) == key
        else { return }
        guard let names, zip(names, names.dropFirst()).allSatisfy({ $0 < $1 }) else {
            refuse(key.node, .sum(key), .malformed, "a name list holds each name once, in ascending order")
            drop(slot, .malformed)
            advance(membership, at: now)
            return
        }
        let exclude = collection?.take(names, for: slot) ?? []
        collection?.update(slot) { $0.state = .granted }
        toChild(key.node, .sumGrant(SumGrant(key: key, exclude: exclude)))
    }
}

extension Message {
    /// The round that a child's message is about; `nil` for those about none.
    fileprivate var answeredNumber: RoundNumber? {
        switch self {
        case .update(let update): update.number
        case .sumOffer(let offer): offer.key.number
        case .sum(let sum): sum.key.number
        case .working(let working): working.number
        default: nil
        }
    }
}
