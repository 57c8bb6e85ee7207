// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CZeroMQ
internal import TributaryCore
internal import TributaryWire

// The child's side: links to parents, made again with a back-off for as long as the bus lives.

extension Bus {
    /// The largest frame that a parent may send.
    static let linkFrameByteCountMax = Wire.frameByteCountMax(chunkByteCount: Limits.aggregatorChunkByteCount)
    /// Links that connect at once; further ones follow this much later each, so that no accept queue overflows.
    static let promptLinkCount = 100
    static let linkPause = Duration.microseconds(200)
    /// Descriptors of a link that is up: its connection, its socket's mailbox, and those of the monitor's two ends.
    package static let descriptorCountPerLink = 4
    /// Handshakes that a parent may break off in a row before the owner is told that it may be another.
    static let failedHandshakeCountMax = 3

    /// Opens a link to a parent; it connects, and reconnects for ever, in the background.
    ///
    /// One process may hold many links, each with a key of its own.
    /// `jitterSeed`: differs from device to device, so that a fleet does not come back at the same moment.
    /// `chunkByteCount`: the largest chunk that this parent's bind takes.
    /// `turn`: the link's place among all that start together, in other processes too; here when it is not given.
    /// - Throws: `BusError.endpoint` for an address that libzmq cannot read, `BusError.resources`.
    package func connect(
        _ endpoint: String, parentKey: CurvePublicKey, identity: CurveKeyPair, jitterSeed: UInt64,
        chunkByteCount: Int = Limits.deviceChunkByteCount, turn: Int? = nil
    ) throws(BusError) -> Peer {
        try connect(
            [ParentAddress(endpoint: endpoint, key: parentKey)], identity: identity, jitterSeed: jitterSeed,
            chunkByteCount: chunkByteCount, turn: turn)
    }

    /// Opens a link to the first of several parents that takes it, and to the next when that one is gone.
    ///
    /// A parent is gone when its connection broke, or when it was silent for three heartbeats (15 s), and could not be
    /// had for 2 s more. `parent(of:)` says which one the link goes to.
    /// - Throws: as for one parent.
    package func connect(
        _ parents: [ParentAddress], identity: CurveKeyPair, jitterSeed: UInt64,
        chunkByteCount: Int = Limits.deviceChunkByteCount, turn: Int? = nil
    ) throws(BusError) -> Peer {
        precondition(!parents.isEmpty, "a link goes to somebody")
        guard !isClosed else { throw .closed }
        let now = Bus.now()
        let lateness = Bus.linkPause * max(0, (turn ?? links.count) - Bus.promptLinkCount)
        let link = Link(
            token: nextNumber() << 1, parents: parents, identity: identity, jitterSeed: jitterSeed,
            firstAttempt: now + lateness)
        let session = Session(
            peer: Peer(kind: .parent, number: nextNumber()), route: .parent(link), node: nil,
            keyText: parents[0].key.text,
            meter: OutgoingMeter(total: meter, waker: bell), chunkByteCount: chunkByteCount)
        if lateness == .zero { try open(link, now) }
        links[link.token] = link
        linkPeers[link.token] = session
        sessions[session.peer] = session
        schedule(link)
        return session.peer
    }

    /// Which of a link's parents it goes to, or tries; 0 for the first.
    package func parent(of peer: Peer) -> Int {
        guard let session = sessions[peer], case .parent(let link) = session.route else { return 0 }
        return link.position
    }

    func runTimer(of link: Link, _ now: Moment) {
        switch link.state {
        case .up: break
        case .connecting: retryLater(link, now)
        case .down:
            do {
                try open(link, now)
            } catch {
                retryLater(link, now)
            }
        }
    }

    func schedule(_ link: Link) {
        guard let due = link.due else { return }
        linksDue = min(linksDue ?? due, due)
    }

    func service(_ link: Link, _ session: Session, _ now: Moment) {
        guard let socket = link.socket else { return }
        let events = socket.events
        if events & ZMQ_POLLOUT != 0 { unblock { $0 === session } }
        guard events & ZMQ_POLLIN != 0 else { return }
        for _ in 0..<Bus.frameCountPerTurn {
            guard socket.receive(into: incoming) else { return }
            guard !incoming.hasMore else {
                while incoming.hasMore, socket.receive(into: incoming) {}
                refuse(session, .malformed, "the parent sent more than one frame in a message")
                continue
            }
            link.backoff.reset()
            handle(incoming.bytes, from: session, frameByteCountMax: Bus.linkFrameByteCountMax, now)
            // Handling a frame may have closed the link.
            guard link.socket === socket else { return }
        }
        touched.insert(link.token)
    }

    func watch(_ link: Link, _ session: Session, _ now: Moment) {
        guard let monitor = link.monitor else { return }
        _ = monitor.socket.events
        while link.monitor === monitor, let event = monitor.next() {
            switch event {
            case .handshakeSucceeded:
                link.state = .up
                link.failedHandshakeCount = 0
                touched.insert(link.token)
                events.append(.connected(session.peer))
            case .handshakeRefused:
                refused(link, session, .unknownKey, now)
            case .handshakeFailed:
                link.failedHandshakeCount += 1
                if link.failedHandshakeCount == Bus.failedHandshakeCountMax {
                    refused(link, session, .wrongIdentity, now)
                } else {
                    retryLater(link, now)
                }
            case .disconnected, .closed:
                lose(link, session, now)
            case .acceptFailed, .accepted: break
            }
        }
    }

    private func refused(_ link: Link, _ session: Session, _ reason: ReasonCode, _ now: Moment) {
        refusals[reason, default: 0] += 1
        events.append(.refused(session.peer, reason))
        link.failedHandshakeCount = 0
        retryLater(link, now, weight: Backoff.refusalWeight)
    }

    private func lose(_ link: Link, _ session: Session, _ now: Moment) {
        if link.isUp {
            // What came before the end still counts.
            service(link, session, now)
            dropTransfers(of: session)
            events.append(.gone(session.peer))
        }
        retryLater(link, now)
    }

    func retryLater(_ link: Link, _ now: Moment, weight: Int = 1) {
        closeSockets(of: link)
        link.state = .down(until: now + link.next(weight: weight, now))
        schedule(link)
    }

    private func open(_ link: Link, _ now: Moment) throws(BusError) {
        let socket = try ZeroMQContext.shared.socket(ZMQ_DEALER)
        SocketOptions.prepareLink(
            socket, identity: link.identity, parentKey: link.parentKey, usesIPv6: link.endpoint.contains("["))
        let monitor = try SocketMonitor(of: socket)
        do throws(BusError) {
            try reactor.add(monitor.socket.descriptor, token: Token.monitor(of: link.token))
            try reactor.add(socket.descriptor, token: link.token)
            try socket.connect(link.endpoint)
        } catch {
            close(socket, watchedBy: monitor)
            throw error
        }
        link.socket = socket
        link.monitor = monitor
        let patience = SocketOptions.connectTimeout + SocketOptions.handshakeTimeout + .seconds(1)
        link.state = .connecting(until: now + patience)
        touched.insert(link.token)
        touched.insert(Token.monitor(of: link.token))
    }

    func closeSockets(of link: Link) {
        if let socket = link.socket, let monitor = link.monitor { close(socket, watchedBy: monitor) }
        link.socket = nil
        link.monitor = nil
    }
}
