// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CZeroMQ
package import TributaryCore
internal import TributaryWire

// The door for those who are not admitted yet: a bind of its own on which each may say one small thing.

extension Bus {
    /// How long what was said last to a connection has to leave before it is cut.
    static let farewellPause = Duration.milliseconds(250)

    /// Listens for strangers with a token: any key, one message of at most `Limits.joinByteCount`.
    ///
    /// No connection stands longer than `Limits.joinTime`.
    ///
    /// - Throws: `BusError.endpoint` when the address cannot be used, `BusError.resources` without descriptors.
    package func bindForJoining(_ endpoint: String, identity: CurveKeyPair) throws(BusError) -> String {
        guard !isClosed else { throw .closed }
        return try bind(
            endpoint, identity: identity, admission: nil, gate: JoinGate(), chunkByteCount: Limits.joinByteCount)
    }

    /// Asks a parent to be admitted, over a link to its join bind; `joined` or a refusal follows.
    package func send(_ join: Join, to peer: Peer) {
        guard let frame = try? Wire.frame(of: join) else { return }
        send(.frame(frame), to: peer)
    }

    /// Tells a stranger that the key is admitted; the connection ends.
    package func welcome(_ joiner: Peer, _ joined: Joined) {
        guard let session = sessions[joiner] else { return }
        guard let frame = try? Wire.frame(of: joined) else {
            return turnAway(joiner, .storage, "this node's own address is too long")
        }
        send(.frame(frame), to: joiner)
        cutSoon(session.connection)
    }

    /// Tells a stranger why not; the connection ends.
    package func turnAway(_ joiner: Peer, _ reason: ReasonCode, _ text: String) {
        refusals[reason, default: 0] += 1
        guard let session = sessions[joiner] else { return }
        answer(session, Refuse(subject: .connection, reason: reason, text: text))
        cutSoon(session.connection)
    }

    /// Takes the frame just received on a join bind.
    func takeJoin(on listener: Listener) {
        guard let routingID = Listener.number(ofRoutingID: incomingHead.bytes),
            let key = incoming.userID.flatMap({ CurvePublicKey($0) })
        else { return refuse(nil, .wrongIdentity, "a stranger chose its own routing id") }
        let session = listener.sessions[routingID] ?? openJoiner(routingID, on: listener, key)
        guard incoming.isFrom(userID: session.keyText) else { return cutSoon(session.connection) }
        guard !session.hasSpoken else {
            refuse(session, .joinOnce, "a join bind takes one message; connect to the endpoint that was answered")
            return cutSoon(session.connection)
        }
        session.hasSpoken = true
        traffic.bytesReceived += UInt64(incoming.bytes.count)
        traffic.framesReceived += 1
        do {
            let frame = try Wire.decode(incoming.bytes, frameByteCountMax: Limits.joinByteCount)
            if case .join(let join) = frame.body { return events.append(.joining(session.peer, key, join)) }
            refuse(session, .unexpected, "a join bind takes nothing but a join")
        } catch {
            refuse(session, error.reason, error.description)
        }
        cutSoon(session.connection)
    }

    private func openJoiner(_ routingID: UInt64, on listener: Listener, _ key: CurvePublicKey) -> Session {
        let session = Session(
            peer: Peer(kind: .joiner, number: nextNumber()),
            route: .child(of: listener, routingID: Array(incomingHead.bytes)), node: nil, keyText: key.text,
            meter: OutgoingMeter(total: meter, waker: bell), chunkByteCount: Limits.joinByteCount)
        session.routingNumber = routingID
        session.connection = Connection(incoming.connectionDescriptor)
        listener.sessions[routingID] = session
        listener.descriptors[incoming.connectionDescriptor] = session.peer
        sessions[session.peer] = session
        return session
    }

    // MARK: Cutting

    /// Has a connection cut when what was said to it has had time to leave.
    func cutSoon(_ connection: Connection?) {
        guard let connection, !cuts.contains(where: { $0.connection == connection }) else { return }
        cuts.append((connection, Bus.now() + Bus.farewellPause))
    }

    func runCuts(_ now: Moment) {
        if !cuts.isEmpty {
            for cut in cuts where cut.at <= now { cut.connection.cut() }
            cuts.removeAll { $0.at <= now }
        }
        for listener in listeners.values {
            guard let due = listener.gate?.due, due <= now else { continue }
            for connection in listener.gate?.takeExpired(now) ?? [] { connection.cut() }
        }
    }

    /// When the next connection to a join bind has stood long enough.
    var gatesDue: Moment? { listeners.values.compactMap { $0.gate?.due }.min() }
}
