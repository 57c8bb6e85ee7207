// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
package import TributaryRing

/// What an aggregator remembers of a run: the fold of its journal's records, in their order.
package struct RunMemory: Hashable, Sendable {
    /// A round below this node whose end is not written down, with what has a receipt.
    package struct OpenRound: Hashable, Sendable {
        package var opening: JournalRecord.Opening
        package var updates: [UpdateKey: Update] = [:]
        package var sums: [SumKey: AcceptedSum] = [:]
        /// What left the sum again and may be asked for: it still has a receipt.
        package var takenUpdates: [UpdateKey: Update] = [:]
        package var takenSums: [SumKey: AcceptedSum] = [:]
        /// Parts of `sums` that were subtracted from the sum.
        package var subtracted: [SumKey: AcceptedSum] = [:]
        /// What the parent was told about it; the voice of a stepping node is told of its last edge round.
        package var answer: Message?

        package var number: RoundNumber { opening.plan.number }
    }

    /// A child's sum, with the names of what it adds up and of what it was to leave out.
    package struct AcceptedSum: Hashable, Sendable {
        package var sum: Sum
        package var names: [ContributionName]
        package var excluded: [ContributionName] = []
    }

    package let run: RunID
    package var layout: ParameterLayout?
    /// The parent's plan at hand; `nil` at the root.
    package var assigned: RoundPlan?
    /// What the parent was last told about it.
    package var answer: Message?
    /// Steps for the plan at hand; at the root the last step alone.
    package var steps: [JournalRecord.Step] = []
    /// Rounds that have not ended, newest last: more than one where the parent has gone on without a word about the
    /// answer to an older plan.
    package var open: [OpenRound] = []
    /// How the last rounds below this node ended, newest last; at most `closedCountMax`.
    package var closed: [RoundClosed] = []
    /// The number that the node's next own update bears.
    package var sequence: UInt64 = 0

    /// How many outcomes are kept at hand; older ones are the journal's to look up.
    package static let closedCountMax = 8

    package init(run: RunID) { self.run = run }

    /// Takes the next record of the journal; one about a round that it does not know is skipped.
    package mutating func apply(_ record: JournalRecord) {
        switch record {
        case .welcomed(let layout): self.layout = layout
        case .assigned(let plan):
            assigned = plan
            answer = nil
            steps = []
        case .opened(let opening):
            if !open.contains(where: { $0.number == opening.plan.number }) { open.append(OpenRound(opening: opening)) }
        case .updateAccepted(let update):
            inRound(update.number) {
                $0.updates[update.key] = update
                $0.takenUpdates[update.key] = nil
            }
        case .sumAccepted(let sum, let names, let excluded):
            inRound(sum.key.number) { $0.sums[sum.key] = AcceptedSum(sum: sum, names: names, excluded: excluded) }
        case .tookOut(let number, let updates, let sums): inRound(number) { $0.takeOut(updates, sums) }
        case .subtracted(let sum, let names):
            inRound(sum.key.number) { $0.subtracted[sum.key] = AcceptedSum(sum: sum, names: names) }
        case .answered(let message): answered(message)
        case .stepped(let step):
            if assigned == nil { steps = [] }
            if steps.last?.number != step.number { steps.append(step) }
        case .closed(let end):
            open.removeAll { $0.number == end.number }
            closed.append(end)
            if closed.count > Self.closedCountMax { closed.removeFirst() }
        }
    }

    private mutating func inRound(_ number: RoundNumber, _ change: (inout OpenRound) -> Void) {
        guard let position = open.lastIndex(where: { $0.number == number }) else { return }
        change(&open[position])
    }

    private mutating func answered(_ message: Message) {
        answer = message
        switch message {
        case .update(let update): sequence = max(sequence, update.key.sequence + 1)
        // Of the round opened last, whatever number the parent gives its own.
        case .sumOffer: if !open.isEmpty { open[open.count - 1].answer = message }
        default: break
        }
    }

    /// The objects that the machine will ask for: they stay in the store when the node starts again.
    package var objects: Set<Digest> {
        var objects: Set<Digest> = []
        for round in open {
            let sums = [round.sums, round.takenSums, round.subtracted].flatMap { $0.values.map(\.sum.body) }
            let updates = [round.updates, round.takenUpdates].flatMap { $0.values.map(\.body) }
            objects.formUnion((sums + updates).compactMap { $0?.digest })
            objects.formUnion(round.opening.plan.model.objects)
            if case .sumOffer(let offer)? = round.answer, let names = offer.names { objects.insert(names.digest) }
        }
        if let assigned { objects.formUnion(assigned.model.objects) }
        for step in steps { objects.formUnion(step.model.objects) }
        if case .update(let update)? = answer, let body = update.body { objects.insert(body.digest) }
        if case .sumOffer(let offer)? = answer, let names = offer.names { objects.insert(names.digest) }
        return objects
    }
}

extension RunMemory.OpenRound {
    fileprivate mutating func takeOut(_ keys: [UpdateKey], _ partials: [SumKey]) {
        for key in keys { if let update = updates.removeValue(forKey: key) { takenUpdates[key] = update } }
        for key in partials { if let sum = sums.removeValue(forKey: key) { takenSums[key] = sum } }
    }
}

extension ModelReference {
    /// The decoded model and the objects it comes in.
    fileprivate var objects: [Digest] { [digest] + sources.map(\.object.digest) }
}
