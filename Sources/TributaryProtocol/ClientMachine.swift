// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// What happens to a client.
package enum ClientEvent: Sendable {
    /// The link to the parent is up, or up again.
    case connected
    case disconnected
    case message(Envelope)
    case fetched(Digest)
    case fetchFailed(Digest, ReasonCode)
    case progress(RoundNumber, permille: UInt32)
    indirect case trained(RoundNumber, TrainOutcome)
    case trainingFailed(RoundNumber, text: String)
    /// Time has passed; due at `nextAlarm`.
    case alarm
    /// The operator wants the client to end.
    case stop
}

/// A finished piece of local work, with the encoded delta already in the object store.
package struct TrainOutcome: Hashable, Sendable {
    package var report: TrainReport
    package var groups: [Update.Group]
    package var body: ObjectReference?
    package init(report: TrainReport, groups: [Update.Group], body: ObjectReference?) {
        self.report = report
        self.groups = groups
        self.body = body
    }
}

/// What a client's driver has to do.
package enum ClientAction: Hashable, Sendable {
    case send(Envelope)
    case fetch(ObjectReference)
    /// Do the local work on the model with digest `base`; answered by `trained` or `trainingFailed`.
    indirect case train(TrainJob, plan: RoundPlan)
    /// The sequence number to use next; stored before the update that bears the number before it is sent.
    case store(sequence: UInt64)
    /// Nobody needs these objects any more.
    case release([Digest])
    case report(TelemetryEvent)
    /// The client is done; the driver may close the link.
    case finish(ReasonCode)
}

