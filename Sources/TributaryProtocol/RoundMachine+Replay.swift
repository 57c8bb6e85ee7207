// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

// A node that starts again: the same round goes on, with everything that has a receipt in its sum.

extension RoundMachine {
    /// Goes on where the journal ends; asks for the sum of what is accepted before anything else.
    mutating func resume(at now: Moment) {
        guard let memory else { return }
        self.memory = nil
        sequence = memory.sequence
        ended = memory.closed.map(EndedRound.init)
        restoreAssignment(memory, at: now)
        guard let last = memory.open.last else { return resumeBetweenRounds(memory, at: now) }
        for round in memory.open.dropLast() { restoreAside(round, at: now) }
        restore(last, memory, at: now)
    }

    private mutating func restoreAssignment(_ memory: RunMemory, at now: Moment) {
        guard coordinator == nil, let plan = memory.assigned else { return restoreCoordinator(memory, at: now) }
        var assignment = Assignment(
            plan: plan, deadline: now + plan.timeLeft, model: plan.model, weights: plan.groups.map { _ in 0 })
        for step in memory.steps { assignment.take(step) }
        switch memory.answer {
        case .sumOffer(let offer)?:
            assignment.answer = .offer(offer)
            assignment.offer = offer
            assignment.revision = offer.key.revision
        case .update(let update)?: assignment.answer = .update(update)
        default: break
        }
        let numbers = memory.open.map(\.number) + memory.closed.map(\.number)
        let latest = numbers.filter { !Self.isIsland($0) }.max()
        if let latest, latest.round == plan.number.round {
            let stepping = configuration.stepping?.edgeRounds ?? 1
            let first = (plan.number.edgeRound - 1) * stepping + 1
            assignment.isOpened = latest.edgeRound >= first
            assignment.edgeRound = max(1, latest.edgeRound + 1 - min(latest.edgeRound, first - 1) - 1)
        }
        // The parent has told how its round ended, and no other has come.
        if memory.open.isEmpty, configuration.stepping == nil, memory.closed.last?.number == plan.number {
            assignment.answer = .done
        }
        self.assignment = assignment
    }

    private mutating func restoreCoordinator(_ memory: RunMemory, at now: Moment) {
        guard coordinator != nil else { return }
        if let step = memory.steps.last { coordinator?.model = step.model }
        let latest = (memory.open.map(\.number) + memory.closed.map(\.number)).max()
        if let latest { coordinator?.round = latest.round }
    }

    // MARK: The open round

    private mutating func restore(_ round: RunMemory.OpenRound, _ memory: RunMemory, at now: Moment) {
        let plan = round.opening.plan
        if coordinator != nil {
            coordinator?.phase = plan.kind == .evaluate ? .surveying : .busy
        } else if !isOfAssignment(plan) {
            // No parent was told anything of it.
            collection = restored(round, at: now)
            return close(.failed(.parentLate))
        }
        collection = restored(round, at: now)
        addAgain(round)
        report(.roundResumed(plan.number, reported: collection?.contributorCount ?? 0))
        if let step = memory.steps.last, step.number == plan.number {
            collection?.phase = .closed
            // The step is written down: the round ends as it does.
            journal(.stepped(step))
        } else if let answer = assignment?.answer, case .offer = answer {
            collection?.phase = .closed
        }
    }

    private func isOfAssignment(_ plan: RoundPlan) -> Bool {
        guard let assignment else { return false }
        if let stepping = configuration.stepping { return plan.number == assignment.number(stepping) }
        return plan.number == assignment.plan.number
    }

    /// A round whose answer the parent has: its word is asked for.
    private mutating func restoreAside(_ round: RunMemory.OpenRound, at now: Moment) {
        collection = restored(round, at: now)
        bodies = Self.bodies(of: round)
        if let answer = round.answer {
            setAside(answer, at: now)
        } else {
            close(.failed(.parentLate))
        }
    }

