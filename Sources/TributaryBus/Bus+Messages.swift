// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CZeroMQ
package import TributaryCore
internal import TributaryWire

// Frames out and in.

extension Bus {
    /// Sends a message, or queues it while the peer is slow; never blocks.
    ///
    /// A message to a peer that is gone, or to a link that is down, is dropped: `gone` says so, or has said so.
    package func send(_ envelope: Envelope, to peer: Peer) {
        send(.message(envelope), to: peer)
    }

    func send(_ outgoing: Session.Outgoing, to peer: Peer) {
        guard let session = sessions[peer] else { return }
        if session.outbox.isEmpty {
            switch transmit(outgoing, over: session) {
            case .sent: return
            case .unreachable: return lost(session)
            case .blocked: break
            }
        }
        guard isConnected(session) else { return }
        guard session.outbox.count < Session.outboxCountMax else {
            refusals[.unexpected, default: 0] += 1
            let text = "\(Session.outboxCountMax) messages wait for it; it does not read"
            events.append(.violation(peer, node: session.node, .unexpected, text))
            return lost(session)
        }
        session.outbox.append(outgoing)
        block(session)
    }

    func sendPing(to session: Session) {
        let outcome = transmit(byteCount: Wire.pingByteCount, over: session) { buffer throws(WireError) in
            try Wire.encodePing(into: buffer)
        }
        if outcome == .unreachable { lost(session) }
    }

    func flushOutbox(of session: Session) {
        var sentCount = 0
        loop: for outgoing in session.outbox {
            switch transmit(outgoing, over: session) {
            case .sent: sentCount += 1
            case .blocked: break loop
            case .unreachable: return lost(session)
            }
        }
        session.outbox.removeFirst(sentCount)
    }

    func transmit(_ outgoing: Session.Outgoing, over session: Session) -> ZeroMQSocket.SendOutcome {
        switch outgoing {
        case .message(let envelope):
            transmit(byteCount: Wire.byteCount(of: envelope), over: session) { buffer throws(WireError) in
                try Wire.encode(envelope, into: buffer)
            }
        case .fetch(let fetch):
            transmit(byteCount: Wire.byteCount(of: fetch), over: session) { buffer throws(WireError) in
                try Wire.encode(fetch, into: buffer)
            }
        case .frame(let bytes):
            transmit(byteCount: bytes.count, over: session) { buffer throws(WireError) in
                buffer.copyBytes(from: bytes)
                return bytes.count
            }
        }
    }

    /// Fills a frame and hands it to libzmq, if the peer's pipe takes one.
    func transmit(
        byteCount: Int, over session: Session,
        _ fill: (UnsafeMutableRawBufferPointer) throws(WireError) -> Int
    ) -> ZeroMQSocket.SendOutcome {
        guard byteCount <= frameByteCountMax(of: session) else {
            violate(session, .oversized, "a message of our own takes \(byteCount) bytes; the link allows less")
            return .sent
        }
        guard let frame = OutgoingFrame(byteCount: byteCount, meter: session.meter) else { return .blocked }
        do {
            let written = try fill(frame.bytes)
            precondition(written == byteCount, "the wire's size function and its writer disagree")
        } catch {
            violate(session, error.reason, "a message of our own cannot be written: \(error)")
            return .sent
        }
        return count(hand(frame, to: session), byteCount, session)
    }

    /// Hands a chunk's frame to libzmq that may go to other children too.
    func transmit(_ frame: SharedFrame, over session: Session) -> ZeroMQSocket.SendOutcome {
        count(hand(OutgoingFrame(sharing: frame, meter: session.meter), to: session), frame.bytes.count, session)
    }

    private func count(
        _ outcome: ZeroMQSocket.SendOutcome, _ byteCount: Int, _ session: Session
    ) -> ZeroMQSocket.SendOutcome {
        if outcome == .sent {
            session.traffic.bytesSent += UInt64(byteCount)
            session.traffic.framesSent += 1
            traffic.bytesSent += UInt64(byteCount)
            traffic.framesSent += 1
        }
        return outcome
    }

