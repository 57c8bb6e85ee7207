// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryAggregation
import TributaryCore
import TributaryCrypto
import TributaryProtocol
import TributaryRing

/// What speaks against a sum, by the list of contributions that it shows.
struct AttestationCheck {
    typealias Refusal = RoundWorkResult.Refusal

    let run: RunID
    let keys: AdmittedKeys
    let groups: [GroupPlan]
    /// The seed by which contributions are named; `nil` where this node does not know it.
    let seed: UInt64?

    /// `names`: those that the sum was offered with.
    func problem(of sum: Sum, showing attestation: Attestation, names: Set<ContributionName>?) -> Refusal? {
        guard UInt64(attestation.records.count) == sum.contributionCount else {
            return Self.refusal(
                "it shows \(attestation.records.count) signatures for \(sum.contributionCount) contributions")
        }
        // A survey has no groups, and what it adds up are the metrics.
        let plans = sum.groups.isEmpty ? [] : groups
        var weights = [UInt64](repeating: 0, count: plans.count)
        var metrics = MetricTotals()
        for record in attestation.records {
            if let refusal = problem(of: record, in: sum, groupCount: plans.count, names) { return refusal }
            for (position, (group, plan)) in zip(record.update.groups, plans).enumerated() {
                guard (1...plan.ring.weightMax).contains(group.weight) else {
                    return Self.refusal("'\(record.update.key.node)' signed a weight beyond the plan's")
                }
                weights[position] += plan.normaliser == .count ? 1 : group.weight
            }
            guard (try? MetricTotals.check(record.update.metrics)) != nil,
                (try? metrics.add(record.update.metrics)) != nil
            else { return Self.refusal("the metrics that '\(record.update.key.node)' signed cannot be added") }
        }
        guard weights == sum.groups.map(\.totalWeight) else {
            return Self.refusal("its weights are not the sum of those that were signed")
        }
        guard metrics.metrics == sum.metrics else {
            return Self.refusal("its metrics are not the sum of those that were signed")
        }
        return nil
    }

    private func problem(
        of record: Attestation.Record, in sum: Sum, groupCount: Int, _ names: Set<ContributionName>?
    ) -> Refusal? {
        let update = record.update
        let node = update.key.node
        guard record.run == run, isOf(sum.key.number, update, isSurvey: groupCount == 0), update.base == sum.base,
            update.groups.count == groupCount
        else { return Self.refusal("a signature of '\(node)' is of another round") }
        guard let key = keys.signingKey(of: node).key else {
            return Self.refusal("'\(node)' has no signing key that is admitted here")
        }
        guard key.verifies(record.signature, of: record.signed) else {
            return Self.refusal("a signature is not one of '\(node)'")
        }
        if let names, let seed, !names.contains(ContributionName(node: node, number: update.number, seed: seed)) {
            return Self.refusal("'\(node)' is not among the names that were offered")
        }
        return nil
    }

    /// Whether an update answers the plan that the sum does.
    ///
    /// A stepping tier hands a survey down under a number of its own; there is one survey of a model in a round.
    private func isOf(_ number: RoundNumber, _ update: Update, isSurvey: Bool) -> Bool {
        isSurvey ? update.number.round == number.round : update.number == number
    }

    static func refusal(_ text: String) -> Refusal {
        Refusal(reason: .wrongSignature, text: "the sum is not one of signed updates: \(text)")
    }
}
