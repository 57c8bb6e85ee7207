// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CZeroMQ
internal import TributaryCore

// The parent's side: binds, children's sessions, who is admitted.

extension Bus {
    /// Listens for children; returns the endpoint with its port resolved (`tcp://127.0.0.1:*` takes a free one).
    ///
    /// `chunkByteCount`: the largest chunk in either direction over this bind: `Limits.deviceChunkByteCount`
    /// when devices connect, `Limits.aggregatorChunkByteCount` when only aggregators do.
    /// - Throws: `BusError.endpoint` when the address cannot be used, `BusError.resources` without descriptors.
    package func bind(
        _ endpoint: String, identity: CurveKeyPair, admission: Admission, chunkByteCount: Int
    ) throws(BusError) -> String {
        guard !isClosed else { throw .closed }
        return try bind(endpoint, identity: identity, admission: admission, gate: nil, chunkByteCount: chunkByteCount)
    }

    func bind(
        _ endpoint: String, identity: CurveKeyPair, admission: Admission?, gate: JoinGate?, chunkByteCount: Int
    ) throws(BusError) -> String {
        let socket = try ZeroMQContext.shared.socket(ZMQ_ROUTER)
        let domain = try AdmissionDesk.shared.open(admission, waker: bell)
        SocketOptions.prepareListener(
            socket, identity: identity, domain: domain,
            frameByteCountMax: gate == nil
                ? chunkByteCount + Limits.envelopeByteCount : Limits.joinByteCount + JoinGate.overheadByteCount,
            usesIPv6: endpoint.contains("["))
        do throws(BusError) {
            let monitor = try SocketMonitor(of: socket, tellsAccepted: gate != nil)
            do throws(BusError) {
                let listener = Listener(
                    token: nextNumber() << 1, socket: socket, monitor: monitor, domain: domain,
                    chunkByteCount: chunkByteCount)
                listener.gate = gate
                if let admission { listener.admission = admission }
                return try open(listener, at: endpoint)
            } catch {
                close(socket, watchedBy: monitor)
                throw error
            }
        } catch {
            AdmissionDesk.shared.close(domain)
            throw error
        }
    }

    private func open(_ listener: Listener, at endpoint: String) throws(BusError) -> String {
        let resolved = try listener.socket.bind(endpoint)
        try reactor.add(listener.socket.descriptor, token: listener.token)
        try reactor.add(listener.monitor.socket.descriptor, token: Token.monitor(of: listener.token))
        listeners[listener.token] = listener
        touched.insert(listener.token)
        touched.insert(Token.monitor(of: listener.token))
        return resolved
    }

    /// Replaces who is admitted on all binds but those for joining.
    ///
    /// Children whose key is no longer admitted are `gone` at once, nothing more is heard of them, and their
    /// connections are cut.
    package func admit(_ admission: Admission) {
        for listener in listeners.values where listener.gate == nil {
            listener.admission = admission
            AdmissionDesk.shared.replace(admission, in: listener.domain)
            for (node, current) in listener.nodes {
                let key = CurvePublicKey(current.session.keyText)
                if key.flatMap({ admission[$0] }) != node {
                    end(current.session, refusal: (.revokedKey, "this key is no longer admitted"))
                    cutSoon(current.session.connection)
                }
            }
        }
    }

    /// Asks libzmq whether a child is still connected; `gone` follows when it is not.
    ///
    /// Links watch themselves.
    package func probe(_ peer: Peer) {
        guard let session = sessions[peer], case .child = session.route, session.outbox.isEmpty else { return }
        sendPing(to: session)
    }

    /// Ends a child's session (when it connects again it is a new peer), or closes a link.
    ///
    /// No event follows.
    package func disconnect(_ peer: Peer) {
        guard let session = sessions[peer] else { return }
        switch session.route {
        case .child:
            end(session, refusal: nil, tells: false)
        case .parent(let link):
            closeSockets(of: link)
            links[link.token] = nil
            linkPeers[link.token] = nil
            remove(session)
        }
    }

    func service(_ listener: Listener, _ now: Moment) {
        let events = listener.socket.events
        unblock { session in
            if case .child(let owner, _) = session.route { owner === listener } else { false }
        }
        guard events & ZMQ_POLLIN != 0 else { return }
        for _ in 0..<Bus.frameCountPerTurn {
            guard listener.socket.receive(into: incomingHead) else { return }
            guard incomingHead.hasMore, listener.socket.receive(into: incoming) else { continue }
            if incoming.hasMore {
                discardRest(of: listener.socket)
                refuse(nil, .malformed, "a child sent more than one frame in a message")
                continue
            }
            if listener.gate != nil {
                takeJoin(on: listener)
            } else if let session = session(on: listener, now) {
                handle(incoming.bytes, from: session, frameByteCountMax: listener.frameByteCountMax, now)
            }
        }
        touched.insert(listener.token)
    }

