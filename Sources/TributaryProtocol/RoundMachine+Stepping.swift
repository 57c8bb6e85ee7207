// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

// A node that steps: several edge rounds of its own, and one voice to the parent.

extension RoundMachine {
    mutating func edgeRoundCollected(
        _ number: RoundNumber, _ stepping: AggregatorConfiguration.Stepping, reached: Bool, reason: ReasonCode?
    ) {
        guard let assignment, let chosen = collection?.chosenCount else { return }
        self.assignment?.chosenCount = max(assignment.chosenCount, chosen)
        if reached {
            work(.step(number, stepping.optimizer, base: assignment.model.digest))
        } else {
            close(.failed(reason ?? .belowQuorum), then: .edgeRound)
        }
    }

    /// The sum of an edge round has become the next edge round's base: nothing of it leaves before that is written.
    mutating func edgeStepped(_ model: ModelReference, _ totals: SumTotals) {
        guard let collection, var assignment else { return }
        let number = collection.plan.number
        let previous = assignment.model.digest
        if previous != assignment.plan.model.digest, previous != model.digest { bodies.append(previous) }
        let step = JournalRecord.Step(
            number: number, model: model, totals: totals, contributorCount: collection.contributorCount,
            chosenCount: collection.chosenCount)
        assignment.take(step)
        self.assignment = assignment
        journal(.stepped(step))
    }

    mutating func edgeStepFailed(_ text: String) {
        report(.refused(configuration.node, .notFinite, text: text))
        close(.failed(.notFinite), then: .edgeRound)
    }

    /// A step is written down: the round ends with it.
    mutating func stepJournaled(_ number: RoundNumber, _ membership: Membership, at now: Moment) {
        guard let collection, collection.plan.number == number else { return }
        let outcome = RoundClosed.Outcome.committed(contributorCount: collection.contributorCount)
        if coordinator != nil { return close(outcome, then: .evaluation) }
        if let assignment { report(.stepped(number, model: assignment.model.digest)) }
        close(outcome, then: .edgeRound)
    }

    mutating func nextEdgeRound(after number: RoundNumber, _ membership: Membership, at now: Moment) {
        guard var assignment, let stepping = configuration.stepping, collection == nil,
            case .pending = assignment.answer, number == assignment.number(stepping)
        else { return }
        if assignment.edgeRound < stepping.edgeRounds {
            assignment.edgeRound += 1
            self.assignment = assignment
            openNext(membership, at: now)
        } else if assignment.weights.allSatisfy({ $0 > 0 }), !assignment.weights.isEmpty {
            work(
                .sealVoice(
                    assignment.plan.number, model: assignment.model.digest, base: assignment.plan.model.digest,
                    groups: assignment.plan.groups))
        } else {
            sendOffer(nil, chosen: assignment.chosenCount, reason: .belowQuorum, at: now)
        }
    }

    mutating func voiceSealed(
        _ number: RoundNumber, _ body: ObjectReference, _ groups: [Update.Group], at now: Moment
    ) {
        guard let assignment, assignment.plan.number == number else { return }
        var groups = groups
        for index in groups.indices where index < assignment.weights.count {
            groups[index].weight = assignment.weights[index]
        }
        let update = Update(
            key: UpdateKey(node: configuration.node, sequence: sequence), number: number,
            base: assignment.plan.model.digest, groups: groups, metrics: assignment.metrics, body: body,
            voice: Update.Voice(
                chosenCount: assignment.chosenCount, contributorCount: assignment.contributorCount))
        sequence += 1
        answer(.update(update), at: now)
    }
}

extension RoundMachine.Assignment {
    /// The number of the edge round under way.
    func number(_ stepping: AggregatorConfiguration.Stepping) -> RoundNumber {
        let before = (plan.number.edgeRound - 1) * stepping.edgeRounds
        return RoundNumber(round: plan.number.round, edgeRound: before + edgeRound)
    }

    /// Counts a step of an edge round.
    mutating func take(_ step: JournalRecord.Step) {
        model = step.model
        metrics = step.totals.metrics
        weights = zip(weights, step.totals.weights).map { max($0, $1) }
        contributorCount = max(contributorCount, step.contributorCount)
        chosenCount = max(chosenCount, step.chosenCount)
    }
}
