// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryProtocol

/// What a simulated node would have on disk: the fold of its journal, and how its rounds ended for whom.
///
/// Written at once and at no cost of time; it outlives the node's process.
final class NodeMemory {
    private(set) var run: RunMemory
    /// What has a receipt: the contributions that each stands for.
    private var receipts: [RoundNumber: [Refuse.Subject: [ContributionName]]] = [:]
    private var ends: [RoundNumber: RoundClosed] = [:]
    private var seeds: [RoundNumber: UInt64] = [:]

    init(run: RunID) { self.run = RunMemory(run: run) }

    func apply(_ record: JournalRecord) {
        run.apply(record)
        switch record {
        case .opened(let opening): seeds[opening.plan.number] = opening.plan.seed
        case .updateAccepted(let update):
            let name = ContributionName(
                node: update.key.node, number: update.number, seed: seeds[update.number] ?? 0)
            receipts[update.number, default: [:]][.update(update.key)] = [name]
        case .sumAccepted(let sum, let names, let excluded):
            receipts[sum.key.number, default: [:]][.sum(sum.key)] = names + excluded
        case .closed(let end): ends[end.number] = end
        case .welcomed, .assigned, .tookOut, .subtracted, .answered, .stepped: break
        }
    }

    /// How a round ended for a contribution that had a receipt; `nil` for others.
    func end(of subject: Refuse.Subject, in number: RoundNumber) -> RoundClosed? {
        guard var end = ends[number], let names = receipts[number]?[subject] else { return nil }
        end.without = end.without.filter(names.contains)
        if case .update = subject, !end.without.isEmpty {
            end.outcome = .failed(.cohortAbandoned)
            end.without = []
        }
        return end
    }
}
