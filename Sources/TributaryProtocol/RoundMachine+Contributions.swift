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
        guard let slot = collection?.slot(of: name) ?? arrived(name, with: update, membership, at: now),
            let state = collection?.state(of: slot)
        else {
            refuse(name, .update(update.key), .notInCohort, "'\(name)' was not chosen for round \(update.number)")
            return
        }
        let isKnown = collection?.updateKey(of: slot) == update.key
        switch state {
        case .accepted where isKnown, .excluded where isKnown:
            toChild(name, .receipt(Receipt(subject: .update(update.key), durability: .disk)))
        // An impatient sender: its body is under way, or being written down; its receipt will follow.
        case .offered where isKnown, .folding where isKnown, .journaling where isKnown: break
        case .accepted, .excluded, .folding, .journaling, .granted:
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
        if case .sum(let key) = refusal.subject, key.node == name, collection?.parts[key] != nil {
            dropPart(key, membership, at: now)
            advance(membership, at: now)
        }
        guard case .update(let key) = refusal.subject, key.node == name else { return }
        report(.refused(name, refusal.reason, text: refusal.text))
        if let slot = collection?.slot(of: name), collection?.state(of: slot) == .asked {
            drop(slot, refusal.reason)
        }
        advance(membership, at: now)
    }

    // MARK: Work results

    mutating func fetched(_ digest: Digest, from name: NodeName) {
        guard let slot = collection?.slot(of: name), let state = collection?.state(of: slot) else { return }
        if partFetched(digest, slot) { return }
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
        guard let slot = collection?.slot(of: name), let member = collection?.members[slot] else { return }
        if let key = collection?.parts.key(fetching: digest, from: slot) {
            dropPart(key, membership, at: now)
            return advance(membership, at: now)
        }
        guard member.state == .offered || member.state == .granted else { return }
        if reason == .storageFull { return fetchFoundNoSpace(slot) }
        if let subject = member.subject {
            refuse(name, subject, reason, "the object \(digest.short) could not be had")
        }
        drop(slot, reason)
        advance(membership, at: now)
    }

    mutating func folded(
        _ key: UpdateKey, _ refusal: RoundWorkResult.Refusal?, _ membership: Membership, at now: Moment
    ) {
        guard let slot = collection?.slot(of: key.node), case .update(let update)? = collection?.members[slot].answer,
            update.key == key
        else { return }
        guard collection?.state(of: slot) == .folding else {
            if let refusal { restoreFailed("update \(key)", refusal) }
            return
        }
        if let refusal {
            refuse(key.node, .update(key), refusal.reason, refusal.text)
            drop(slot, refusal.reason)
            advance(membership, at: now)
        } else {
            collection?.takeOwn(slot)
            collection?.update(slot) { $0.state = .journaling }
            journal(.updateAccepted(update))
        }
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
