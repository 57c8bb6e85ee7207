// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryProtocol
import TributaryTopology

extension EventDriver {
    /// Lets up to `eventCountMax` events happen; returns early when a round ends.
    ///
    /// - Throws: `SimulationError.stalled`, and what the root's evaluation throws.
    mutating func advance(eventCountMax: Int) throws -> Simulation.Step {
        // What a node decided when it was started.
        try settle()
        for _ in 0..<eventCountMax {
            if let round = recorder.takeRound() { return .round(round) }
            if isFinished { return .finished }
            guard let (moment, event) = events.pop() else {
                throw SimulationError.stalled(round: recorder.round, seconds: now.seconds)
            }
            now = max(now, moment)
            eventCount += 1
            if now > patienceEnds { throw SimulationError.stalled(round: recorder.round, seconds: now.seconds) }
            try handle(event)
            if let round = recorder.takeRound() { return .round(round) }
        }
        return isFinished ? .finished : .working
    }

    /// When a root that waits for its children has waited too long: long after its last round and every change of a
    /// fault.
    private var patienceEnds: Moment {
        guard let since = recorder.waitsSince else { return Moment(nanoseconds: .max) }
        return max(since, lastFaultChange) + patience
    }

    private mutating func handle(_ event: SimulationEvent) throws {
        switch event {
        case .toDevice(let session, let envelope, let connection):
            session.inboundCount -= 1
            guard session.link.connection == connection, session.isOnline else { return }
            session.isGreeting = false
            drive(session, .message(envelope))
        case .fromDevice(let session, let envelope, let connection):
            guard session.link.connection == connection, session.node.isAlive else { return }
            drive(session.node, .fromChild(session.name, envelope))
        case .toParent(let node, let envelope, let connection):
            guard node.link.connection == connection, let parent = node.parent, parent.isAlive else { return }
            drive(parent, .fromChild(node.name, envelope))
        case .fromParent(let node, let envelope, let connection):
            guard node.link.connection == connection, node.isAlive else { return }
            drive(node, .fromParent(envelope))
        case .deviceFetched(let session, let digest, let vector, let connection):
            deviceFetched(session, digest, vector, connection)
        case .bodyFetched(let session, let digest, let run, let connection):
            bodyFetched(session, digest, run, connection)
        case .modelFetched(let node, let digest, let run, let object, let connection):
            guard node.link.connection == connection, node.isAlive else { return }
            node.wanted[digest] = nil
            node.bench.objects[digest] = object
            drive(node, .completed(run, .fetched(digest, from: .parent)))
        case .childObjectFetched(let child, let digest, let run, let object, let connection):
            guard child.link.connection == connection, let node = child.parent, node.isAlive else { return }
            node.bench.objects[digest] = object
            drive(node, .completed(run, .fetched(digest, from: .child(child.name))))
        case .trained(let session, let task, let starts): trained(session, task, starts)
        case .alarm(let node): alarm(node)
        case .deviceAlarm(let session): deviceAlarm(session)
        case .deviceChanges(let session): deviceChanges(session)
        case .connect(let node): connect(node)
        case .deviceMissed(let session, let connection):
            guard session.link.connection == connection, !session.isOnline, session.node.isAlive else { return }
            drive(session.node, .childGone(session.name, .lost))
        case .childMissed(let node, let connection):
            guard node.link.connection == connection, !node.link.isUp, let parent = node.parent, parent.isAlive
            else { return }
            drive(parent, .childGone(node.name, .lost))
        case .fault(let index, let begins): play(tree.topology.simulation.faults[index], index, begins: begins)
        }
        try settle()
    }

    /// Does what nodes asked for, in order, and hands in what came out, until nothing is left: it takes no time.
    private mutating func settle() throws {
        while !chores.isEmpty {
            let batch = chores
            chores.removeAll(keepingCapacity: true)
            for chore in batch where chore.node.isAlive {
                switch chore.kind {
                case .perform(let work):
                    if let result = try chore.node.bench.perform(work) {
                        drive(chore.node, .completed(chore.run, result))
                    }
                case .deliver(let result): drive(chore.node, .completed(chore.run, result))
                }
            }
        }
    }

    // MARK: Aggregators

    /// Lets a node's machine decide, and does what it decides.
    mutating func drive(_ node: SimulatedNode, _ event: AggregatorEvent) {
        var actions = aggregatorBuffers.popLast() ?? []
        node.nextAlarm = node.machine.handle(event, at: node.clock(at: now), into: &actions)
        for action in actions {
            switch action {
            case .send(let envelope, .parent): sendUp(envelope, from: node)
            case .send(let envelope, .child(let name)): sendDown(envelope, from: node, to: name)
            case .work(let run, .fetch(let object, let neighbour)): fetch(object, from: neighbour, at: node, run)
            case .work(_, .cancel): break
            case .work(let run, .journal(let record)) where node.bench.memory == nil:
                // Nobody will read it.
                chores.append(Chore(node: node, run: run, kind: .deliver(.journaled(record.key))))
            case .work(let run, let work): chores.append(Chore(node: node, run: run, kind: .perform(work)))
            case .report(let event):
                observer?(node.name, event, now)
                recorder.take(event, at: node, now)
            case .finish: finish(node)
            }
        }
        actions.removeAll(keepingCapacity: true)
        aggregatorBuffers.append(actions)
        scheduleAlarm(node)
    }

    private mutating func finish(_ node: SimulatedNode) {
        if node.parent == nil { isFinished = true }
    }

    /// Keeps the one alarm of a node in step with what its machine waits for.
    mutating func scheduleAlarm(_ node: SimulatedNode) {
        let shown = node.isAlive ? node.nextAlarm : nil
        let due = shown.map { max(now, node.trueTime(of: $0)) }
        guard due != node.alarm?.moment else { return }
        if let alarm = node.alarm { events.cancel(alarm.ticket) }
        node.alarm = due.map { ($0, events.push(.alarm(node), at: $0)) }
    }

    private mutating func alarm(_ node: SimulatedNode) {
        node.alarm = nil
        guard node.isAlive else { return }
        drive(node, .alarm)
    }

    private mutating func fetch(
        _ object: ObjectReference, from neighbour: Neighbour, at node: SimulatedNode, _ run: RunID
    ) {
        if node.bench.objects[object.digest] != nil {
            let result = RoundWorkResult.fetched(object.digest, from: neighbour)
            chores.append(Chore(node: node, run: run, kind: .deliver(result)))
            return
        }
        switch neighbour {
        case .parent:
            node.wanted[object.digest] = (object, run)
            pull(object, run, to: node)
        case .child(let name):
            if let child = node.children[name] {
                pull(object, run, from: child)
            } else if let session = node.sessions[name] {
                pull(object, run, from: session)
            }
        }
    }
}
