// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
import TributaryTopology

// A node with a parent: takes plans, answers them with a sum (pass-through) or a voice (stepping).

extension RoundMachine {
    /// A message of the parent that concerns this run.
    package mutating func receiveFromParent(_ message: Message, _ membership: Membership, at now: Moment) {
        switch message {
        case .plan(let plan): planArrived(plan, at: now)
        case .sumGrant(let grant): granted(grant, at: now)
        case .receipt(let receipt): receipted(receipt, at: now)
        case .roundClosed(let closed): parentClosed(closed)
        case .refuse(let refusal): parentRefused(refusal)
        case .wait(let wait): if let chance = answerChance { retry.wait(wait.retryAfter, at: now, chance) }
        case .drain(let drain): runEnded(drain.reason, membership)
        default: break
        }
    }

    /// The parent welcomed this node (again): it gets the answer that is still open.
    package mutating func parentWelcomed(at now: Moment) { repeatAnswer(at: now) }

    /// The link to the parent is down: nothing can be repeated before it is up again.
    package mutating func parentGone() { retry.stop() }

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

    /// Gives the parent a new answer to its plan.
    private mutating func answer(_ answer: Answer, at now: Moment) {
        assignment?.answer = answer
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
        case .pending, .done: break
        }
    }

    /// Asks how the round ended when that is long overdue, by giving the answer again.
    private mutating func awaitOutcome(at now: Moment) {
        guard let assignment, let chance = answerChance else { return }
        retry.wait(max(Retry.longest, (assignment.deadline - now) * 2), at: now, chance)
    }

    /// What spreads this node's repetitions; `nil` while no answer waits for the parent's.
    private var answerChance: (seed: UInt64, number: RoundNumber, who: UInt64)? {
        guard let assignment else { return nil }
        switch assignment.answer {
        case .pending, .done: return nil
        case .offer, .sum, .update, .receipted: break
        }
        let (seed, number) = (assignment.plan.seed, assignment.plan.number)
        return (seed, number, ContributionName(node: configuration.node, number: number, seed: seed).low)
    }

    // MARK: Plans

    private mutating func planArrived(_ plan: RoundPlan, at now: Moment) {
        if let assignment, plan.number == assignment.plan.number {
            repeatAnswer(at: now)
            return
        }
        if let assignment, plan.number < assignment.plan.number { return }
        if collection != nil { close(.failed(.parentLate)) }
        retry.stop()
        let weights = plan.groups.map { _ in UInt64(0) }
        assignment = Assignment(plan: plan, deadline: now + plan.timeLeft, model: plan.model, weights: weights)
        guard let source = plan.model.sources.first(where: { $0.encoding == .float32 }) else { return }
        work(.fetch(source.object, from: .parent))
    }

    mutating func modelArrived(_ digest: Digest, _ membership: Membership, at now: Moment) {
        guard let assignment, collection == nil, assignment.plan.model.digest == digest,
            case .pending = assignment.answer
        else { return }
        let unused = retired.filter { $0 != digest }
        retired = []
        if !unused.isEmpty { work(.release(unused)) }
        if closed == nil { gatherUntil = now + .nanoseconds((assignment.deadline - now).nanoseconds / 2) }
        openWhenGathered(membership, at: now)
    }

    /// A node that has just started gives its children time to come (back) before its first round.
    mutating func openWhenGathered(_ membership: Membership, at now: Moment) {
        if let gatherUntil {
            let needed = configuration.quorum * Double(configuration.expectedClientCount)
            guard now >= gatherUntil || Double(membership.clientCount) >= needed else { return }
            self.gatherUntil = nil
        }
        guard collection == nil, let assignment, case .pending = assignment.answer else { return }
        openNext(membership, at: now)
    }

    /// Opens the plan below, or the next edge round of it.
    private mutating func openNext(_ membership: Membership, at now: Moment) {
        guard let assignment else { return }
        let left = max(.zero, assignment.deadline - now)
        var plan = assignment.plan
        if let stepping = configuration.stepping {
            let before = (plan.number.edgeRound - 1) * stepping.edgeRounds
            plan.number = RoundNumber(round: plan.number.round, edgeRound: before + assignment.edgeRound)
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

    // MARK: Stepping

    mutating func edgeRoundCollected(
        _ number: RoundNumber, _ stepping: AggregatorConfiguration.Stepping, reached: Bool, reason: ReasonCode?,
        _ membership: Membership, at now: Moment
    ) {
        guard let assignment, let chosen = collection?.chosenCount else { return }
        self.assignment?.chosenCount = max(assignment.chosenCount, chosen)
        if reached {
            work(.step(number, stepping.optimizer, base: assignment.model.digest))
        } else {
            close(.failed(reason ?? .belowQuorum))
            nextEdgeRound(stepping, membership, at: now)
        }
    }

    mutating func edgeStepped(
        _ model: ModelReference, _ totals: SumTotals, _ membership: Membership, at now: Moment
    ) {
        guard let stepping = configuration.stepping, let collection, var assignment else { return }
        let number = collection.plan.number
        let previous = assignment.model.digest
        if previous != assignment.plan.model.digest, previous != model.digest { bodies.append(previous) }
        assignment.model = model
        assignment.metrics = totals.metrics
        assignment.weights = zip(assignment.weights, totals.weights).map { max($0, $1) }
        assignment.contributorCount = max(assignment.contributorCount, collection.contributorCount)
        self.assignment = assignment
        report(.stepped(number, model: model.digest))
        close(.committed(contributorCount: collection.contributorCount))
        nextEdgeRound(stepping, membership, at: now)
    }

    mutating func edgeStepFailed(_ text: String, _ membership: Membership, at now: Moment) {
        guard let stepping = configuration.stepping else { return }
        report(.refused(configuration.node, .notFinite, text: text))
        close(.failed(.notFinite))
        nextEdgeRound(stepping, membership, at: now)
    }

    private mutating func nextEdgeRound(
        _ stepping: AggregatorConfiguration.Stepping, _ membership: Membership, at now: Moment
    ) {
        guard var assignment else { return }
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

    // MARK: Passing through

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
    private mutating func sendOffer(
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

    private mutating func granted(_ grant: SumGrant, at now: Moment) {
        guard case .offer(let offer) = assignment?.answer, offer.key == grant.key, collection != nil else { return }
        guard takeOut(Set(grant.exclude)) else {
            work(.sealSum(grant.key))
            return
        }
        assignment?.revision += 1
        offerSum(reason: .duplicate, at: now)
    }

    /// Takes excluded contributions out of the sum: an update exactly, a child's sum as a whole.
    ///
    /// - Returns: whether the sum now stands for other names than were granted, so that it must be offered anew.
    private mutating func takeOut(_ excluded: Set<ContributionName>) -> Bool {
        guard !excluded.isEmpty, let collection else { return false }
        var updates: [UpdateKey] = []
        var sums: [SumKey] = []
        for slot in collection.members.indices where collection.names(of: slot).contains(where: excluded.contains) {
            if let key = collection.sumKey(of: slot) { sums.append(key) }
            if let key = collection.updateKey(of: slot) { updates.append(key) }
            drop(slot, .duplicate)
        }
        if !updates.isEmpty || !sums.isEmpty { work(.takeOut(updates, sums: sums)) }
        return !sums.isEmpty || self.collection?.contributorCount == 0
    }

    mutating func sumSealed(
        _ key: SumKey, _ groups: [Sum.Group], _ metrics: [MetricCounter], _ body: ObjectReference?, at now: Moment
    ) {
        guard let assignment, let collection, key == sumKey else { return }
        if let body { bodies.append(body.digest) }
        let sum = Sum(
            key: key, base: assignment.plan.model.digest, contributorCount: collection.contributorCount,
            contributionCount: collection.contributionCount, groups: groups, metrics: metrics, body: body,
            attestationByteCount: (body?.byteCount ?? 0) - groups.reduce(0) { $0 + $1.byteCount })
        answer(.sum(sum), at: now)
    }

    // MARK: The end of the parent's round

    private mutating func receipted(_ receipt: Receipt, at now: Moment) {
        guard let answer = assignment?.answer else { return }
        switch (answer, receipt.subject) {
        // A parent that has the sum says so to its names, too.
        case (.offer(let offer), .sum(let key)) where offer.key == key: break
        case (.sum(let sum), .sum(let key)) where sum.key == key: break
        case (.update(let update), .update(let key)) where update.key == key: break
        default: return
        }
        assignment?.answer = .receipted(answer)
        awaitOutcome(at: now)
    }

    private mutating func answered() {
        assignment?.answer = .done
        retry.stop()
    }

    private mutating func parentRefused(_ refusal: Refuse) {
        report(.refused(configuration.node, refusal.reason, text: refusal.text))
        switch (assignment?.answer, refusal.subject) {
        case (.offer(let offer), .sum(let key)) where offer.key == key: break
        case (.sum(let sum), .sum(let key)) where sum.key == key: break
        case (.update(let update), .update(let key)) where update.key == key: break
        default: return
        }
        answered()
        close(.failed(refusal.reason))
    }

    private mutating func parentClosed(_ parent: RoundClosed) {
        guard let assignment, assignment.plan.number == parent.number else { return }
        if collection?.phase == .closed {
            close(parent.outcome)
        } else if collection != nil {
            close(.failed(.parentLate))
        }
        var finished: [Digest] = [assignment.plan.model.digest]
        if assignment.model.digest != assignment.plan.model.digest { finished.append(assignment.model.digest) }
        if let body = assignment.answer.voice { finished.append(body.digest) }
        // The next plan's base may be any model; what is held now is let go when that plan has come.
        retired += finished
        answered()
    }

    private mutating func runEnded(_ reason: ReasonCode, _ membership: Membership) {
        if collection != nil { close(.failed(.stopped)) }
        for name in membership.names { toChild(name, .drain(Drain(reason: reason))) }
        toParent(.leave(Leave(reason: reason)))
        report(.finished(reason))
        finish(reason)
    }
}

extension RoundMachine.Answer {
    /// The body of a stepping node's own update.
    fileprivate var voice: ObjectReference? {
        switch self {
        case .update(let update): update.body
        case .receipted(let given): given.voice
        case .pending, .offer, .sum, .done: nil
        }
    }
}