    private func hand(_ frame: consuming OutgoingFrame, to session: Session) -> ZeroMQSocket.SendOutcome {
        switch session.route {
        case .child(let listener, let routingID):
            touched.insert(listener.token)
            let outcome = listener.socket.send(routingID, more: true)
            return outcome == .sent ? listener.socket.send(frame) : outcome
        case .parent(let link):
            guard link.isUp, let socket = link.socket else { return .blocked }
            touched.insert(link.token)
            return socket.send(frame)
        }
    }

    func frameByteCountMax(of session: Session) -> Int {
        switch session.route {
        case .child(let listener, _): listener.frameByteCountMax
        case .parent: Bus.linkFrameByteCountMax
        }
    }

    func isConnected(_ session: Session) -> Bool {
        switch session.route {
        case .child: sessions[session.peer] != nil
        case .parent(let link): link.isUp
        }
    }

    /// libzmq has no connection to a peer any more, or we gave it up.
    func lost(_ session: Session) {
        switch session.route {
        case .child: end(session, refusal: nil)
        case .parent(let link):
            guard link.isUp else { return }
            dropTransfers(of: session)
            events.append(.gone(session.peer))
            retryLater(link, Bus.now())
        }
    }

    /// Reads one frame from a peer.
    func handle(_ bytes: UnsafeRawBufferPointer, from session: Session, frameByteCountMax: Int, _ now: Moment) {
        session.traffic.bytesReceived += UInt64(bytes.count)
        session.traffic.framesReceived += 1
        traffic.bytesReceived += UInt64(bytes.count)
        traffic.framesReceived += 1
        let frame: WireFrame
        do {
            frame = try Wire.decode(bytes, frameByteCountMax: frameByteCountMax)
        } catch {
            return refuse(session, error.reason, error.description)
        }
        switch frame.body {
        case .ping: break
        case .fetch(let fetch): serve(fetch, to: session)
        case .chunk(let chunk): take(chunk, in: bytes, from: session, now)
        case .joined(let joined):
            guard case .parent = session.route else { return refuse(session, .unexpected, "only a parent answers so") }
            events.append(.joined(session.peer, joined))
        case .join: refuse(session, .unexpected, "who is admitted need not join")
        case .message(let envelope):
            if case .refuse(let refuse) = envelope.message, case .object(let digest) = refuse.subject,
                receiver.refused(digest, by: session.peer, reason: refuse.reason, now: now)
            {
                return takeFromReceiver()
            }
            events.append(.message(session.peer, node: session.node, envelope))
        }
    }

    /// Counts a breach, tells the owner and a child about it; only counts when there are too many.
    func refuse(_ session: Session?, _ reason: ReasonCode, _ text: String, subject: Refuse.Subject = .connection) {
        guard violate(session, reason, text), let session, case .child = session.route else { return }
        answer(session, Refuse(subject: subject, reason: reason, text: text))
    }

    func answer(_ session: Session, _ refuse: Refuse) {
        var refuse = refuse
        refuse.text = Bus.clipped(refuse.text)
        send(Envelope(run: nil, epoch: TopologyEpoch(0), message: .refuse(refuse)), to: session.peer)
    }

    /// Counts a breach and tells the owner; whether there is budget to answer it.
    @discardableResult
    private func violate(_ session: Session?, _ reason: ReasonCode, _ text: String) -> Bool {
        refusals[reason, default: 0] += 1
        let mayTell = session?.answers.take(now: Bus.now()) ?? strangerAnswers.take(now: Bus.now())
        if mayTell { events.append(.violation(session?.peer, node: session?.node, reason, text)) }
        return mayTell
    }

    /// A text within `Limits.textByteCountMax`.
    private static func clipped(_ text: String) -> String {
        var clipped = text
        while clipped.utf8.count > Limits.textByteCountMax { clipped.removeLast() }
        return clipped
    }
}