    private func restored(_ round: RunMemory.OpenRound, at now: Moment) -> Collection {
        let plan = round.opening.plan
        var members = round.opening.aggregators.map { asked in
            var member = Collection.Member(aggregator: asked.name, chosenCount: asked.chosenCount)
            member.state = .out(.lost)
            return member
        }
        let known = Set(members.map(\.name))
        let updates = round.updates.values.map { ($0, Collection.State.accepted) }
        let taken = round.takenUpdates.values.map { ($0, Collection.State.excluded) }
        for (update, state) in (updates + taken).sorted(by: { $0.0.key.node < $1.0.key.node }) {
            members.removeAll { $0.name == update.key.node }
            members.append(Self.member(update, state))
        }
        let late = Set(round.sums.keys.map(\.node) + round.takenSums.keys.map(\.node)).subtracting(known)
        members += late.sorted().map { Collection.Member(aggregator: $0, chosenCount: 0) }
        var collection = Collection(
            plan: plan, restoredAt: now, deadline: now + plan.timeLeft, quorum: configuration.quorum,
            members: members, askedCount: round.opening.clientCount,
            hold: now + .nanoseconds(plan.timeLeft.nanoseconds / 2))
        for sum in round.sums.values { collection.restore(sum, .accepted) }
        for sum in round.takenSums.values { collection.restore(sum, .excluded) }
        for part in round.subtracted.values { collection.restorePart(part, .subtract) }
        collection.restoreHolders()
        return collection
    }

    private static func member(_ update: Update, _ state: Collection.State) -> Collection.Member {
        var member =
            if let voice = update.voice {
                Collection.Member(aggregator: update.key.node, chosenCount: voice.chosenCount)
            } else {
                Collection.Member(client: update.key.node)
            }
        member.state = state
        member.answer = .update(update)
        member.reportedCount = update.voice?.contributorCount ?? 1
        return member
    }

    private static func bodies(of round: RunMemory.OpenRound) -> [Digest] {
        let updates = [round.updates, round.takenUpdates].flatMap { $0.values.map(\.body) }
        let sums = [round.sums, round.takenSums, round.subtracted].flatMap { $0.values.map(\.sum.body) }
        var bodies = (updates + sums).compactMap { $0?.digest }
        if case .sumOffer(let offer)? = round.answer, let names = offer.names { bodies.append(names.digest) }
        return bodies.sorted { $0.description < $1.description }
    }

    /// Has the sum made again of what has a receipt.
    private mutating func addAgain(_ round: RunMemory.OpenRound) {
        let plan = round.opening.plan
        bodies = Self.bodies(of: round)
        work(.begin(plan.number, plan.groups))
        for update in round.updates.values.sorted(by: { $0.key.node < $1.key.node }) { work(.fold(update)) }
        for entry in round.sums.values.sorted(by: { $0.sum.key.isBefore($1.sum.key) }) { work(.foldSum(entry.sum)) }
        for entry in round.subtracted.values.sorted(by: { $0.sum.key.isBefore($1.sum.key) }) {
            work(.subtractSum(entry.sum))
        }
    }

    // MARK: Between rounds

    private mutating func resumeBetweenRounds(_ memory: RunMemory, at now: Moment) {
        guard coordinator != nil else {
            // What follows an edge round was not begun.
            guard let last = memory.closed.last?.number, let place = place(of: last) else { return fetchAgain() }
            if let stepping = configuration.stepping, let assignment, assignment.isOpened,
                last == assignment.number(stepping), case .pending = assignment.answer
            {
                ended[place].next = .edgeRound
            } else {
                fetchAgain()
            }
            return
        }
        guard let last = memory.closed.last, let place = place(of: last.number) else { return }
        coordinator?.phase = .busy
        // The model may not have been saved, nor judged: both may be done twice.
        let isNew = memory.steps.last?.number == last.number
        ended[place].next = isNew ? .evaluation : .nextRound
    }