    func watch(_ listener: Listener, _ now: Moment) {
        _ = listener.monitor.socket.events
        while let event = listener.monitor.next() {
            switch event {
            case .disconnected(let descriptor):
                listener.gate?.left(descriptor)
                guard let peer = listener.descriptors.removeValue(forKey: descriptor) else { continue }
                for pause in Bus.suspicionPauses { suspects.append((peer, now + pause)) }
            case .handshakeFailed:
                refusals[.malformed, default: 0] += 1
            case .acceptFailed(let error):
                let text = "cannot accept a connection (error \(error)); raise the limit of open files"
                refuse(nil, .tooManyChildren, text)
            case .accepted(let descriptor):
                if let connection = Connection(descriptor) { listener.gate?.entered(connection, now) }
            case .handshakeSucceeded, .handshakeRefused, .closed: break
            }
        }
    }

    /// The session that the frame just received belongs to; `nil` when it is to be ignored.
    private func session(on listener: Listener, _ now: Moment) -> Session? {
        guard let routingID = Listener.number(ofRoutingID: incomingHead.bytes) else {
            refuse(nil, .wrongIdentity, "a child chose its own routing id")
            return nil
        }
        if let known = listener.sessions[routingID] {
            // libzmq 4.3.4 loses the id frame's metadata after a poll; the body frame has it.
            guard incoming.isFrom(userID: known.keyText) else {
                refuse(known, .wrongIdentity, "a frame came without the key that the session was opened with")
                return nil
            }
            return known
        }
        guard let text = incoming.userID, let key = CurvePublicKey(text), let node = listener.admission[key] else {
            refuse(nil, .unknownKey, "a frame came without an admitted key")
            // The key was admitted when it connected, else it could not have.
            cutSoon(Connection(incoming.connectionDescriptor))
            return nil
        }
        if listener.ended[node]?.contains(routingID) == true {
            refusals[.unexpected, default: 0] += 1
            return nil
        }
        return open(routingID, on: listener, node: node, key: key)
    }

    private func open(_ routingID: UInt64, on listener: Listener, node: NodeName, key: CurvePublicKey) -> Session? {
        if let old = listener.nodes[node] {
            end(old.session, refusal: (.duplicate, "another connection of this node took over"))
        }
        guard childCount < Limits.childCountMax else {
            refuse(nil, .tooManyChildren, "\(node) came when \(Limits.childCountMax) children were connected")
            return nil
        }
        let session = Session(
            peer: Peer(kind: .child, number: nextNumber()),
            route: .child(of: listener, routingID: Array(incomingHead.bytes)), node: node, keyText: key.text,
            meter: OutgoingMeter(total: meter, waker: bell), chunkByteCount: listener.chunkByteCount)
        session.routingNumber = routingID
        session.connection = Connection(incoming.connectionDescriptor)
        listener.sessions[routingID] = session
        listener.nodes[node] = (routingID, session)
        listener.descriptors[incoming.connectionDescriptor] = session.peer
        sessions[session.peer] = session
        return session
    }

    /// Ends a child's session; later frames of it are ignored.
    func end(_ session: Session, refusal: (reason: ReasonCode, text: String)?, tells: Bool = true) {
        guard sessions[session.peer] != nil, case .child(let listener, _) = session.route else { return }
        remove(session)
        listener.sessions[session.routingNumber] = nil
        if let node = session.node {
            if listener.nodes[node]?.session === session { listener.nodes[node] = nil }
            var ended = listener.ended[node] ?? []
            if ended.count == Listener.endedCountMax { ended.removeFirst() }
            ended.append(session.routingNumber)
            listener.ended[node] = ended
        }
        if let refusal {
            let refuse = Refuse(subject: .connection, reason: refusal.reason, text: refusal.text)
            let envelope = Envelope(run: nil, epoch: TopologyEpoch(0), message: .refuse(refuse))
            _ = transmit(.message(envelope), over: session)
        }
        if tells { events.append(.gone(session.peer)) }
    }

    /// Forgets a peer and what was under way with it.
    func remove(_ session: Session) {
        sessions[session.peer] = nil
        dropTransfers(of: session)
    }

    private func discardRest(of socket: ZeroMQSocket) {
        while incoming.hasMore, socket.receive(into: incoming) {}
    }
}
