// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryProtocol
import TributaryTopology

// Messages and objects on their way between a node and its parent.

extension EventDriver {
    /// How long a peer that fell silent is taken for alive: the bus's heartbeat timeout.
    static let livenessTime = Duration.seconds(15)
    /// The pause before a broken connection is made again, drawn from its upper half.
    static let reconnectPause = Duration.milliseconds(100)

    /// How a message fares.
    private enum Passage {
        case arrives(Moment)
        case arrivesTwice(Moment, Moment)
        /// The connection breaks with it.
        case breaks(ReasonCode)
    }

    // MARK: Aggregators

    mutating func sendUp(_ envelope: Envelope, from node: SimulatedNode) {
        guard node.link.isUp, node.parent != nil else { return }
        let byteCount = frameSizes.byteCount(of: envelope)
        recorder.count(byteCount, up: true, tier: node.tier)
        switch pass(byteCount, &node.link, up: true, node.name, node.tierName) {
        case .arrives(let moment):
            events.push(.toParent(node, envelope, connection: node.link.connection), at: moment)
        case .arrivesTwice(let first, let second):
            events.push(.toParent(node, envelope, connection: node.link.connection), at: first)
            events.push(.toParent(node, envelope, connection: node.link.connection), at: second)
        case .breaks(let reason): breakLink(of: node, reason)
        }
    }

    mutating func sendDown(_ envelope: Envelope, from node: SimulatedNode, to name: NodeName) {
        guard let child = node.children[name] else { return sendToDevice(envelope, from: node, to: name) }
        guard child.link.isUp else { return }
        let byteCount = frameSizes.byteCount(of: envelope)
        recorder.count(byteCount, up: false, tier: child.tier)
        switch pass(byteCount, &child.link, up: false, child.name, child.tierName) {
        case .arrives(let moment):
            events.push(.fromParent(child, envelope, connection: child.link.connection), at: moment)
        case .arrivesTwice(let first, let second):
            events.push(.fromParent(child, envelope, connection: child.link.connection), at: first)
            events.push(.fromParent(child, envelope, connection: child.link.connection), at: second)
        case .breaks(let reason): breakLink(of: child, reason)
        }
    }

    /// Pulls an object from a node's parent.
    mutating func pull(_ object: ObjectReference, _ run: RunID, to node: SimulatedNode) {
        guard node.link.isUp, let parent = node.parent else { return }
        guard let held = parent.bench.objects[object.digest] else {
            let result = RoundWorkResult.fetchFailed(object.digest, from: .parent, .unknownObject)
            chores.append(Chore(node: node, run: run, kind: .deliver(result)))
            return
        }
        let arrival = transfer(
            object, over: &node.link, up: false, chunkByteCount: parent.chunkByteCount, tier: node.tier,
            slow: faults.slowness(node.name, tier: node.tierName)
        ).arrival
        events.push(
            .modelFetched(node, object.digest, run, held, connection: node.link.connection), at: arrival)
    }

    /// Pulls an object from a child aggregator.
    mutating func pull(_ object: ObjectReference, _ run: RunID, from child: SimulatedNode) {
        guard child.link.isUp, let node = child.parent else { return }
        guard child.isAlive, let held = child.bench.objects[object.digest] else {
            let result = RoundWorkResult.fetchFailed(object.digest, from: .child(child.name), .unknownObject)
            chores.append(Chore(node: node, run: run, kind: .deliver(result)))
            return
        }
        let arrival = transfer(
            object, over: &child.link, up: true, chunkByteCount: node.chunkByteCount, tier: child.tier,
            slow: faults.slowness(child.name, tier: child.tierName)
        ).arrival
        events.push(
            .childObjectFetched(child, object.digest, run, held, connection: child.link.connection), at: arrival)
    }

    // MARK: Devices

