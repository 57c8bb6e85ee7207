// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryProtocol
import TributaryRing
import TributaryTopology

// Devices: they come to be when a plan is sent to them, and are gone when its outcome has reached them.

extension EventDriver {
    /// Brings a device to life for a plan; nothing else makes one.
    mutating func openSession(for message: Message, _ name: NodeName, at node: SimulatedNode) -> DeviceSession? {
        guard case .plan(let plan) = message, let client = tree.client(named: name) else { return nil }
        // The number of the plan keeps sequences growing without a word kept between rounds.
        let sequence = UInt64(plan.number.round) << 32 | UInt64(plan.number.edgeRound)
        let machine = machine(of: client, name, sequence: sequence)
        let random = CounterRandom(seed: fleet.seed, purpose: .link, round: plan.number, client: client.value)
        let session = DeviceSession(
            client: client, name: name, node: node, machine: machine, sequence: sequence,
            link: SimulatedLink(fleet.link(of: client, named: name), random: random))
        node.sessions[name] = session
        let availability = fleet.availability(of: client)
        if !availability.isAlways {
            session.isOnline = availability.isAwake(client, at: now)
            scheduleChange(session)
        }
        return session
    }

    private func machine(
        of client: ClientIndex, _ name: NodeName, sequence: UInt64, _ unsettled: [UnsettledUpdate] = []
    ) -> ClientMachine {
        ClientMachine(
            node: name, client: client, topology: setup.digest, sequence: sequence, unsettled: unsettled)
    }

    /// A device's process is killed: when it starts again it knows which updates it waits to hear of, and no more.
    mutating func forget(_ session: DeviceSession) {
        session.starts += 1
        // Its sequence is on disk; a process that starts again never says a number twice.
        let unsettled = session.machine.unsettledUpdates
        session.machine = machine(
            of: session.client, session.name, sequence: session.sequence + UInt64(session.starts) << 24, unsettled)
        session.isIdle = unsettled.isEmpty
        session.nextAlarm = nil
        session.model = nil
        session.held = nil
        session.ahead = nil
        let bodies = Set(unsettled.compactMap(\.update.body?.digest))
        session.bodies = session.bodies.filter { bodies.contains($0.key) }
    }

    /// Lets a device's machine decide, and does what it decides.
    mutating func drive(_ session: DeviceSession, _ event: ClientEvent) {
        guard !session.isEnded else { return }
        var actions = clientBuffers.popLast() ?? []
        let state = session.machine.handle(event, at: now, into: &actions)
        session.isIdle = state.isIdle
        session.nextAlarm = state.nextAlarm
        for action in actions { perform(action, session) }
        actions.removeAll(keepingCapacity: true)
        clientBuffers.append(actions)
        // A plan that is on its way finds the device that its parent sent it to; and a device whose connection broke
        // makes it again before it is forgotten, so that its parent knows that it is there.
        if session.isIdle, session.inboundCount == 0, session.isOnline, !session.isGreeting {
            end(session)
        } else {
            scheduleAlarm(session)
        }
    }

    private mutating func perform(_ action: ClientAction, _ session: DeviceSession) {
        switch action {
        case .send(let envelope): sendUp(envelope, from: session)
        case .fetch(let object): fetchModel(object, session)
        case .train(let job, let plan): train(job, plan, session)
        case .release(let digests):
            for digest in digests {
                session.bodies[digest] = nil
                if session.model?.digest == digest { session.model = nil }
            }
        case .report(let event):
            observer?(session.name, event, now)
            recorder.take(event, of: session.client)
        case .finish: end(session)
        case .store: break
        }
    }

    mutating func end(_ session: DeviceSession) {
        guard !session.isEnded else { return }
        session.isEnded = true
        scheduleAlarm(session)
        if session.node.sessions[session.name] === session { session.node.sessions[session.name] = nil }
    }

    // MARK: Work

    private mutating func fetchModel(_ object: ObjectReference, _ session: DeviceSession) {
        if let model = session.model, model.digest == object.digest {
            events.push(
                .deviceFetched(session, object.digest, model.vector, connection: session.link.connection), at: now)
        } else {
            pull(object, to: session)
        }
    }

    mutating func deviceFetched(_ session: DeviceSession, _ digest: Digest, _ vector: ModelVector, _ connection: UInt32)
    {
        guard session.link.connection == connection, session.isOnline, !session.isEnded else { return }
        session.fetch = nil
        session.held = nil
        session.model = (digest, vector)
        drive(session, .fetched(digest))
    }

    private mutating func train(_ job: TrainJob, _ plan: RoundPlan, _ session: DeviceSession) {
        guard let model = session.model, model.digest == plan.model.digest else {
            drive(session, .trainingFailed(job.number, text: "the base model is gone"))
            return
        }
        let duration: Int64
        do {
            duration = try computingTime(of: job, session)
        } catch {
            drive(session, .trainingFailed(job.number, text: "\(error)"))
            return
        }
        recorder.spend(
            compute: fleet.computeEnergy(of: session.client, time: .nanoseconds(duration)), tier: deviceTier)
        let end = Moment(nanoseconds: now.nanoseconds + duration)
        let task = takeAhead(job, model.vector, session) ?? begin(job, plan, model.vector, due: end)
        events.push(.trained(session, task, starts: session.starts), at: end)
    }

    /// How long a device takes for a job, in nanoseconds.
    private mutating func computingTime(of job: TrainJob, _ session: DeviceSession) throws -> Int64 {
        let load = try setup.work.load(of: job)
        let slow = faults.isQuiet ? 1 : faults.slowness(session.name, tier: deviceTierName)
        let batch = fleet.batchTime(of: session.client, in: job.number, bitCount: load.bitCountPerBatch)
        return Int64(min(Limits.durationMax.seconds, batch.seconds * load.batchCount * slow) * 1e9)
    }

