// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

// What pass-through tiers send in answer to a plan: the names of their contributions first, then their sum.

extension RoundMachine {
    mutating func sumOffered(
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
        guard let slot = collection?.slot(of: name) ?? arrived(name, at: now), collection?.isAggregator(slot) == true,
            let state = collection?.state(of: slot)
        else {
            refuse(name, .sum(offer.key), .notInCohort, "'\(name)' has no part in round \(offer.key.number)")
            return
        }
        let isKnown = collection?.offered(slot)?.offer.key == offer.key
        switch state {
        case .accepted where isKnown:
            toChild(name, .receipt(Receipt(subject: .sum(offer.key), durability: .disk)))
        // An impatient sender: its names are under way, its grant or receipt will follow.
        case .offered where isKnown, .folding where isKnown, .journaling where isKnown: break
        case .asked, .offered, .granted: considerOffer(offer, by: slot, membership, at: now)
        case .accepted where offer.names == nil:
            // All that it had is held by others, or came as a supplement.
            break
        case .accepted, .excluded, .folding, .journaling:
            refuse(name, .sum(offer.key), .duplicate, "round \(offer.key.number) already has a sum of '\(name)'")
        case .out(let reason):
            refuse(name, .sum(offer.key), reason, "'\(name)' is out of round \(offer.key.number)")
        }
    }

    private mutating func considerOffer(
        _ offer: SumOffer, by slot: Int, _ membership: Membership, at now: Moment
    ) {
        let name = offer.key.node
        // Who offers nothing because all of it is held by others still has it, should they not bring it.
        let spares = offer.names == nil ? collection?.offered(slot)?.excluded ?? [] : []
        collection?.giveBack(slot)
        collection?.update(slot) {
            $0.answer = .sum(Collection.OfferedSum(offer: offer))
            $0.state = .offered
            $0.says(chosen: offer.chosenCount)
        }
        guard let names = offer.names, offer.contributionCount > 0 else {
            drop(slot, offer.reason ?? .belowQuorum)
            for name in spares { collection?.holders.addSpare(name, slot) }
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

    mutating func sumSent(_ sum: Sum, by name: NodeName, _ membership: Membership, at now: Moment) {
        if collection?.parts[sum.key] != nil { return partSent(sum, by: name, membership, at: now) }
        guard let slot = collection?.slot(of: name), let plan = collection?.plan,
            let member = collection?.members[slot],
            case .sum(var offered) = member.answer, offered.offer.key == sum.key
        else {
            sumUnknown(sum, by: name)
            return
        }
        if member.state == .accepted {
            toChild(name, .receipt(Receipt(subject: .sum(sum.key), durability: .disk)))
        }
        guard member.state == .granted, offered.sum != sum else { return }
        if let problem = UpdateCheck.problem(of: sum, for: plan, granted: offered.granted.count) {
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

    /// A sum that was not granted, as after this node's restart: it is to be offered again, if the round is open.
    private mutating func sumUnknown(_ sum: Sum, by name: NodeName) {
        guard sum.key.number == collection?.plan.number else {
            answerWithoutRound(sum.key.number, .sum(sum.key), to: name)
            return
        }
        if let slot = collection?.slot(of: name), case .out(let reason)? = collection?.state(of: slot) {
            refuse(name, .sum(sum.key), reason, "'\(name)' is out of round \(sum.key.number)")
        } else {
            toChild(name, .wait(Wait(retryAfter: .seconds(1))))
        }
    }

    mutating func sumFolded(
        _ key: SumKey, _ refusal: RoundWorkResult.Refusal?, _ membership: Membership, at now: Moment
    ) {
        guard let slot = collection?.slot(of: key.node) else { return }
        if collection?.parts[key] != nil { return partFolded(key, refusal, membership, at: now) }
        guard let offered = collection?.offered(slot), let sum = offered.sum, sum.key == key else { return }
        guard collection?.state(of: slot) == .folding else {
            if let refusal { restoreFailed("sum \(key.node)/\(key.revision)", refusal) }
            return
        }
        if let refusal {
            refuse(key.node, .sum(key), refusal.reason, refusal.text)
            drop(slot, refusal.reason)
            advance(membership, at: now)
        } else {
            collection?.update(slot) { $0.state = .journaling }
            journal(.sumAccepted(sum, names: offered.granted, excluded: offered.excluded))
        }
    }

    /// The names of an offered sum are known: grants it without those that another contribution already holds.
    mutating func namesRead(
        _ key: SumKey, _ names: [ContributionName]?, _ membership: Membership, at now: Moment
    ) {
        guard let slot = collection?.slot(of: key.node), collection?.state(of: slot) == .offered,
            collection?.offered(slot)?.offer.key == key
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
