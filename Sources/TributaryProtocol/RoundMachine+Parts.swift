// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

// The parent asks for the sum of a few contributions: what is here is put together, the rest asked of the children.

/// A sum of a few contributions that the parent wants.
struct PartAnswer: Sendable {
    let names: [ContributionName]
    /// What of them was here when it was asked for.
    let updates: [Update]
    let sums: [Sum]
    /// Parts that children were asked for.
    var awaited: [SumKey] = []
    /// What was sent.
    var sum: Sum?
}

extension RoundMachine {
    mutating func partAsked(_ grant: SumGrant, _ membership: Membership, at now: Moment) {
        if let known = partAnswers[grant.key], known.names == grant.only {
            if let sum = known.sum { toParent(.sum(sum)) }
            return
        }
        guard let collection, collection.plan.number == grant.key.number, grant.key.node == configuration.node else {
            return refuseParent(grant.key, "the round is not open here any more")
        }
        guard let found = collection.find(grant.only) else {
            return refuseParent(grant.key, "some of the contributions are not here")
        }
        guard found.elsewhere.allSatisfy({ membership.contains(collection.members[$0.slot].name) }) else {
            return refuseParent(grant.key, "who holds some of the contributions is not connected")
        }
        var answer = PartAnswer(names: grant.only, updates: found.updates, sums: found.sums)
        for (slot, names) in found.elsewhere {
            guard let key = self.collection?.parts.makeKey(collection.members[slot].name, grant.key.number) else {
                return
            }
            self.collection?.parts[key] = Part(slot: slot, names: names, use: .pass(grant.key))
            answer.awaited.append(key)
            toChild(key.node, .sumGrant(SumGrant(key: key, exclude: [], only: names)))
        }
        partAnswers[grant.key] = answer
        sealIfComplete(grant.key)
    }

    mutating func sealIfComplete(_ key: SumKey) {
        guard let answer = partAnswers[key], let collection else { return }
        var sums = answer.sums
        for awaited in answer.awaited {
            guard let part = collection.parts[awaited], part.state == .here, let sum = part.sum else { return }
            sums.append(sum)
        }
        work(.sealPart(key, updates: answer.updates, sums: sums))
    }

    mutating func refuseParent(_ key: SumKey, _ text: String) {
        partAnswers[key] = nil
        toParent(.refuse(Refuse(subject: .sum(key), reason: .cohortAbandoned, text: text)))
    }

    /// A part that the parent wants is written.
    mutating func partSealed(
        _ key: SumKey, _ groups: [Sum.Group], _ metrics: [MetricCounter], _ body: ObjectReference?
    ) {
        guard var answer = partAnswers[key], let collection else { return }
        if let body { bodies.append(body.digest) }
        var contributors = answer.updates.reduce(0) { $0 + ($1.voice?.contributorCount ?? 1) }
        contributors += answer.sums.reduce(0) { $0 + $1.contributorCount }
        contributors += answer.awaited.reduce(0) { $0 + (collection.parts[$1]?.sum?.contributorCount ?? 0) }
        let sum = Sum(
            key: key, base: collection.plan.model.digest, contributorCount: contributors,
            contributionCount: UInt64(answer.names.count), groups: groups, metrics: metrics, body: body,
            attestationByteCount: (body?.byteCount ?? 0) - groups.reduce(0) { $0 + $1.byteCount })
        answer.sum = sum
        partAnswers[key] = answer
        toParent(.sum(sum))
    }
}

extension Collection {
    /// Where contributions are that the parent wants.
    struct Found: Sendable {
        var updates: [Update] = []
        var sums: [Sum] = []
        /// Inside what children sent: they can tell them apart.
        var elsewhere: [(slot: Int, names: [ContributionName])] = []
    }

    /// Finds all of `names` among what has a receipt, in the sum or not; `nil` when one is missing.
    func find(_ names: [ContributionName]) -> Found? {
        var found = Found()
        var missing = Set(names)
        for (_, part) in parts.all where part.state == .here {
            guard let sum = part.sum, missing.isSuperset(of: part.names) else { continue }
            found.sums.append(sum)
            missing.subtract(part.names)
        }
        for (slot, member) in members.enumerated() where !missing.isEmpty && member.hasReceipt {
            switch member.answer {
            case .update(let update): if missing.remove(ownName(slot)) != nil { found.updates.append(update) }
            case .none, .sum: find(&missing, in: slot, &found)
            }
        }
        return missing.isEmpty ? found : nil
    }

    private func find(_ missing: inout Set<ContributionName>, in slot: Int, _ found: inout Found) {
        let offered = offered(slot)
        let all = (offered?.granted ?? []) + (offered?.excluded ?? []) + parts.added(by: slot)
        let here = all.filter(missing.contains)
        guard !here.isEmpty else { return }
        if let offered, let sum = offered.sum, here.count == offered.granted.count, here == offered.granted {
            found.sums.append(sum)
        } else {
            found.elsewhere.append((slot, Set(here).sorted()))
        }
        missing.subtract(here)
    }
}
