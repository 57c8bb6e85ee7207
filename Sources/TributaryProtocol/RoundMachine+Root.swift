// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryRing

// The root: opens rounds, steps the model, evaluates it, and ends the run.

extension RoundMachine {
    /// Opens the next round when the coordinator finds that enough clients are there.
    mutating func coordinate(_ membership: Membership, at now: Moment) {
        guard var coordinator, collection == nil else { return }
        if case .gathering = coordinator.phase, coordinator.isOver { return endRun(membership) }
        let expected = configuration.expectedClientCount
        let needed = max(1, UInt64((configuration.quorum * Double(expected)).rounded(.up)))
        let connected = membership.clientCount
        let open = coordinator.mayOpen(connected: connected, needed: needed, expected: expected, at: now)
        if !open, case .gathering = coordinator.phase, coordinator.announced != connected {
            coordinator.announced = connected
            report(.gathering(connected: connected, needed: needed, expected: expected))
        }
        self.coordinator = coordinator
        if open { openRound(membership, at: now) }
    }

    private mutating func openRound(_ membership: Membership, at now: Moment) {
        guard var coordinator, let ring = configuration.stepping?.ring else { return }
        coordinator.round += 1
        coordinator.phase = .busy
        coordinator.announced = nil
        self.coordinator = coordinator
        let groups = layout.groups.map { group in
            GroupPlan(
                name: group.name, parameterCount: UInt64(group.range.count), ring: ring, encoding: .float32,
                normaliser: .weight)
        }
        let plan = RoundPlan(
            number: RoundNumber(round: coordinator.round), kind: .train(coordinator.settings.train),
            model: coordinator.model, groups: groups, selection: coordinator.settings.selection,
            timeLeft: coordinator.settings.deadline, seed: coordinator.settings.seed)
        open(plan, until: now + coordinator.settings.deadline, membership, at: now)
    }

    mutating func rootCollected(
        _ number: RoundNumber, _ kind: RoundPlan.Kind, reached: Bool, reason: ReasonCode?, at now: Moment
    ) {
        guard let coordinator, let stepping = configuration.stepping else { return }
        if reached || kind == .evaluate {
            work(.step(number, stepping.optimizer, base: coordinator.model.digest))
        } else {
            roundFailed(reason ?? .belowQuorum, at: now)
        }
    }

    private mutating func roundFailed(_ reason: ReasonCode, at now: Moment) {
        coordinator?.roundEnded(failed: true, at: now)
        close(.failed(reason), then: .nextRound)
    }

    /// The sum of a round has become the next model; of a survey, only its metrics count.
    mutating func rootStepped(
        _ number: RoundNumber, _ model: ModelReference, _ totals: SumTotals, at now: Moment
    ) {
        guard let plan = collection?.plan, plan.number == number, coordinator != nil else { return }
        if plan.kind == .evaluate {
            report(.evaluated(round: number.round, distributed: true, metrics: totals.metrics))
            close(.committed(contributorCount: collection?.contributorCount ?? 0), then: .nextRound)
            return
        }
        coordinator?.roundEnded(failed: false, at: now)
        if let previous = coordinator?.model.digest, previous != model.digest { retired.append(previous) }
        coordinator?.model = model
        report(.stepped(number, model: model.digest))
        report(.trained(number, metrics: totals.metrics))
        journal(
            .stepped(
                JournalRecord.Step(
                    number: number, model: model, totals: totals,
                    contributorCount: collection?.contributorCount ?? 0, chosenCount: collection?.chosenCount ?? 0)))
    }

    /// A round has ended with a new model: saves it, and has it judged when that is due.
    mutating func evaluate(_ number: RoundNumber, _ membership: Membership, at now: Moment) {
        guard let coordinator else { return }
        work(.checkpoint(number, model: coordinator.model.digest))
        if coordinator.evaluationIsDue {
            work(.evaluate(number, model: coordinator.model.digest))
        } else {
            survey(number, membership, at: now)
        }
    }

    mutating func rootStepFailed(_ text: String, at now: Moment) {
        report(.refused(configuration.node, .notFinite, text: text))
        roundFailed(.notFinite, at: now)
    }

    /// The held-out metrics of a round's model are known.
    mutating func evaluated(
        _ number: RoundNumber, _ metrics: [MetricCounter], _ membership: Membership, at now: Moment
    ) {
        guard collection == nil else { return }
        if !metrics.isEmpty {
            report(.evaluated(round: number.round, distributed: false, metrics: metrics))
        }
        if let coordinator, coordinator.stops(at: metrics) {
            self.coordinator?.round = coordinator.settings.roundCount
        }
        survey(number, membership, at: now)
    }

    /// Has the devices evaluate the model when that is due, and goes on otherwise.
    private mutating func survey(_ number: RoundNumber, _ membership: Membership, at now: Moment) {
        guard let coordinator else { return }
        if coordinator.surveyIsDue {
            self.coordinator?.phase = .surveying
            let plan = RoundPlan(
                number: RoundNumber(round: number.round, edgeRound: 2), kind: .evaluate, model: coordinator.model,
                groups: [], selection: coordinator.settings.selection, timeLeft: coordinator.settings.deadline,
                seed: coordinator.settings.seed)
            open(plan, until: now + coordinator.settings.deadline, membership, at: now)
        } else {
            continueRun(membership, at: now)
        }
    }

    mutating func continueRun(_ membership: Membership, at now: Moment) {
        guard let coordinator else { return }
        work(.release(retired.filter { $0 != coordinator.model.digest }))
        retired = []
        if coordinator.isOver {
            endRun(membership)
        } else {
            self.coordinator?.phase = .gathering(since: nil)
            coordinate(membership, at: now)
        }
    }

    private mutating func endRun(_ membership: Membership) {
        coordinator?.phase = .finished
        for name in membership.names { toChild(name, .drain(Drain(reason: .stopped))) }
        report(.finished(nil))
        finish(nil)
    }
}
