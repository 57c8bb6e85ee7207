// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
package import TributaryRing

/// What an aggregator remembers of a run: the fold of its journal's records, in their order.
package struct RunMemory: Hashable, Sendable {
    /// The round that was under way, with what has a receipt.
    package struct OpenRound: Hashable, Sendable {
        package var plan: RoundPlan
        package var updates: [UpdateKey: Update] = [:]
        package var sums: [SumKey: AcceptedSum] = [:]
    }

    package struct AcceptedSum: Hashable, Sendable {
        package var sum: Sum
        package var names: [ContributionName]
    }

    package let run: RunID
    package var layout: ParameterLayout?
    /// The parent's plan at hand; `nil` at the root.
    package var assigned: RoundPlan?
    /// What the parent was last told about it.
    package var answer: Message?
    /// Steps for the plan at hand; at the root the last step alone.
    package var steps: [JournalRecord.Step] = []
    package var open: OpenRound?
    /// How the last rounds below this node ended, newest last; at most `closedCountMax`.
    package var closed: [RoundClosed] = []

    /// How many outcomes are kept at hand; older ones are the journal's to look up.
    package static let closedCountMax = 8

    package init(run: RunID) { self.run = run }

    /// Takes the next record of the journal.
    package mutating func apply(_ record: JournalRecord) {
        switch record {
        case .welcomed(let layout): self.layout = layout
        case .assigned(let plan):
            assigned = plan
            answer = nil
            steps = []
        case .opened(let plan): open = OpenRound(plan: plan)
        case .updateAccepted(let update): open?.updates[update.key] = update
        case .sumAccepted(let sum, let names): open?.sums[sum.key] = AcceptedSum(sum: sum, names: names)
        case .tookOut(let updates, let sums):
            for key in updates { open?.updates[key] = nil }
            for key in sums { open?.sums[key] = nil }
        case .answered(let message): answer = message
        case .stepped(let step):
            if assigned == nil { steps = [] }
            steps.append(step)
        case .closed(let end):
            if open?.plan.number == end.number { open = nil }
            closed.append(end)
            if closed.count > Self.closedCountMax { closed.removeFirst() }
        }
    }
}