    mutating func sendUp(_ envelope: Envelope, from session: DeviceSession) {
        guard session.isOnline else { return }
        let byteCount = frameSizes.byteCount(of: envelope)
        recorder.count(byteCount, up: true, tier: deviceTier)
        spendRadio(session, sending: byteCount)
        switch pass(byteCount, &session.link, up: true, session.name, deviceTierName) {
        case .arrives(let moment):
            events.push(.fromDevice(session, envelope, connection: session.link.connection), at: moment)
        case .arrivesTwice(let first, let second):
            events.push(.fromDevice(session, envelope, connection: session.link.connection), at: first)
            events.push(.fromDevice(session, envelope, connection: session.link.connection), at: second)
        case .breaks(let reason): breakLink(of: session, reason)
        }
    }

    private mutating func sendToDevice(_ envelope: Envelope, from node: SimulatedNode, to name: NodeName) {
        guard let session = node.sessions[name] ?? openSession(for: envelope.message, name, at: node), session.isOnline
        else { return }
        if case .plan(let plan) = envelope.message { workAhead(on: plan, session) }
        let byteCount = frameSizes.byteCount(of: envelope)
        recorder.count(byteCount, up: false, tier: deviceTier)
        spendRadio(session, receiving: byteCount)
        switch pass(byteCount, &session.link, up: false, name, deviceTierName) {
        case .arrives(let moment):
            session.inboundCount += 1
            events.push(.toDevice(session, envelope, connection: session.link.connection), at: moment)
        case .arrivesTwice(let first, let second):
            session.inboundCount += 2
            events.push(.toDevice(session, envelope, connection: session.link.connection), at: first)
            events.push(.toDevice(session, envelope, connection: session.link.connection), at: second)
        case .breaks(let reason): breakLink(of: session, reason)
        }
    }

    /// Pulls a base model to a device.
    mutating func pull(_ object: ObjectReference, to session: DeviceSession) {
        guard session.isOnline else { return }
        guard case .model(let vector)? = session.node.bench.objects[object.digest] else {
            drive(session, .fetchFailed(object.digest, .unknownObject))
            return
        }
        var rest = object
        if let held = session.held, held.digest == object.digest { rest.byteCount -= held.byteCount }
        let (arrival, airTime) = transfer(
            rest, over: &session.link, up: false, chunkByteCount: session.node.chunkByteCount, tier: deviceTier,
            slow: faults.slowness(session.name, tier: deviceTierName))
        session.fetch = DeviceSession.Fetch(object: object, rest: rest.byteCount, begin: now, end: arrival)
        recorder.spend(radio: airTime.seconds * fleet.energy(of: session.client).receivePower, tier: deviceTier)
        events.push(
            .deviceFetched(session, object.digest, vector, connection: session.link.connection), at: arrival)
    }

    /// Pulls a delta from a device.
    mutating func pull(_ object: ObjectReference, _ run: RunID, from session: DeviceSession) {
        guard session.isOnline else { return }
        let (arrival, airTime) = transfer(
            object, over: &session.link, up: true, chunkByteCount: session.node.chunkByteCount, tier: deviceTier,
            slow: faults.slowness(session.name, tier: deviceTierName))
        recorder.spend(radio: airTime.seconds * fleet.energy(of: session.client).transmitPower, tier: deviceTier)
        events.push(
            .bodyFetched(session, object.digest, run, connection: session.link.connection), at: arrival)
    }

    private mutating func spendRadio(_ session: DeviceSession, sending byteCount: Int) {
        let time = session.link.up.airTime(byteCount)
        guard time > 0 else { return }
        recorder.spend(radio: Double(time) * 1e-9 * fleet.energy(of: session.client).transmitPower, tier: deviceTier)
    }

    private mutating func spendRadio(_ session: DeviceSession, receiving byteCount: Int) {
        let time = session.link.down.airTime(byteCount)
        guard time > 0 else { return }
        recorder.spend(radio: Double(time) * 1e-9 * fleet.energy(of: session.client).receivePower, tier: deviceTier)
    }

    // MARK: The link

