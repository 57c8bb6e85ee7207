// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

// A node that passes sums through: names first, and the sum of what the parent grants.

extension RoundMachine {
    mutating func offerSum(reason: ReasonCode?, at now: Moment) {
        guard let collection else { return }
        let names = collection.contributionNames
        guard !names.isEmpty else {
            sendOffer(nil, chosen: collection.chosenCount, reason: reason ?? .belowQuorum, at: now)
            return
        }
        guard let key = sumKey else { return }
        work(.sealNames(key, names))
    }

    /// The key of this node's sum for the plan at hand.
    private var sumKey: SumKey? {
        assignment.map { SumKey(node: configuration.node, number: $0.plan.number, revision: $0.revision) }
    }

    mutating func namesSealed(_ key: SumKey, _ names: ObjectReference?, at now: Moment) {
        guard let collection, key == sumKey else { return }
        guard let names else {
            sendOffer(nil, chosen: collection.chosenCount, reason: .storage, at: now)
            return
        }
        bodies.append(names.digest)
        let reason: ReasonCode? = collection.meetsQuorum ? nil : collection.endedBy ?? .belowQuorum
        sendOffer(
            names, chosen: collection.chosenCount, contributors: collection.contributorCount,
            contributions: names.byteCount / UInt64(ContributionName.byteCount), reason: reason, at: now)
    }

    /// Offers a sum, or says that there is none: `names` is `nil` then.
    mutating func sendOffer(
        _ names: ObjectReference?, chosen: UInt64, contributors: UInt64 = 0, contributions: UInt64 = 0,
        reason: ReasonCode?, at now: Moment
    ) {
        guard let key = sumKey else { return }
        let offer = SumOffer(
            key: key, names: names, chosenCount: chosen, contributorCount: contributors,
            contributionCount: contributions, reason: reason)
        assignment?.offer = offer
        answer(.offer(offer), at: now)
    }

    mutating func granted(_ grant: SumGrant, _ membership: Membership, at now: Moment) {
        if !grant.only.isEmpty { return partAsked(grant, membership, at: now) }
        guard case .offer(let offer) = assignment?.answer, offer.key == grant.key, collection != nil else { return }
        takeOut(grant, membership, at: now)
    }

    mutating func sumSealed(
        _ key: SumKey, _ groups: [Sum.Group], _ metrics: [MetricCounter], _ body: ObjectReference?, at now: Moment
    ) {
        if partAnswers[key] != nil { return partSealed(key, groups, metrics, body) }
        guard let assignment, let collection, key == sumKey else { return }
        if let body { bodies.append(body.digest) }
        let sum = Sum(
            key: key, base: assignment.plan.model.digest, contributorCount: collection.contributorCount,
            contributionCount: collection.contributionCount, groups: groups, metrics: metrics, body: body,
            attestationByteCount: (body?.byteCount ?? 0) - groups.reduce(0) { $0 + $1.byteCount })
        answer(.sum(sum), at: now)
    }
}
