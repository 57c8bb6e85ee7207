// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryRing

/// What can be told wrong of a contribution from its header alone, before a byte of its body is fetched.
enum UpdateCheck {
    typealias Problem = RoundWorkResult.Refusal

    static func problem(of update: Update, for plan: RoundPlan, isAggregator: Bool) -> Problem? {
        guard update.base == plan.model.digest else {
            return Problem(reason: .wrongBase, text: "the delta is relative to another model than the plan's")
        }
        guard isAggregator == (update.voice != nil) else {
            return Problem(
                reason: .wrongShape,
                text: isAggregator
                    ? "an aggregator's update says for how many clients it speaks" : "a client speaks for itself alone")
        }
        let groups = update.groups
        guard groups.count == plan.groups.count else {
            return Problem(
                reason: .wrongShape, text: "the update has \(groups.count) groups, the plan \(plan.groups.count)")
        }
        var byteCount: UInt64 = 0
        for (group, asked) in zip(groups, plan.groups) {
            if let problem = problem(of: group, for: asked) { return problem }
            byteCount += group.byteCount
        }
        guard byteCount == update.body?.byteCount ?? 0 else {
            return Problem(reason: .wrongSize, text: "the body's size is not the sum of its groups' sizes")
        }
        return nil
    }

    private static func problem(of group: Update.Group, for plan: GroupPlan) -> Problem? {
        guard group.encoding == plan.encoding else {
            return Problem(reason: .wrongEncoding, text: "group '\(plan.name)' is not in the plan's encoding")
        }
        guard group.byteCount == plan.parameterCount * 4 else {
            return Problem(
                reason: .wrongShape,
                text: "group '\(plan.name)' has \(group.byteCount) bytes, its \(plan.parameterCount) parameters take "
                    + "\(plan.parameterCount * 4)")
        }
        guard (1...plan.ring.weightMax).contains(group.weight) else {
            return Problem(
                reason: .wrongWeight, text: "a weight of group '\(plan.name)' lies in 1...\(plan.ring.weightMax)")
        }
        return nil
    }

    static func problem(of sum: Sum, for plan: RoundPlan, granted: Int) -> Problem? {
        guard sum.base == plan.model.digest else {
            return Problem(reason: .wrongBase, text: "the sum is relative to another model than the plan's")
        }
        guard sum.contributionCount == UInt64(granted) else {
            return Problem(
                reason: .wrongShape, text: "the sum has \(sum.contributionCount) contributions, \(granted) were granted"
            )
        }
        guard sum.contributorCount >= sum.contributionCount else {
            return Problem(reason: .wrongShape, text: "each contribution to a sum is the work of a client at least")
        }
        guard sum.groups.count == plan.groups.count else {
            return Problem(
                reason: .wrongShape, text: "the sum has \(sum.groups.count) groups, the plan \(plan.groups.count)")
        }
        var byteCount: UInt64 = 0
        for (group, asked) in zip(sum.groups, plan.groups) {
            guard group.byteCount <= Limits.objectByteCountMax, group.totalWeight <= asked.ring.weightTotalMax else {
                return Problem(reason: .wrongWeight, text: "group '\(asked.name)' is beyond the plan's bounds")
            }
            byteCount += group.byteCount
        }
        guard byteCount + sum.attestationByteCount == sum.body?.byteCount ?? 0 else {
            return Problem(reason: .wrongSize, text: "the body's size is not that of its parts")
        }
        return nil
    }
}