    /// Sends a message, through whatever disturbs it.
    private mutating func pass(
        _ byteCount: Int, _ link: inout SimulatedLink, up: Bool, _ name: NodeName, _ tier: String
    ) -> Passage {
        if faults.isQuiet { return .arrives(arrival(byteCount, &link, up: up, slow: 1)) }
        let slow = faults.slowness(name, tier: tier)
        guard let disturbance = faults.disturbance(name, tier: tier) else {
            return .arrives(arrival(byteCount, &link, up: up, slow: slow))
        }
        if link.random.nextUniform() < disturbance.drop { return .breaks(.lost) }
        if link.random.nextUniform() < disturbance.corrupt { return .breaks(.malformed) }
        var moment = arrival(byteCount, &link, up: up, slow: slow)
        if link.random.nextUniform() < disturbance.reorder { moment = moment + disturbance.reorderDelay }
        if link.random.nextUniform() < disturbance.duplicate {
            return .arrivesTwice(moment, moment + .nanoseconds(link.roundTrip))
        }
        return .arrives(moment)
    }

    private mutating func arrival(_ byteCount: Int, _ link: inout SimulatedLink, up: Bool, slow: Double) -> Moment {
        let nanoseconds =
            up
            ? link.up.message(byteCount, at: now.nanoseconds, slow: slow, &link.random)
            : link.down.message(byteCount, at: now.nanoseconds, slow: slow, &link.random)
        return Moment(nanoseconds: nanoseconds)
    }

    /// Sends an object's bytes one way and its requests the other.
    private mutating func transfer(
        _ object: ObjectReference, over link: inout SimulatedLink, up: Bool, chunkByteCount: Int, tier: Int,
        slow: Double
    ) -> (arrival: Moment, airTime: Duration) {
        let size = transferSizes.size(of: object, chunkByteCount: chunkByteCount)
        recorder.count(size.chunks, up: up, tier: tier)
        recorder.count(size.requests, up: !up, tier: tier)
        let window = Limits.transferWindowByteCount
        let roundTrip = link.roundTrip
        // The request travels first.
        let begin = now.nanoseconds + (up ? link.down.delay : link.up.delay)
        let (arrival, airTime) =
            up
            ? link.up.transfer(size.chunks, at: begin, window: window, roundTrip: roundTrip, slow: slow, &link.random)
            : link.down.transfer(
                size.chunks, at: begin, window: window, roundTrip: roundTrip, slow: slow, &link.random)
        return (Moment(nanoseconds: arrival), .nanoseconds(airTime))
    }

    // MARK: Broken connections

    /// Breaks the connection to a device, which makes it again.
    mutating func breakLink(of session: DeviceSession, _ reason: ReasonCode) {
        if reason == .malformed { recorder.refused(reason) }
        goOffline(session)
        events.push(
            .deviceMissed(session, connection: session.link.connection),
            at: now + .nanoseconds(session.link.down.delay))
        events.push(.deviceChanges(session), at: now + reconnectPause(&session.link.random))
    }

    /// Breaks the connection of an aggregator to its parent; it is made again.
    mutating func breakLink(of node: SimulatedNode, _ reason: ReasonCode) {
        if reason == .malformed { recorder.refused(reason) }
        cut(node, noticedAfter: .nanoseconds(node.link.up.delay))
        events.push(.connect(node), at: now + reconnectPause(&node.link.random))
    }

    mutating func reconnectPause(_ random: inout CounterRandom) -> Duration {
        .nanoseconds(Int64(Double(Self.reconnectPause.nanoseconds) * (0.5 + 0.5 * random.nextUniform())))
    }

    /// Cuts an aggregator's link to its parent.
    mutating func cut(_ node: SimulatedNode, noticedAfter delay: Duration) {
        guard node.link.isUp else { return }
        node.link.cut(at: now.nanoseconds)
        events.push(.childMissed(node, connection: node.link.connection), at: now + delay)
        if node.isAlive { drive(node, .parentGone) }
    }

    /// Makes an aggregator's connection to its parent, if nothing stands against it.
    mutating func connect(_ node: SimulatedNode) {
        guard node.isAlive, let parent = node.parent, parent.isAlive,
            faults.isQuiet || !faults.isCut(node.name, tier: node.tierName)
        else { return }
        if node.link.isUp, node.isConnected { return }
        node.link.isUp = true
        node.link.connection += 1
        node.isConnected = true
        drive(node, .parentConnected)
        for entry in node.wanted.values.sorted(by: { $0.object.byteCount < $1.object.byteCount }) {
            pull(entry.object, entry.run, to: node)
        }
    }
}
