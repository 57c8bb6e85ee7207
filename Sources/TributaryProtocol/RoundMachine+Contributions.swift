// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

// What children send in answer to a plan: updates of clients and stepping tiers, sums of pass-through tiers.

extension RoundMachine {
    /// A message of a child that concerns this run.
    package mutating func receive(_ message: Message, from name: NodeName, _ membership: Membership, at now: Moment) {
        switch message {
        case .update(let update): updateOffered(update, by: name)
        case .sumOffer(let offer): sumOffered(offer, by: name, membership, at: now)
        case .sum(let sum): sumSent(sum, by: name)
        case .working(let working): progressed(working, by: name)
        case .refuse(let refusal): gaveUp(refusal, by: name, membership, at: now)
        default: break
        }
    }

    // MARK: Updates

    private mutating func updateOffered(_ update: Update, by name: NodeName) {
        guard update.key.node == name else {
            refuse(name, .update(update.key), .wrongIdentity, "an update bears its sender's own name")
            return
        }
        guard let collection, collection.plan.number == update.number else {
            answerWithoutRound(update.number, .update(update.key), to: name)
            return
        }
        guard let member = collection[name] else {
            refuse(name, .update(update.key), .notInCohort, "'\(name)' was not chosen for round \(update.number)")
            return
        }
        switch member.state {
        case .accepted where member.update?.key == update.key:
            actions.append(.toChild(name, .receipt(Receipt(subject: .update(update.key), durability: .memory))))
        case .accepted, .folding, .granted:
            refuse(name, .update(update.key), .duplicate, "round \(update.number) already has an update of '\(name)'")
        case .out(let reason):
            refuse(name, .update(update.key), reason, "'\(name)' is out of round \(update.number)")
        case .asked, .offered:
            accept(update, by: name, in: collection)
        }
    }

    private mutating func accept(_ update: Update, by name: NodeName, in collection: Collection) {
        if let problem = UpdateCheck.problem(of: update, for: collection.plan) {
            refuse(name, .update(update.key), problem.reason, problem.text)
            self.collection?.update(name) { $0.state = .out(problem.reason) }
            actions.append(.report(.dropped(name, update.number, problem.reason)))
            return
        }
        self.collection?.update(name) {
            $0.state = update.body == nil ? .folding : .offered
            $0.update = update
        }
        if let body = update.body {
            actions.append(.work(.fetch(body, from: .child(name))))
        } else {
            actions.append(.work(.fold(update)))
        }
    }

    /// Answers a contribution to a round that is not open here: it may open soon, or it is over.
    private mutating func answerWithoutRound(_ number: RoundNumber, _ subject: Refuse.Subject, to name: NodeName) {
        let current = collection?.plan.number ?? closed
        if let current, number <= current {
            refuse(name, subject, .staleRound, "round \(number) is over; round \(current) is the latest here")
        } else {
            actions.append(.toChild(name, .wait(Wait(retryAfter: .seconds(1)))))
        }
    }

    private mutating func progressed(_ working: Working, by name: NodeName) {
        guard let collection, collection[name]?.role == .aggregator else { return }
        self.collection?.update(name) {
            guard $0.state == .asked else { return }
            $0.says(chosen: working.chosenCount)
            $0.reportedCount = working.reportedCount
        }
        guard let after = self.collection else { return }
        if (after.progressCount, after.chosenCount) != (collection.progressCount, collection.chosenCount) {
            reportProgress()
        }
    }

    private mutating func gaveUp(_ refusal: Refuse, by name: NodeName, _ membership: Membership, at now: Moment) {
        guard case .update(let key) = refusal.subject, key.node == name else { return }
        actions.append(.report(.refused(name, refusal.reason, text: refusal.text)))
        if collection?[name]?.state == .asked { drop(name, refusal.reason) }
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
        guard let collection, collection.plan.number == offer.key.number else {
            answerWithoutRound(offer.key.number, .sum(offer.key), to: name)
            return
        }
        guard let member = collection[name], member.role == .aggregator else {
            refuse(name, .sum(offer.key), .notInCohort, "'\(name)' has no part in round \(offer.key.number)")
            return
        }
        switch member.state {
        case .accepted where member.offer?.key == offer.key:
            actions.append(.toChild(name, .receipt(Receipt(subject: .sum(offer.key), durability: .memory))))
        case .asked, .offered, .granted: considerOffer(offer, by: name, membership, at: now)
        case .accepted, .folding:
            refuse(name, .sum(offer.key), .duplicate, "round \(offer.key.number) already has a sum of '\(name)'")
        case .out(let reason):
            refuse(name, .sum(offer.key), reason, "'\(name)' is out of round \(offer.key.number)")
        }
    }