/// A client's half of the dialogue: hello, plan, fetch, train, offer, receipt, round closed.
///
/// It answers one plan at a time. A plan that comes while the trainer is busy waits; only the newest is kept. An
/// update is kept until its round is closed and offered again, under the same key, after a reconnect, after a `Wait`,
/// and when no receipt comes.
package struct ClientMachine: Sendable {
    private enum Stage: Sendable {
        case idle
        case fetching(RoundPlan)
        case training(RoundPlan)
        /// The update was offered; `true` once its receipt came.
        case offered(Update, receipted: Bool)
    }

    /// The shortest time between two signs of life of one fit.
    private static let workingPause = Duration.seconds(1)

    package let node: NodeName
    package let client: ClientIndex
    private let topology: Digest?
    private var run: RunID?
    private var epoch = TopologyEpoch(1)
    private var stage = Stage.idle
    private var waiting: RoundPlan?
    private var newest: RoundNumber?
    /// Whether the newest plan was given up: when it is repeated, the parent does not know that, and it is tried again.
    private var hasGivenUp = false
    private var model: Digest?
    private var sequence: UInt64
    private var isWelcome = false
    private var retry = Retry()
    private var seed: UInt64 = 0
    /// When the last `Working` was sent.
    private var workingSaid = Moment(nanoseconds: 0)
    private var actions: [ClientAction] = []

    /// A device whose next update bears the number `sequence`: 0, or what `store(sequence:)` said last.
    package init(node: NodeName, client: ClientIndex, topology: Digest?, sequence: UInt64) {
        self.node = node
        self.client = client
        self.topology = topology
        self.sequence = sequence
    }

    /// Whether no plan is at hand: nothing is lost when the client is forgotten, but its sequence.
    package var isIdle: Bool {
        if case .idle = stage { return waiting == nil }
        return false
    }

    /// The next moment at which `alarm` is due; `nil` when nothing waits for time.
    package var nextAlarm: Moment? { retry.due }

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
            retry.stop()
            actions.append(.report(.parentGone))
        case .message(let envelope): receive(envelope, at: now)
        case .fetched(let digest): modelArrived(digest, at: now)
        case .fetchFailed(let digest, let reason): modelFailed(digest, reason)
        case .progress(let number, let permille): reportProgress(number, permille, at: now)
        case .trained(let number, let outcome): trained(number, outcome, at: now)
        case .trainingFailed(let number, let text): trainingFailed(number, text)
        case .alarm: if retry.isDue(at: now) { sendAgain(at: now) }
        case .stop: leave(.stopped)
        }
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
        case .receipt(let receipt):
            guard case .offered(let update, _) = stage, receipt.subject == .update(update.key) else { return }
            stage = .offered(update, receipted: true)
            retry.stop()
            actions.append(.report(.uploaded(update.number)))
        case .roundClosed(let closed): roundClosed(closed)
        case .refuse(let refusal): refused(refusal)
        case .drain(let drain): leave(drain.reason)
        case .wait(let wait): waitFor(wait.retryAfter, at: now)
        case .hello, .ready, .update, .sumOffer, .sum, .sumGrant, .working, .leave: break
        }
    }

    // MARK: Answers that do not come

    private mutating func offer(_ update: Update, at now: Moment) {
        send(.update(update))
        retry.start(at: now, chance(update.number))
    }

    /// The parent cannot take it now: what is not answered yet is repeated later.
    private mutating func waitFor(_ pause: Duration, at now: Moment) {
        if case .offered(let update, _) = stage, isWelcome {
            retry.wait(pause, at: now, chance(update.number))
        } else if !isWelcome {
            retry.wait(pause, at: now, chance(RoundNumber(round: 0)))
        }
    }

    private mutating func sendAgain(at now: Moment) {
        guard isWelcome else {
            sayHello()
            retry.goOn(at: now, chance(RoundNumber(round: 0)))
            return
        }
        guard case .offered(let update, _) = stage else {
            retry.stop()
            return
        }
        send(.update(update))
        retry.goOn(at: now, chance(update.number))
    }

    private func chance(_ number: RoundNumber) -> (seed: UInt64, number: RoundNumber, who: UInt64) {
        (seed, number, client.value)
    }

    // MARK: Plans

    private mutating func planArrived(_ plan: RoundPlan, run: RunID?, epoch: TopologyEpoch, at now: Moment) {
        if run != self.run {
            if case .training = stage {} else { reset() }
            newest = nil
            self.run = run
        }
        self.epoch = epoch
        seed = plan.seed
        // Only a welcome child gets plans; a simulated one may be taken in without the ceremony.
        isWelcome = true
        if case .offered(let update, _) = stage, update.number == plan.number {
            offer(update, at: now)
            return
        }
        if let newest, plan.number < newest || (plan.number == newest && !hasGivenUp) { return }
        newest = plan.number
        hasGivenUp = false
        switch stage {
        case .training: waiting = plan
        case .offered(let update, let receipted):
            // With a receipt the parent has it; how its round ended was never heard.
            actions.append(.report(.dropped(node, update.number, receipted ? .parentLate : .late)))
            reset()
            begin(plan)
        case .idle, .fetching: begin(plan)
        }
    }

    /// Goes on after a reconnect: the same offer under the same key, or the rest of the model.
    private mutating func resume(at now: Moment) {
        switch stage {
        case .offered(let update, _): offer(update, at: now)
        case .fetching(let plan): begin(plan)
        case .idle, .training: break
        }
    }

    private mutating func begin(_ plan: RoundPlan) {
        guard let source = plan.model.sources.first(where: { $0.encoding == .float32 }) else {
            giveUp(.wrongEncoding, "the plan offers no float32 source for its model")
            return
        }
        if let model, model != plan.model.digest { actions.append(.release([model])) }
        model = plan.model.digest
        stage = .fetching(plan)
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
        actions.append(.store(sequence: sequence))
        let update = Update(
            key: key, number: number, base: plan.model.digest, groups: outcome.groups,
            metrics: outcome.report.metrics, body: outcome.body)
        stage = .offered(update, receipted: false)
        offer(update, at: now)
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

    private mutating func roundClosed(_ closed: RoundClosed) {
        guard case .offered(let update, let receipted) = stage, update.number <= closed.number else { return }
        if receipted {
            actions.append(.report(.roundClosed(closed.number, closed.outcome)))
        } else {
            actions.append(.report(.dropped(node, update.number, .late)))
        }
        reset()
    }

    private mutating func refused(_ refusal: Refuse) {
        actions.append(.report(.refused(node, refusal.reason, text: refusal.text)))
        // Who is not wanted as it is does not ask again before its operator has done something.
        if !isWelcome, refusal.subject == .connection { retry.stop() }
        guard case .offered(let update, _) = stage, refusal.subject == .update(update.key) else { return }
        reset()
    }

    private mutating func leave(_ reason: ReasonCode) {
        send(.leave(Leave(reason: reason)))
        reset()
        actions.append(.report(.finished(reason)))
        actions.append(.finish(reason))
    }

    private mutating func reset() {
        if case .offered(let update, _) = stage, let body = update.body { actions.append(.release([body.digest])) }
        stage = .idle
        retry.stop()
    }
}
