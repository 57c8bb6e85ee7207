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
        /// Whether a round was opened below for it.
        var isOpened = false
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
        /// It is being written down, and leaves after that.
        indirect case writing(Answer)
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
    /// Rounds below this node that take nothing more, in order of number: the last few that ended, and those whose end
    /// is not known or not written down yet.
    var ended: [EndedRound] = []
    /// What the parent asked for in parts.
    var partAnswers: [SumKey: PartAnswer] = [:]
    /// The grant whose excluded contributions are being taken out.
    var takingOut: SumGrant?
    /// Records that are being written, except those of contributions.
    var writing: [JournalRecord] = []
    /// Records that found no space: nothing is promised before they are written.
    var unwritten: [JournalRecord] = []
    /// When they are tried again.
    var writesAgain: Moment?
    /// Whether the last contribution found no space.
    var isFull = false
    /// What the node remembered when it started again, until it goes on.
    var memory: RunMemory?
    /// When a node without its parent opens a round of its own, and how many it has opened.
    var islandDue: Moment?
    var islandCount: UInt32 = 0
    /// How often the parent said that the run is over while its word on a round was missing.
    var drainCount = 0
    /// Bodies to release when the round is closed.
    var bodies: [Digest] = []
    /// Whether no round was opened since the node started.
    var isFresh = true
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
    ///
    /// With a `memory` it goes on where the records of its journal end.
    package init(
        run: RunID, configuration: AggregatorConfiguration, layout: ParameterLayout, model: ModelReference? = nil,
        round: UInt32 = 0, memory: RunMemory? = nil
    ) {
        self.run = run
        self.configuration = configuration
        self.layout = layout
        self.memory = memory
        if let root = configuration.root, let model {
            coordinator = Coordinator(settings: root, model: model, round: round)
        }
    }

    /// The next moment at which `alarm` must be called.
    package var nextAlarm: Moment? {
        var due = [writesAgain, islandDue].compactMap(\.self).min()
        for round in ended {
            guard let next = round.retry.due else { continue }
            due = due.map { min($0, next) } ?? next
        }
        let next: Moment?
        if let collection, collection.phase == .collecting {
            next = collection.due
        } else {
            next = retry.due ?? coordinator?.gatheringEnds ?? gatherUntil
        }
        guard let next else { return due }
        return due.map { min($0, next) } ?? next
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

    /// Has a record written down; one of a contribution is asked for again by who sends it, others by this node.
    mutating func journal(_ record: JournalRecord) {
        switch record {
        case .updateAccepted, .sumAccepted: break
        default: writing.append(record)
        }
        work(.journal(record))
    }

    // MARK: Time and members

    /// Time has passed.
    package mutating func alarm(_ membership: Membership, at now: Moment) {
        writeAgain(at: now)
        if retry.isDue(at: now) { answerAgain(at: now) }
        askForEnds(at: now)
        openIsland(membership, at: now)
        for slot in collection?.remind(at: now) ?? [] { sendPlan(to: slot, at: now) }
        askForParts(nil)
        advance(membership, at: now)
        populationChanged(membership, at: now)
    }

    /// A child is welcome (again): it hears of the round that it has a part in.
    package mutating func joined(_ name: NodeName, _ membership: Membership, at now: Moment) {
        if let slot = collection?.slot(of: name) {
            if collection?.askAgain(slot, at: now) == true { sendPlan(to: slot, at: now) }
            askForParts(slot)
        } else {
            returned(name, membership, at: now)
        }
        populationChanged(membership, at: now)
    }

    /// A child is gone.
    package mutating func gone(_ name: NodeName, _ reason: ReasonCode, _ membership: Membership, at now: Moment) {
        if let slot = collection?.slot(of: name) {
            if collection?.phase == .collecting, collection?.members[slot].isOpen == true { drop(slot, reason) }
            dropParts(of: slot, membership, at: now)
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
        var plan = plan
        // The root has no siblings; sums of metrics pass through everywhere.
        plan.isStepping = configuration.stepping != nil && configuration.root == nil && plan.kind != .evaluate
        let members = chooseMembers(plan, membership, at: now)
        collection = Collection(
            plan: plan, openedAt: now, deadline: deadline, quorum: configuration.quorum, members: members)
        let asked = members.filter(\.isAggregator).map {
            JournalRecord.Asked(name: $0.name, chosenCount: $0.chosenCount)
        }
        // Waited for by nobody: what is accepted in the round is written down after it.
        journal(
            .opened(
                JournalRecord.Opening(
                    plan: plan, aggregators: asked, clientCount: UInt64(members.count - asked.count))))
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
        if case .count(_, let overSelect) = plan.selection, collection.isAggregator(slot) {
            plan.selection = .count(shares(in: collection)[slot] ?? 0, overSelect: overSelect)
        }
        return plan
    }

    /// The parts of a counted selection that fall to the sub-trees, by slot.
    private func shares(in collection: Collection) -> [Int: UInt64] {
        guard case .count(let count, _) = collection.plan.selection, collection.aggregatorCount > 0 else { return [:] }
        let slots = collection.members.indices.filter { collection.isAggregator($0) }
        let shares = Cohort.apportion(count, over: slots.map { collection.members[$0].chosenCount })
        return Dictionary(uniqueKeysWithValues: zip(slots, shares))
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
            if let share = shares.isEmpty ? nil : shares[slot] {
                plan.selection = .count(share, overSelect: plan.selection.overSelect)
                toChild(collection.members[slot].name, .plan(plan))
            } else {
                toChild(collection.members[slot].name, message)
            }
        }
    }

    mutating func sendPlan(to slot: Int, at now: Moment) {
        guard let collection else { return }
        toChild(collection.members[slot].name, .plan(plan(for: slot, in: collection, at: now)))
    }

    // MARK: Words

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
        guard let number = assignment?.plan.number, collection.map({ !Self.isIsland($0.plan.number) }) == true,
            var chosen = collection?.chosenCount,
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