    private mutating func considerOffer(
        _ offer: SumOffer, by name: NodeName, _ membership: Membership, at now: Moment
    ) {
        if let names = collection?[name]?.names { collection?.giveBack(names) }
        collection?.update(name) {
            $0.offer = offer
            $0.state = .offered
            $0.names = []
            $0.says(chosen: offer.chosenCount)
        }
        guard let names = offer.names, offer.contributorCount > 0 else {
            drop(name, offer.reason ?? .belowQuorum)
            advance(membership, at: now)
            return
        }
        guard names.byteCount == offer.contributorCount * UInt64(ContributionName.byteCount),
            offer.contributorCount <= Limits.cohortMax
        else {
            refuse(name, .sum(offer.key), .wrongSize, "a name list holds 16 bytes for each contributor")
            drop(name, .wrongSize)
            advance(membership, at: now)
            return
        }
        actions.append(.work(.fetch(names, from: .child(name))))
    }

    private mutating func sumSent(_ sum: Sum, by name: NodeName) {
        guard let collection, let member = collection[name], member.offer?.key == sum.key else {
            answerWithoutRound(sum.key.number, .sum(sum.key), to: name)
            return
        }
        guard member.state == .granted else { return }
        if let problem = UpdateCheck.problem(of: sum, for: collection.plan, granted: member.names.count) {
            refuse(name, .sum(sum.key), problem.reason, problem.text)
            drop(name, problem.reason)
            return
        }
        self.collection?.update(name) { $0.sum = sum }
        if let body = sum.body {
            actions.append(.work(.fetch(body, from: .child(name))))
        } else {
            self.collection?.update(name) { $0.state = .folding }
            actions.append(.work(.foldSum(sum)))
        }
    }

    // MARK: Work results

    mutating func fetched(_ digest: Digest, from name: NodeName) {
        guard let member = collection?[name] else { return }
        if member.state == .offered, let update = member.update, update.body?.digest == digest {
            collection?.update(name) { $0.state = .folding }
            bodies.append(digest)
            actions.append(.work(.fold(update)))
        } else if member.state == .offered, let offer = member.offer, let names = offer.names, names.digest == digest {
            actions.append(.work(.readNames(offer.key, names)))
        } else if member.state == .granted, let sum = member.sum, sum.body?.digest == digest {
            collection?.update(name) { $0.state = .folding }
            bodies.append(digest)
            actions.append(.work(.foldSum(sum)))
        }
    }

    mutating func fetchFailed(
        _ digest: Digest, from name: NodeName, _ reason: ReasonCode, _ membership: Membership, at now: Moment
    ) {
        guard let member = collection?[name], member.state == .offered || member.state == .granted else { return }
        let text = "the object \(digest.short) could not be had"
        if let update = member.update { refuse(name, .update(update.key), reason, text) }
        if let offer = member.offer { refuse(name, .sum(offer.key), reason, text) }
        drop(name, reason)
        advance(membership, at: now)
    }

    mutating func folded(
        _ key: UpdateKey, _ refusal: RoundWorkResult.Refusal?, _ membership: Membership, at now: Moment
    ) {
        guard let collection, let member = collection[key.node], member.update?.key == key else { return }
        if let refusal {
            refuse(key.node, .update(key), refusal.reason, refusal.text)
            drop(key.node, refusal.reason)
        } else {
            let name = ContributionName(node: key.node, number: collection.plan.number, seed: collection.plan.seed)
            _ = self.collection?.take([name])
            let count = member.role == .aggregator ? max(1, member.reportedCount) : 1
            settle(key.node, names: [name], contributors: count, receipt: .update(key))
        }
        advance(membership, at: now)
    }

    mutating func sumFolded(
        _ key: SumKey, _ refusal: RoundWorkResult.Refusal?, _ membership: Membership, at now: Moment
    ) {
        guard let member = collection?[key.node], let sum = member.sum, sum.key == key else { return }
        if let refusal {
            refuse(key.node, .sum(key), refusal.reason, refusal.text)
            drop(key.node, refusal.reason)
        } else {
            settle(key.node, names: member.names, contributors: sum.contributorCount, receipt: .sum(key))
        }
        advance(membership, at: now)
    }

    private mutating func settle(
        _ name: NodeName, names: [ContributionName], contributors: UInt64, receipt: Receipt.Subject
    ) {
        guard let number = collection?.plan.number else { return }
        collection?.update(name) {
            $0.state = .accepted
            $0.names = names
            $0.reportedCount = contributors
        }
        actions.append(.toChild(name, .receipt(Receipt(subject: receipt, durability: .memory))))
        actions.append(.report(.accepted(name, number, contributors: contributors)))
        reportProgress()
    }

    /// The names of an offered sum are known: grants it without those that another contribution already holds.
    mutating func namesRead(
        _ key: SumKey, _ names: [ContributionName]?, _ membership: Membership, at now: Moment
    ) {
        guard let collection, let member = collection[key.node], member.state == .offered, member.offer?.key == key
        else { return }
        guard let names, zip(names, names.dropFirst()).allSatisfy({ $0 < $1 }) else {
            refuse(key.node, .sum(key), .malformed, "a name list holds each name once, in ascending order")
            drop(key.node, .malformed)
            advance(membership, at: now)
            return
        }
        let exclude = self.collection?.take(names) ?? []
        let excluded = Set(exclude)
        self.collection?.update(key.node) {
            $0.state = .granted
            $0.names = names.filter { !excluded.contains($0) }
        }
        actions.append(.toChild(key.node, .sumGrant(SumGrant(key: key, exclude: exclude))))
    }
}
