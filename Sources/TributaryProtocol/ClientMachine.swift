// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// A client's half of the dialogue: hello, plan, fetch, train, offer, receipt, round closed.
///
/// It answers one plan at a time. A plan that comes while the trainer is busy waits; only the newest is kept. An
/// update is kept until its outcome is heard and offered again, under the same key, after a reconnect, after a `Wait`,
/// when no receipt comes, and when a later plan shows that its round is over.
package struct ClientMachine: Sendable {
    private enum Stage: Sendable {
        case idle
        case fetching(RoundPlan)
        case training(RoundPlan)
    }

    /// The shortest time between two signs of life of one fit.
    private static let workingPause = Duration.seconds(1)
    /// How often a parent says that a run is over.
    private static let drainCountMax = 3

    package let node: NodeName
    package let client: ClientIndex
    private let topology: Digest?
    var run: RunID?
    var epoch = TopologyEpoch(1)
    /// The parent at the other end of the link; `nil` when its name is not known.
    private(set) var parent: NodeName?
    /// The parent that sent the plan at hand.
    private(set) var planner: NodeName?
    /// The updates without an outcome, oldest first.
    var unsettled: [Unsettled]
    private var stage = Stage.idle
    private var waiting: RoundPlan?
    private var newest: RoundNumber?
    /// Whether the newest plan was given up: when it is repeated, the parent does not know that, and it is tried again.
    private var hasGivenUp = false
    private var model: Digest?
    private var sequence: UInt64
    private(set) var isWelcome = false
    /// When hello is said again.
    private var retry = Retry()
    private var seed: UInt64 = 0
    /// How often the parent said that the run is over, and why, while an outcome is missing.
    private var drainCount = 0
    private var draining: ReasonCode?
    /// When the last `Working` was sent.
    private var workingSaid = Moment(nanoseconds: 0)
    var actions: [ClientAction] = []

    /// A device whose next update bears the number `sequence`, greater than that of any before.
    ///
    /// `parent`: whom the link goes to at first; `unsettled`: what its last process left without an outcome.
    package init(
        node: NodeName, client: ClientIndex, topology: Digest?, sequence: UInt64, parent: NodeName? = nil,
        unsettled: [UnsettledUpdate] = []
    ) {
        self.node = node
        self.client = client
        self.topology = topology
        self.sequence = sequence
        self.parent = parent
        self.unsettled = unsettled.map { Unsettled($0) }
    }

    /// Whether no plan is at hand and every outcome known: nothing is lost with the client, but its sequence.
    package var isIdle: Bool {
        if case .idle = stage { return waiting == nil && unsettled.isEmpty }
        return false
    }

    /// The next moment at which `alarm` is due; `nil` when nothing waits for time.
    package var nextAlarm: Moment? {
        var next = retry.due
        for update in unsettled {
            guard let due = update.retry.due else { continue }
            next = next.map { min($0, due) } ?? due
        }
        return next
    }

    /// Takes an event and says what to do.
    package mutating func handle(_ event: ClientEvent, at now: Moment) -> [ClientAction] {
        var actions: [ClientAction] = []
        handle(event, at: now, into: &actions)
        return actions
    }

    /// Takes an event and appends what to do to `buffer`, which a busy driver keeps and empties.
    ///
    /// - Returns: what `isIdle` and `nextAlarm` then say.
    @discardableResult
    package mutating func handle(
        _ event: ClientEvent, at now: Moment, into buffer: inout [ClientAction]
    ) -> (isIdle: Bool, nextAlarm: Moment?) {
        swap(&actions, &buffer)
        defer { swap(&actions, &buffer) }
        switch event {
        case .connected:
            isWelcome = false
            sayHello()
            retry.start(at: now, chance(RoundNumber(round: 0)))
        case .disconnected:
            isWelcome = false
            retry.stop()
            stopAsking()
            actions.append(.report(.parentGone))
        case .moved(let name):
            parent = name
            for place in unsettled.indices { unsettled[place].isAway = false }
        case .message(let envelope): receive(envelope, at: now)
        case .fetched(let digest): modelArrived(digest, at: now)
        case .fetchFailed(let digest, let reason): modelFailed(digest, reason)
        case .progress(let number, let permille): reportProgress(number, permille, at: now)
        case .trained(let number, let outcome): trained(number, outcome, at: now)
        case .trainingFailed(let number, let text): trainingFailed(number, text)
        case .alarm:
            if retry.isDue(at: now) { helloAgain(at: now) }
            askAgain(at: now)
        case .stop: leave(.stopped)
        }
        if let draining, !isOwed { leave(draining) }
        return (isIdle, nextAlarm)
    }

    private mutating func send(_ message: Message) {
        actions.append(.send(Envelope(run: run, epoch: epoch, message: message)))
    }

    private mutating func sayHello() {
        send(
            .hello(
                Hello(
                    node: node, role: .client(client), wireVersions: WireVersion.supported, encodings: [.float32],
                    topology: topology)))
    }

    private mutating func receive(_ envelope: Envelope, at now: Moment) {
        switch envelope.message {
        case .welcome:
            isWelcome = true
            retry.stop()
            actions.append(.report(.welcomed))
            resume(at: now)
        case .plan(let plan):
            planArrived(plan, run: envelope.run, epoch: envelope.epoch, at: now)
        case .receipt(let receipt): receipted(receipt, at: now)
        case .roundClosed(let closed): roundClosed(closed, run: envelope.run, at: now)
        case .refuse(let refusal):
            // Who is not wanted as it is does not ask again before its operator has done something.
            if !isWelcome, refusal.subject == .connection { retry.stop() }
            refused(refusal)
        case .drain(let drain): drained(drain.reason, at: now)
        case .wait(let wait): waitFor(wait.retryAfter, at: now)
        case .hello, .ready, .update, .sumOffer, .sum, .sumGrant, .working, .leave: break
        }
    }

    // MARK: Answers that do not come

    /// The parent cannot take it now: what is not answered yet is repeated later.
    private mutating func waitFor(_ pause: Duration, at now: Moment) {
        if isWelcome {
            postpone(pause, at: now)
        } else {
            retry.wait(pause, at: now, chance(RoundNumber(round: 0)))
        }
    }

    private mutating func helloAgain(at now: Moment) {
        guard !isWelcome else {
            retry.stop()
            return
        }
        sayHello()
        retry.goOn(at: now, chance(RoundNumber(round: 0)))
    }

    /// What spreads this client's repetitions.
    func chance(_ number: RoundNumber) -> (seed: UInt64, number: RoundNumber, who: UInt64) {
        (seed, number, client.value)
    }

    // MARK: Plans

    private mutating func planArrived(_ plan: RoundPlan, run: RunID?, epoch: TopologyEpoch, at now: Moment) {
        if run != self.run {
            newest = nil
            self.run = run
        }
        self.epoch = epoch
        seed = plan.seed
        // Only a welcome child gets plans; a simulated one may be taken in without the ceremony.
        isWelcome = true
        if let place = unsettled.firstIndex(where: { $0.number == plan.number && $0.record.run == run }) {
            answerAgain(place, plan, at: now)
            return
        }
        if let newest, plan.number < newest { return }
        if plan.number == newest, !hasGivenUp {
            takeOver(plan)
            return
        }
        newest = plan.number
        hasGivenUp = false
        askAbout(roundsBefore: plan.number, at: now)
        guard makeRoom(for: plan.number) else {
            decline(.parentLate, "the outcomes of \(unsettled.count) earlier updates are not known yet")
            return
        }
        if case .training = stage { waiting = plan } else { begin(plan) }
    }

    /// The plan at hand comes from another parent: what is made of it becomes that parent's.
    private mutating func takeOver(_ plan: RoundPlan) {
        guard planner != parent else { return }
        switch stage {
        case .training(let own) where own.number == plan.number:
            if own.model.digest == plan.model.digest {
                stage = .training(plan)
                planner = parent
            } else {
                waiting = plan
            }
        case .fetching(let own) where own.number == plan.number: begin(plan)
        case .idle, .fetching, .training: break
        }
    }

    /// A plan that has an update already: the same one, unless it may be in another parent's model.
    private mutating func answerAgain(_ place: Int, _ plan: RoundPlan, at now: Moment) {
        if unsettled[place].isBound(elsewhereThan: parent) {
            decline(.duplicate, "an update for this round is with another parent, which steps")
        } else {
            offer(place, at: now)
        }
    }

    /// Goes on after a reconnect: the same offers under the same keys, and the rest of the model.
    private mutating func resume(at now: Moment) {
        for place in unsettled.indices { offer(place, at: now) }
        if case .fetching(let plan) = stage { begin(plan) }
    }

    private mutating func begin(_ plan: RoundPlan) {
        guard let source = plan.model.sources.first(where: { $0.encoding == .float32 }) else {
            giveUp(.wrongEncoding, "the plan offers no float32 source for its model")
            return
        }
        if let model, model != plan.model.digest { actions.append(.release([model])) }
        model = plan.model.digest
        stage = .fetching(plan)
        planner = parent
        actions.append(.fetch(source.object))
    }

    private mutating func modelArrived(_ digest: Digest, at now: Moment) {
        guard case .fetching(let plan) = stage, plan.model.digest == digest else { return }
        stage = .training(plan)
        actions.append(.report(.training(plan.number)))
        sayWorking(plan.number, 0, at: now)
        let job = TrainJob(client: client, number: plan.number, kind: plan.kind, seed: plan.seed)
        actions.append(.train(job, plan: plan))
    }

    private mutating func modelFailed(_ digest: Digest, _ reason: ReasonCode) {
        guard case .fetching(let plan) = stage, plan.model.digest == digest else { return }
        model = nil
        giveUp(reason, "the base model could not be fetched")
    }

    /// Passes a trainer's progress on, when the last sign of life is old enough: a short fit gives the first alone.
    private mutating func reportProgress(_ number: RoundNumber, _ permille: UInt32, at now: Moment) {
        guard case .training(let plan) = stage, plan.number == number, now - workingSaid >= Self.workingPause else {
            return
        }
        sayWorking(number, permille, at: now)
    }

    private mutating func sayWorking(_ number: RoundNumber, _ permille: UInt32, at now: Moment) {
        workingSaid = now
        send(.working(Working(number: number, chosenCount: 1, reportedCount: 0, permille: permille)))
    }

    // MARK: Results

    private mutating func trained(_ number: RoundNumber, _ outcome: TrainOutcome, at now: Moment) {
        guard case .training(let plan) = stage, plan.number == number else { return }
        if let next = takeWaiting() {
            if let body = outcome.body { actions.append(.release([body.digest])) }
            actions.append(.report(.dropped(node, number, .late)))
            begin(next)
            return
        }
        let key = UpdateKey(node: node, sequence: sequence)
        sequence += 1
        stage = .idle
        let update = Update(
            key: key, number: number, base: plan.model.digest, groups: outcome.groups,
            metrics: outcome.report.metrics, body: outcome.body)
        made(update, for: plan, at: now)
    }

    private mutating func trainingFailed(_ number: RoundNumber, _ text: String) {
        guard case .training(let plan) = stage, plan.number == number else { return }
        giveUp(.trainingFailed, text)
        if let next = takeWaiting() { begin(next) }
    }

    /// Tells the parent that no update will come for the plan at hand.
    private mutating func giveUp(_ reason: ReasonCode, _ text: String) {
        stage = .idle
        hasGivenUp = true
        decline(reason, text)
    }

    /// Lets the parent close its round without this client.
    private mutating func decline(_ reason: ReasonCode, _ text: String) {
        actions.append(.report(.refused(node, reason, text: text)))
        let key = UpdateKey(node: node, sequence: sequence)
        send(.refuse(Refuse(subject: .update(key), reason: reason, text: text)))
    }

    private mutating func takeWaiting() -> RoundPlan? {
        defer { waiting = nil }
        guard let waiting else { return nil }
        stage = .idle
        return waiting
    }

    /// The run is over, which a parent says several times: while it owes an outcome it is asked for that first.
    private mutating func drained(_ reason: ReasonCode, at now: Moment) {
        drainCount += 1
        guard isOwed, drainCount < Self.drainCountMax else { return leave(reason) }
        draining = reason
        for place in unsettled.indices where !unsettled[place].isAsking { offer(place, at: now) }
    }

    /// Whether the parent at hand has yet to say what became of an update.
    private var isOwed: Bool { isWelcome && unsettled.contains { $0.isFor(parent) } }

    private mutating func leave(_ reason: ReasonCode) {
        draining = nil
        send(.leave(Leave(reason: reason)))
        stage = .idle
        waiting = nil
        retry.stop()
        // What has no outcome yet is left to the next process.
        stopAsking()
        actions.append(.report(.finished(reason)))
        actions.append(.finish(reason))
    }
}