    /// The plan at hand was not opened yet.
    private mutating func fetchAgain() {
        guard let assignment, !assignment.isOpened, case .pending = assignment.answer else { return }
        fetchModel(of: assignment.plan)
    }

    /// Opens the next edge round; after a restart the children may come back first.
    mutating func gatherForNext(after number: RoundNumber, _ membership: Membership, at now: Moment) {
        guard isFresh, let assignment, let stepping = configuration.stepping, collection == nil,
            case .pending = assignment.answer, number == assignment.number(stepping),
            assignment.edgeRound < stepping.edgeRounds
        else {
            return nextEdgeRound(after: number, membership, at: now)
        }
        self.assignment?.edgeRound += 1
        self.assignment?.isOpened = false
        gatherUntil = now + .nanoseconds((assignment.deadline - now).nanoseconds / 2)
        openWhenGathered(membership, at: now)
    }

    /// Does what follows the last round that ended, when the node has started again.
    mutating func goOn(_ membership: Membership, at now: Moment) {
        for place in ended.indices where ended[place].isTold {
            let (number, next) = (ended[place].number, ended[place].next)
            ended[place].next = .nothing
            switch next {
            case .nothing: break
            case .edgeRound: gatherForNext(after: number, membership, at: now)
            case .evaluation: evaluate(number, membership, at: now)
            case .nextRound: continueRun(membership, at: now)
            }
        }
        advance(membership, at: now)
    }
}

extension SumKey {
    /// An order of a round's sums in which they are added again.
    fileprivate func isBefore(_ other: SumKey) -> Bool { (node.value, revision) < (other.node.value, other.revision) }
}

extension Collection {
    /// Puts a child's sum that has a receipt back in its place; one under a key of this node's making is a part.
    fileprivate mutating func restore(_ accepted: RunMemory.AcceptedSum, _ state: State) {
        let sum = accepted.sum
        guard sum.key.revision < Parts.revisionMin else { return restorePart(accepted, .add) }
        guard let slot = slot(of: sum.key.node) else { return }
        let brought = parts.contributors(of: slot)
        update(slot) { member in
            let offer = SumOffer(
                key: sum.key, names: nil, chosenCount: member.chosenCount, contributorCount: sum.contributorCount,
                contributionCount: sum.contributionCount, reason: nil)
            var offered = OfferedSum(offer: offer, sum: sum)
            offered.granted = accepted.names
            offered.names = state == .accepted ? accepted.names : []
            offered.excluded = accepted.excluded
            member.answer = .sum(offered)
            member.state = state
            member.reportedCount = state == .accepted ? sum.contributorCount + brought : 0
        }
    }

    fileprivate mutating func restorePart(_ accepted: RunMemory.AcceptedSum, _ use: Part.Use) {
        guard let slot = slot(of: accepted.sum.key.node) else { return }
        var part = Part(slot: slot, names: accepted.names, use: use)
        part.state = .here
        part.sum = accepted.sum
        parts[accepted.sum.key] = part
        update(slot) { member in
            let count = accepted.sum.contributorCount
            if case .subtract = use {
                member.reportedCount -= min(member.reportedCount, count)
            } else if member.state == .accepted {
                member.reportedCount += count
            } else {
                member.state = .accepted
                member.reportedCount = count
            }
        }
    }

    /// Finds again who holds what, and who leaves it out.
    fileprivate mutating func restoreHolders() {
        guard aggregatorCount > 0 else { return }
        for slot in members.indices where members[slot].state == .accepted {
            for name in names(of: slot) { _ = holders.take(name, slot) }
        }
        for slot in members.indices where members[slot].hasReceipt {
            if case .update = members[slot].answer, members[slot].state == .excluded {
                holders.addSpare(ownName(slot), slot)
            }
            for name in offered(slot)?.excluded ?? [] where holders.holder[name] != slot {
                holders.addSpare(name, slot)
            }
        }
    }
}
