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
        var metrics: [MetricCounter] = []
        /// Grows when the sum was offered with other names before.
        var revision: UInt32 = 1
        var answer = Answer.pending
    }

    /// What this node owes its parent for the plan at hand.
    enum Answer: Sendable {
        case pending
        case offer(SumOffer)
        case sum(Sum)
        case update(Update)
        case receipted
    }

    package let run: RunID
    let configuration: AggregatorConfiguration
    let layout: ParameterLayout
    var coordinator: Coordinator?
    var assignment: Assignment?
    var collection: Collection?
    /// The last round that was closed below this node.
    var closed: RoundNumber?
    /// Bodies to release when the round is closed.
    var bodies: [Digest] = []
    /// While set, the first round waits for children until this moment.
    var gatherUntil: Moment?
    /// The name list that stands in this node's offer.
    var offeredNames: ObjectReference?
    /// Models and voices of answered plans; released once the next plan's model is here.
    var retired: [Digest] = []
    var sequence: UInt64 = 0
    var actions: [RoundAction] = []

    /// The machine of one run; `model` is the initial one at the root, whose coordinator starts at once, else `nil`.
    package init(
        run: RunID, configuration: AggregatorConfiguration, layout: ParameterLayout, model: ModelReference? = nil
    ) {
        self.run = run
        self.configuration = configuration
        self.layout = layout
        if let root = configuration.root, let model {
            coordinator = Coordinator(settings: root, model: model)
        }
    }

    /// The next moment at which `alarm` must be called.
    package var nextAlarm: Moment? {
        if let collection, collection.phase == .collecting { return collection.deadline }
        return coordinator?.gatheringEnds ?? gatherUntil
    }

    /// The members that this node waits for: those that its driver should probe now and then.
    package var awaited: [NodeName] {
        guard let collection, collection.phase == .collecting else { return [] }
        return collection.names.filter { collection[$0]?.state == .asked || collection[$0]?.state == .granted }
    }

    /// Hands over the actions decided so far.
    package mutating func takeActions() -> [RoundAction] {
        defer { actions = [] }
        return actions
    }

    // MARK: Time and members

    /// Time has passed.
    package mutating func alarm(_ membership: Membership, at now: Moment) {
        advance(membership, at: now)
        populationChanged(membership, at: now)
    }

    /// A child is welcome (again): it hears of the round that it has a part in.
    package mutating func joined(_ child: Child, _ membership: Membership, at now: Moment) {
        if collection?.askAgain(child.name) == true { sendPlan(to: child.name, at: now) }
        populationChanged(membership, at: now)
    }

    /// A child is gone.
    package mutating func gone(_ name: NodeName, _ reason: ReasonCode, _ membership: Membership, at now: Moment) {
        if let member = collection?[name], collection?.phase == .collecting {
            switch member.state {
            case .asked, .offered, .granted: drop(name, reason)
            case .folding, .accepted, .out: break
            }
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
        let collection = Collection(
            plan: plan, deadline: deadline, quorum: configuration.quorum, members: members)
        self.collection = collection
        actions.append(.work(.begin(plan.number, plan.groups)))
        actions.append(
            .report(
                .roundOpened(
                    plan.number, evaluate: plan.kind == .evaluate, chosen: collection.chosenCount)))
        for name in collection.names { sendPlan(to: name, at: now) }
        reportProgress()
        advance(membership, at: now)
    }

    private func chooseMembers(
        _ plan: RoundPlan, _ membership: Membership, at now: Moment
    ) -> [NodeName: Collection.Member] {
        var members: [NodeName: Collection.Member] = [:]
        for child in membership.allAggregators where child.clientCount > 0 {
            members[child.name] = Collection.Member(role: .aggregator, chosenCount: child.clientCount)
        }
        let chosen = membership.clients.choose(plan.selection, round: plan.number.round, seed: plan.seed, at: now)
        for chosen in chosen { members[chosen.name] = Collection.Member(role: .client(chosen.client), chosenCount: 1) }
        return members
    }

    private mutating func sendPlan(to name: NodeName, at now: Moment) {
        guard let collection, collection[name] != nil else { return }
        var plan = collection.plan
        plan.timeLeft = max(.zero, collection.deadline - now)
        plan.selection = share(of: plan.selection, for: name, in: collection)
        actions.append(.toChild(name, .plan(plan)))
    }

    /// The part of a counted selection that falls to one sub-tree.
    private func share(of selection: Selection, for name: NodeName, in collection: Collection) -> Selection {
        guard case .count(let count, let overSelect) = selection else { return selection }
        let aggregators = collection.names.filter { collection[$0]?.role == .aggregator }
        guard let position = aggregators.firstIndex(of: name) else { return selection }
        let populations = aggregators.map { collection[$0]?.chosenCount ?? 0 }
        return .count(Cohort.apportion(count, over: populations)[position], overSelect: overSelect)
    }

    // MARK: Closing

    /// Drops who need not be waited for any more, and moves on when the collection is complete.
    mutating func advance(_ membership: Membership, at now: Moment) {
        guard collection != nil, collection?.phase != .closed else { return }
        for (name, reason) in collection?.advance(at: now) ?? [] { dismiss(name, reason) }
        guard let collection, collection.phase == .closed else { return }
        let reached = collection.meetsQuorum
        let reason: ReasonCode? = reached ? nil : (collection.endedBy ?? .belowQuorum)
        actions.append(
            .report(
                .roundCollected(
                    collection.plan.number, reported: collection.contributorCount, chosen: collection.chosenCount,
                    reason: reason)))
        reportProgress()
        collected(collection, reached: reached, reason: reason, membership, at: now)
    }

    private mutating func collected(
        _ collection: Collection, reached: Bool, reason: ReasonCode?, _ membership: Membership, at now: Moment
    ) {
        if coordinator != nil {
            rootCollected(collection, reached: reached, reason: reason, membership, at: now)
        } else if let stepping = configuration.stepping, collection.plan.kind != .evaluate {
            edgeRoundCollected(collection, stepping, reached: reached, reason: reason, membership, at: now)
        } else {
            offerSum(collection, reason: reason)
        }
    }

    /// Tells everybody who had a part in the round how it ended, and lets go of its bodies.
    mutating func close(_ outcome: RoundClosed.Outcome) {
        guard let collection else { return }
        let number = collection.plan.number
        for name in collection.names {
            actions.append(.toChild(name, .roundClosed(RoundClosed(number: number, outcome: outcome))))
        }
        actions.append(.report(.roundClosed(number, outcome)))
        actions.append(.work(.release(bodies)))
        bodies = []
        closed = number
        self.collection = nil
    }

    /// Ends what is left of the run: a new run has begun.
    package mutating func abandon() {
        if collection != nil { close(.failed(.stopped)) }
    }

    /// Marks a member as out of the round.
    mutating func drop(_ name: NodeName, _ reason: ReasonCode) {
        guard let collection, let member = collection[name] else { return }
        for object in [member.update?.body, member.offer?.names, member.sum?.body] {
            if let object { actions.append(.work(.cancel(object.digest, from: .child(name)))) }
        }
        self.collection?.giveBack(member.names)
        self.collection?.update(name) {
            $0.state = .out(reason)
            $0.names = []
        }
        actions.append(.report(.dropped(name, collection.plan.number, reason)))
    }

    /// Drops a member and tells it why.
    private mutating func dismiss(_ name: NodeName, _ reason: ReasonCode) {
        let member = collection?[name]
        drop(name, reason)
        guard let member else { return }
        if let update = member.update {
            refuse(name, .update(update.key), reason, "the round went on without this update")
        } else if let offer = member.offer {
            refuse(name, .sum(offer.key), reason, "the round went on without this sum")
        }
    }

    mutating func refuse(_ name: NodeName, _ subject: Refuse.Subject, _ reason: ReasonCode, _ text: String) {
        actions.append(.report(.refused(name, reason, text: text)))
        actions.append(.toChild(name, .refuse(Refuse(subject: subject, reason: reason, text: text))))
    }

    /// Says upwards how far the round below has come.
    mutating func reportProgress() {
        guard let assignment, let collection else { return }
        actions.append(
            .toParent(
                .working(
                    Working(
                        number: assignment.plan.number, chosenCount: collection.chosenCount,
                        reportedCount: collection.progressCount, permille: 0))))
    }
}