    private mutating func begin(
        _ job: TrainJob, _ plan: RoundPlan, _ base: ModelVector, due: Moment
    ) -> TrainingTask {
        let task = TrainingTask(job: job, groups: plan.groups, base: base, budget: budget)
        pool.submit(task, due: due)
        return task
    }

    /// Begins the work of a plan that is being sent: what comes out does not depend on when the plan arrives.
    ///
    /// Should the device never come to it, the work was for nothing, and nobody will know.
    mutating func workAhead(on plan: RoundPlan, _ session: DeviceSession) {
        guard case .model(let base)? = session.node.bench.objects[plan.model.digest] else { return }
        let job = TrainJob(client: session.client, number: plan.number, kind: plan.kind, seed: plan.seed)
        guard let duration = try? computingTime(of: job, session) else { return }
        session.ahead = begin(job, plan, base, due: Moment(nanoseconds: now.nanoseconds + duration))
    }

    /// The work that was begun ahead; none for another base, as when a root that starts again counts from one.
    private mutating func takeAhead(
        _ job: TrainJob, _ base: ModelVector, _ session: DeviceSession
    ) -> TrainingTask? {
        guard let task = session.ahead, task.job == job, task.base === base else { return nil }
        session.ahead = nil
        return task
    }

    mutating func trained(_ session: DeviceSession, _ task: TrainingTask, _ starts: UInt32) {
        guard !session.isEnded, session.starts == starts else { return }
        pool.wait(for: task)
        let number = task.job.number
        switch task.result {
        case .success(let result)?:
            var report = result.report
            if result.wasScaled {
                report.metrics += [MetricCounter(name: "scaled", sum: 1, count: 1)].compactMap(\.self)
            }
            var body: ObjectReference?
            var groups: [Update.Group] = []
            if case .train = task.job.kind {
                let reference = ObjectReference(
                    digest: serials.next(), byteCount: task.groups.reduce(0) { $0 + $1.parameterCount * 4 })
                session.bodies[reference.digest] = task
                body = reference
                groups = task.groups.map { group in
                    Update.Group(
                        weight: min(max(1, report.exampleCount), group.ring.weightMax), encoding: .float32,
                        byteCount: group.parameterCount * 4)
                }
            } else {
                recorder.deviceEvaluated(session.client, report.metrics)
            }
            drive(session, .trained(number, TrainOutcome(report: report, groups: groups, body: body)))
        case .failure(let failure)?: drive(session, .trainingFailed(number, text: failure.text))
        case nil: preconditionFailure("a task that was waited for is done")
        }
    }

    mutating func bodyFetched(_ session: DeviceSession, _ digest: Digest, _ run: RunID, _ connection: UInt32) {
        guard session.link.connection == connection, session.node.isAlive else { return }
        guard let task = session.bodies[digest] else {
            drive(
                session.node, .completed(run, .fetchFailed(digest, from: .child(session.name), .unknownObject)))
            return
        }
        session.node.bench.objects[digest] = .update(task)
        drive(session.node, .completed(run, .fetched(digest, from: .child(session.name))))
    }

    // MARK: Sleep

    private mutating func scheduleChange(_ session: DeviceSession) {
        guard let moment = fleet.availability(of: session.client).nextChange(session.client, after: now) else {
            // It sleeps for good: its round will do without it.
            if !session.isOnline { end(session) }
            return
        }
        // A device that reconnects now and then has one such event before it all the same.
        guard session.nextChange != moment else { return }
        session.nextChange = moment
        events.push(.deviceChanges(session), at: moment)
    }

    /// Looks whether a device should be connected, and makes it so.
    mutating func deviceChanges(_ session: DeviceSession) {
        guard !session.isEnded else { return }
        let availability = fleet.availability(of: session.client)
        let isReachable =
            availability.isAwake(session.client, at: now) && session.node.isAlive
            && !faults.isDeviceCut(session.name)
        if isReachable, !session.isOnline {
            session.isOnline = true
            session.link.isUp = true
            session.link.connection += 1
            session.isGreeting = true
            drive(session, .connected)
        } else if !isReachable, session.isOnline {
            goOffline(session)
            events.push(.deviceMissed(session, connection: session.link.connection), at: now + Self.livenessTime)
        }
        if !availability.isAlways, !session.isEnded { scheduleChange(session) }
    }

    /// Breaks a device's connection; what has come of its model stays.
    mutating func goOffline(_ session: DeviceSession) {
        guard session.isOnline else { return }
        session.isOnline = false
        session.link.cut(at: now.nanoseconds)
        if let fetch = session.fetch, fetch.end > fetch.begin {
            let part = (now - fetch.begin).seconds / (fetch.end - fetch.begin).seconds
            let arrived = UInt64(Double(fetch.rest) * min(1, max(0, part)))
            session.held = (fetch.object.digest, fetch.object.byteCount - fetch.rest + arrived)
            session.fetch = nil
        }
        drive(session, .disconnected)
    }

    // MARK: Alarms

    /// Keeps the one alarm of a device in step with what its machine waits for.
    private mutating func scheduleAlarm(_ session: DeviceSession) {
        let due = session.isEnded ? nil : session.nextAlarm.map { max(now, $0) }
        guard due != session.alarm?.moment else { return }
        if let alarm = session.alarm { events.cancel(alarm.ticket) }
        session.alarm = due.map { ($0, events.push(.deviceAlarm(session), at: $0)) }
    }

    mutating func deviceAlarm(_ session: DeviceSession) {
        session.alarm = nil
        drive(session, .alarm)
    }
}
