// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
package import TributaryRing

/// One run at one aggregator: opens a round below the node, collects it, and hands the result on.
///
/// Where the result goes is the only difference between the tiers. A pass-through node offers its sum to the parent;
/// a stepping node steps its own model, `edgeRounds` times, and sends one voice; the root steps the model and asks
/// its coordinator what comes next.
package struct RoundMachine: Sendable {
    /// A plan from the parent, and how far this node's answer to it has come.
    struct Assignment: Sendable {
        let plan: RoundPlan
        let deadline: Moment
        /// The edge round under way at a stepping node, starting at 1.
        var edgeRound: UInt32 = 1
        /// The model of the next edge round.
        var model: ModelReference
        /// The largest total weight of an edge round, per group: the weight of the voice.
        var weights: [UInt64] = []
        /// The most clients that were chosen for, and that contributed to, an edge round: what the voice speaks for.
        var chosenCount: UInt64 = 0
        var contributorCount: UInt64 = 0
        var metrics: [MetricCounter] = []
        /// Grows when the sum was offered with other names before.
        var revision: UInt32 = 1
        var answer = Answer.pending
        /// What was offered last: where an answer starts when it is given again.
        var offer: SumOffer?
    }

    /// What this node owes its parent for the plan at hand.
    enum Answer: Sendable {
        case pending
        case offer(SumOffer)
        case sum(Sum)
        case update(Update)
        /// The parent has it; what is missing is how the round ends.
        indirect case receipted(Answer)
        /// The round is over for this node.
        case done
    }

    package let run: RunID
    let configuration: AggregatorConfiguration
    let layout: ParameterLayout
    var coordinator: Coordinator?
    var assignment: Assignment?
    var collection: Collection?
    /// How the last round below this node ended.
    var closed: RoundClosed?
    /// The aggregators that had a part in it: they may ask how it ended.
    var closedMembers: Set<NodeName> = []
    /// Bodies to release when the round is closed.
    var bodies: [Digest] = []
    /// While set, the first round waits for children until this moment.
    var gatherUntil: Moment?
    /// Models and voices of answered plans; released once the next plan's model is here.
    var retired: [Digest] = []
    var sequence: UInt64 = 0
    /// When the answer to the parent is sent again.
    var retry = Retry()
    /// What `nextAlarm` said after the last event.
    var due: Moment?
    /// The epoch that messages bear.
    var epoch = TopologyEpoch(1)
    /// What was decided; the aggregator's machine lends its buffer for the time of an event.
    var actions: [AggregatorAction] = []

    /// The machine of one run; `model` is set at the root alone, whose coordinator starts at once after `round`.
    package init(
        run: RunID, configuration: AggregatorConfiguration, layout: ParameterLayout, model: ModelReference? = nil,
        round: UInt32 = 0
    ) {
        self.run = run
        self.configuration = configuration
        self.layout = layout
        if let root = configuration.root, let model {
            coordinator = Coordinator(settings: root, model: model, round: round)
        }
    }

    /// The next moment at which `alarm` must be called.
    package var nextAlarm: Moment? {
        if let collection, collection.phase == .collecting {
            return collection.reminder.map { min($0, collection.deadline) } ?? collection.deadline
        }
        return retry.due ?? coordinator?.gatheringEnds ?? gatherUntil
    }

    /// The members that this node waits for: those that its driver should probe now and then.
    package var awaited: [NodeName] {
        guard let collection, collection.phase == .collecting else { return [] }
        return collection.members.lazy.filter { $0.state == .asked || $0.state == .granted }.map(\.name)
    }

    // MARK: Actions

    mutating func toParent(_ message: Message) {
        actions.append(.send(Envelope(run: run, epoch: epoch, message: message), to: .parent))
    }

    mutating func toChild(_ name: NodeName, _ message: Message) {
        actions.append(.send(Envelope(run: run, epoch: epoch, message: message), to: .child(name)))
    }

    mutating func work(_ work: RoundWork) { actions.append(.work(run, work)) }

    mutating func report(_ event: TelemetryEvent) { actions.append(.report(event)) }

    mutating func finish(_ reason: ReasonCode?) { actions.append(.finish(reason)) }

    // MARK: Time and members

    /// Time has passed.
    package mutating func alarm(_ membership: Membership, at now: Moment) {
        if retry.isDue(at: now) { answerAgain(at: now) }
        for slot in collection?.remind(at: now) ?? [] { sendPlan(to: slot, at: now) }
        advance(membership, at: now)
        populationChanged(membership, at: now)
    }

    /// A child is welcome (again): it hears of the round that it has a part in.
    package mutating func joined(_ name: NodeName, _ membership: Membership, at now: Moment) {
        if let slot = collection?.slot(of: name), collection?.askAgain(slot, at: now) == true {
            sendPlan(to: slot, at: now)
        }
        populationChanged(membership, at: now)
    }

    /// A child is gone.
    package mutating func gone(_ name: NodeName, _ reason: ReasonCode, _ membership: Membership, at now: Moment) {
        if let slot = collection?.slot(of: name), collection?.phase == .collecting,
            collection?.members[slot].isOpen == true
        {
            drop(slot, reason)
        }
        advance(membership, at: now)
        coordinate(membership, at: now)
    }

    /// The number of clients below has changed.
    package mutating func populationChanged(_ membership: Membership, at now: Moment) {
        if gatherUntil != nil { openWhenGathered(membership, at: now) }
        coordinate(membership, at: now)
    }

    // MARK: Opening

    /// Opens a round below this node.
    mutating func open(_ plan: RoundPlan, until deadline: Moment, _ membership: Membership, at now: Moment) {
        let members = chooseMembers(plan, membership, at: now)
        collection = Collection(
            plan: plan, openedAt: now, deadline: deadline, quorum: configuration.quorum, members: members)
        work(.begin(plan.number, plan.groups))
        report(
            .roundOpened(
                plan.number, evaluate: plan.kind == .evaluate, chosen: members.reduce(0) { $0 + $1.chosenCount }))
        sendPlans(at: now)
        reportProgress(at: now)
        advance(membership, at: now)
    }

    private func chooseMembers(
        _ plan: RoundPlan, _ membership: Membership, at now: Moment
    ) -> [Collection.Member] {
        let chosen = membership.clients.choose(plan.selection, round: plan.number.round, seed: plan.seed, at: now)
        return membership.allAggregators.filter { $0.clientCount > 0 }.map {
            Collection.Member(aggregator: $0.name, chosenCount: $0.clientCount)
        } + chosen.map { Collection.Member(client: $0.name) }
    }

    /// The plan as one member gets it.
    private func plan(for slot: Int, in collection: Collection, at now: Moment) -> RoundPlan {
        var plan = collection.plan
        plan.timeLeft = max(.zero, collection.deadline - now)
        if case .count(_, let overSelect) = plan.selection, slot < collection.aggregatorCount {
            plan.selection = .count(shares(in: collection)[slot], overSelect: overSelect)
        }
        return plan
    }

    /// The parts of a counted selection that fall to the sub-trees.
    private func shares(in collection: Collection) -> [UInt64] {
        guard case .count(let count, _) = collection.plan.selection else { return [] }
        return Cohort.apportion(
            count, over: collection.members.prefix(collection.aggregatorCount).map(\.chosenCount))
    }

    /// Sends everybody the plan: one message for all the clients, and one with its share for each sub-tree.
    private mutating func sendPlans(at now: Moment) {
        guard let collection else { return }
        let shares = shares(in: collection)
        var plan = collection.plan
        plan.timeLeft = max(.zero, collection.deadline - now)
        let message = Message.plan(plan)
        actions.reserveCapacity(actions.count + collection.members.count + 2)
        for slot in collection.members.indices {
            if slot < shares.count {
                plan.selection = .count(shares[slot], overSelect: plan.selection.overSelect)
                toChild(collection.members[slot].name, .plan(plan))
            } else {
                toChild(collection.members[slot].name, message)
            }
        }
    }

    private mutating func sendPlan(to slot: Int, at now: Moment) {
        guard let collection else { return }
        toChild(collection.members[slot].name, .plan(plan(for: slot, in: collection, at: now)))
    }

    // MARK: Closing

    /// Drops who need not be waited for any more, and moves on when the collection is complete.
    mutating func advance(_ membership: Membership, at now: Moment) {
        guard collection != nil, collection?.phase != .closed else { return }
        if let ended = collection?.advance(at: now) {
            for slot in ended.slots { dismiss(slot, ended.reason) }
            collection?.settle()
        }
        if collection?.phase == .closed { collected(membership, at: now) }
    }

    /// Everything that will come is in the sum.
    private mutating func collected(_ membership: Membership, at now: Moment) {
        guard let number = collection?.plan.number, let chosen = collection?.chosenCount,
            let contributors = collection?.contributorCount, let kind = collection?.plan.kind
        else { return }
        let reached = collection?.meetsQuorum == true
        let reason: ReasonCode? = reached ? nil : (collection?.endedBy ?? .belowQuorum)
        report(.roundCollected(number, reported: contributors, chosen: chosen, reason: reason))
        reportProgress(isLast: true, at: now)
        if coordinator != nil {
            rootCollected(number, kind, reached: reached, reason: reason, membership, at: now)
        } else if let stepping = configuration.stepping, kind != .evaluate {
            edgeRoundCollected(number, stepping, reached: reached, reason: reason, membership, at: now)
        } else {
            offerSum(reason: reason, at: now)
        }
    }

    /// Tells everybody who had a part in the round how it ended, and lets go of its bodies.
    mutating func close(_ outcome: RoundClosed.Outcome) {
        guard let collection else { return }
        let number = collection.plan.number
        let end = RoundClosed(number: number, outcome: outcome)
        let message = Message.roundClosed(end)
        actions.reserveCapacity(actions.count + collection.members.count + 2)
        for slot in collection.members.indices { toChild(collection.members[slot].name, message) }
        report(.roundClosed(number, outcome))
        work(.release(bodies))
        bodies = []
        closed = end
        closedMembers = Set(
            collection.members.prefix(collection.aggregatorCount).filter {
                $0.state == .accepted
            }.map(\.name))
        self.collection = nil
    }

    /// Ends what is left of the run: a new run has begun.
    package mutating func abandon() {
        if collection != nil { close(.failed(.stopped)) }
    }

    /// Marks a member as out of the round.
    mutating func drop(_ slot: Int, _ reason: ReasonCode) {
        guard let name = collection?.members[slot].name, let number = collection?.plan.number else { return }
        switch collection?.members[slot].answer {
        case .update(let update):
            if let body = update.body { work(.cancel(body.digest, from: .child(name))) }
        case .sum(let offered):
            if let names = offered.offer.names { work(.cancel(names.digest, from: .child(name))) }
            if let body = offered.sum?.body { work(.cancel(body.digest, from: .child(name))) }
        case .none?, nil: break
        }
        collection?.giveBack(slot)
        collection?.update(slot) { member in
            member.state = .out(reason)
            if case .sum(var offered) = member.answer {
                offered.names = []
                member.answer = .sum(offered)
            }
        }
        report(.dropped(name, number, reason))
    }

    /// Drops a member and tells it why.
    private mutating func dismiss(_ slot: Int, _ reason: ReasonCode) {
        drop(slot, reason)
        guard let name = collection?.members[slot].name, let subject = collection?.members[slot].subject else { return }
        if case .update = subject {
            refuse(name, subject, reason, "the round went on without this update")
        } else {
            refuse(name, subject, reason, "the round went on without this sum")
        }
    }

    mutating func refuse(_ name: NodeName, _ subject: Refuse.Subject, _ reason: ReasonCode, _ text: String) {
        report(.refused(name, reason, text: text))
        toChild(name, .refuse(Refuse(subject: subject, reason: reason, text: text)))
    }

    /// How often at most a node says how many have reported, besides at the start and at the end of a round.
    private static let progressPause = Duration.seconds(1)

    /// Says upwards how far the round below has come.
    ///
    /// Who was chosen is said when it has changed by a hundredth, because the parent's quorum depends on it; what was
    /// reported is for people, and only said now and then.
    mutating func reportProgress(isLast: Bool = false, at now: Moment) {
        guard let number = assignment?.plan.number, var chosen = collection?.chosenCount,
            var reported = collection?.progressCount
        else { return }
        // A voice speaks for all that had a part in one of its edge rounds, whoever is away in the last.
        chosen = max(chosen, assignment?.chosenCount ?? 0)
        reported = max(reported, assignment?.contributorCount ?? 0)
        if !isLast, let said = collection?.said {
            let hundredth = max(1, (chosen + 99) / 100)
            guard
                distance(said.chosen, chosen) >= hundredth
                    || distance(said.reported, reported) >= hundredth && now - said.at >= Self.progressPause
            else { return }
        }
        collection?.said = (chosen, reported, now)
        toParent(.working(Working(number: number, chosenCount: chosen, reportedCount: reported, permille: 0)))
    }

    private func distance(_ one: UInt64, _ other: UInt64) -> UInt64 { one > other ? one - other : other - one }
}
