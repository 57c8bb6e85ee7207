// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
import TributaryTopology

// A node with a parent: takes plans, answers them with a sum (pass-through) or a voice (stepping).

extension RoundMachine {
    /// A message of the parent that concerns this run.
    package mutating func receiveFromParent(_ message: Message, _ membership: Membership, at now: Moment) {
        switch message {
        case .plan(let plan):
            endIsland()
            planArrived(plan, membership, at: now)
        case .sumGrant(let grant): granted(grant, membership, at: now)
        case .receipt(let receipt): receipted(receipt, at: now)
        case .roundClosed(let closed): parentClosed(closed)
        case .refuse(let refusal): parentRefused(refusal)
        case .wait(let wait): if let chance = answerChance { retry.wait(wait.retryAfter, at: now, chance) }
        case .drain(let drain): runEnded(drain.reason, membership, at: now)
        default: break
        }
    }

    /// The parent welcomed this node (again): it gets the answer that is still open.
    package mutating func parentWelcomed(at now: Moment) {
        endIsland()
        for round in ended where round.answer != nil { askForEnd(of: round.number, at: now) }
        repeatAnswer(at: now)
    }

    /// The link to the parent is down: nothing can be repeated before it is up again.
    package mutating func parentGone(at now: Moment) {
        becomeIsland(at: now)
        retry.stop()
        for place in ended.indices { ended[place].retry.stop() }
    }

    /// Gives the answer from its start: a parent that lost its state with the grant gets the names first, again.
    private mutating func repeatAnswer(at now: Moment) {
        if case .receipted(let given) = assignment?.answer { assignment?.answer = given }
        if case .sum = assignment?.answer, let offer = assignment?.offer { assignment?.answer = .offer(offer) }
        sendAnswer()
        if let chance = answerChance { retry.start(at: now, chance) }
    }

    /// No answer came to this node's own, or the parent asked for a pause that is over.
    mutating func answerAgain(at now: Moment) {
        guard let assignment, let chance = answerChance else {
            retry.stop()
            return
        }
        if case .receipted = assignment.answer {
            sendAnswer()
            awaitOutcome(at: now)
        } else if retry.wasAskedFor {
            repeatAnswer(at: now)
        } else {
            sendAnswer()
            retry.goOn(at: now, chance)
        }
    }

    /// Gives the parent a new answer to its plan, once it is written down: nothing is added to what it stands for.
    mutating func answer(_ answer: Answer, at now: Moment) {
        guard let message = answer.record else {
            assignment?.answer = answer
            return sendFirst(at: now)
        }
        assignment?.answer = .writing(answer)
        journal(.answered(message))
    }

    mutating func answerJournaled(_ number: RoundNumber, at now: Moment) {
        guard let assignment, assignment.plan.number == number, case .writing(let answer) = assignment.answer else {
            return
        }
        self.assignment?.answer = answer
        sendFirst(at: now)
    }

    private mutating func sendFirst(at now: Moment) {
        sendAnswer()
        if let chance = answerChance { retry.start(at: now, chance) }
    }

    private mutating func sendAnswer() {
        if let assignment { send(assignment.answer) }
    }

    private mutating func send(_ answer: Answer) {
        switch answer {
        case .offer(let offer): toParent(.sumOffer(offer))
        case .sum(let sum): toParent(.sum(sum))
        case .update(let update): toParent(.update(update))
        case .receipted(let given): send(given)
        case .pending, .writing, .done: break
        }
    }

    /// Asks how the round ended when that is long overdue, by giving the answer again.
    mutating func awaitOutcome(at now: Moment) {
        guard let assignment, let chance = answerChance else { return }
        retry.wait(max(Retry.longest, (assignment.deadline - now) * 2), at: now, chance)
    }

    /// What spreads this node's repetitions; `nil` while no answer waits for the parent's.
    private var answerChance: (seed: UInt64, number: RoundNumber, who: UInt64)? {
        guard let assignment else { return nil }
        switch assignment.answer {
        case .pending, .writing, .done: return nil
        case .offer, .sum, .update, .receipted: break
        }
        let (seed, number) = (assignment.plan.seed, assignment.plan.number)
        return (seed, number, ContributionName(node: configuration.node, number: number, seed: seed).low)
    }

    // MARK: Plans

    private mutating func planArrived(_ plan: RoundPlan, _ membership: Membership, at now: Moment) {
        if let assignment, plan.number == assignment.plan.number {
            repeatAnswer(at: now)
            // After a restart the model may be on its way no more.
            if case .pending = assignment.answer, !assignment.isOpened { fetchModel(of: plan) }
            return
        }
        if let assignment, plan.number < assignment.plan.number { return }
        guard ended.count(where: { $0.answer != nil }) < Self.unsettledCountMax else {
            report(.refused(configuration.node, .parentLate, text: "the parent owes the ends of too many rounds"))
            return
        }
        leaveRound(at: now)
        retry.stop()
        let weights = plan.groups.map { _ in UInt64(0) }
        assignment = Assignment(plan: plan, deadline: now + plan.timeLeft, model: plan.model, weights: weights)
        journal(.assigned(plan))
        fetchModel(of: plan)
    }

    mutating func fetchModel(of plan: RoundPlan) {
        guard let source = plan.model.sources.first(where: { $0.encoding == .float32 }) else { return }
        work(.fetch(source.object, from: .parent))
    }

    /// The parent has gone on: the round at hand fails, unless the parent may have its sum.
    private mutating func leaveRound(at now: Moment) {
        guard collection != nil else { return }
        if let told = assignment?.told {
            setAside(told, at: now)
        } else {
            close(.failed(.parentLate))
        }
    }

    mutating func modelArrived(_ digest: Digest, _ membership: Membership, at now: Moment) {
        guard let assignment, !assignment.isOpened, assignment.plan.model.digest == digest,
            case .pending = assignment.answer
        else { return }
        let unused = retired.filter { $0 != digest }
        retired = []
        if !unused.isEmpty { work(.release(unused)) }
        if isFresh { gatherUntil = now + .nanoseconds((assignment.deadline - now).nanoseconds / 2) }
        openWhenGathered(membership, at: now)
    }

    /// A node that has just started gives its children time to come (back) before its first round.
    mutating func openWhenGathered(_ membership: Membership, at now: Moment) {
        if let gatherUntil {
            let needed = configuration.quorum * Double(configuration.expectedClientCount)
            guard now >= gatherUntil || Double(membership.clientCount) >= needed else { return }
            self.gatherUntil = nil
        }
        guard collection == nil, let assignment, !assignment.isOpened, case .pending = assignment.answer else { return }
        isFresh = false
        self.assignment?.isOpened = true
        openNext(membership, at: now)
    }

    /// Opens the plan below, or the next edge round of it.
    mutating func openNext(_ membership: Membership, at now: Moment) {
        guard let assignment else { return }
        let left = max(.zero, assignment.deadline - now)
        var plan = assignment.plan
        if let stepping = configuration.stepping {
            plan.number = assignment.number(stepping)
            if plan.kind != .evaluate {
                plan.model = assignment.model
                plan.groups = plan.groups.map { group in
                    var group = group
                    group.ring = stepping.ring
                    return group
                }
                let rounds = stepping.edgeRounds - assignment.edgeRound + 1
                let share = DeadlineRule.edgeRound(
                    of: DeadlineRule.derived.timeOpen(timeLeft: left), edgeRoundsLeft: rounds)
                open(plan, until: now + share, membership, at: now)
                return
            }
        }
        open(plan, until: now + DeadlineRule.derived.timeOpen(timeLeft: left), membership, at: now)
    }
}
