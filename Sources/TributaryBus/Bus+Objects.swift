// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
internal import TributaryWire

// Objects in (asked for by us) and out (asked for by peers).

extension Bus {
    /// Bytes that may be on their way out to one peer.
    static let peerAllowanceMax = 2 * Limits.transferWindowByteCount
    /// Bytes handed out per turn of `poll` before sockets are read again.
    static let byteCountPerTurn = 2 * 1024 * 1024

    /// Pulls an object into the store; ends in `fetched` or `fetchFailed`, or in the peer's `gone`.
    ///
    /// An object that the store holds is `fetched` at once. Asked from several peers, it is pulled from the first, and
    /// the others stand by; `fetched` is then told for each. After `gone`, ask again (the link once it is `connected`,
    /// a child's new peer): only what has not come travels.
    package func fetch(_ object: ObjectReference, from peer: Peer) {
        guard let session = sessions[peer], isConnected(session) else {
            return events.append(.fetchFailed(peer, object, peer.kind == .parent ? .parentLost : .lost))
        }
        receiver.fetch(object, from: peer, now: Bus.now())
        takeFromReceiver()
    }

    /// Stops a fetch without an event; what arrived stays for the next one.
    package func cancelFetch(_ digest: Digest, from peer: Peer) {
        receiver.cancel(digest, from: peer, now: Bus.now())
        takeFromReceiver()
    }

    func take(_ chunk: Chunk, in bytes: UnsafeRawBufferPointer, from session: Session, _ now: Moment) {
        let payload = UnsafeRawBufferPointer(rebasing: bytes[chunk.payload])
        let outcome = receiver.receive(chunk, bytes: payload.bytes, from: session.peer, now: now)
        if outcome == .unexpected {
            let text = "a chunk of \(chunk.digest.short) at \(chunk.offset) was not asked for"
            refuse(session, .unexpected, text, subject: .object(chunk.digest))
        }
        takeFromReceiver()
    }

    /// Takes a peer's request for a range of an object.
    func serve(_ fetch: Fetch, to session: Session) {
        guard let byteCount = store.byteCount(of: fetch.digest) else {
            return decline(fetch, to: session, .unknownObject, "this node does not hold object \(fetch.digest.short)")
        }
        if let reason = session.uploads.add(fetch, objectByteCount: byteCount) {
            let text =
                "bytes \(fetch.offset) and \(fetch.length) on of \(fetch.digest.short) (\(byteCount) bytes)"
                + " cannot be had at this time"
            return decline(fetch, to: session, reason, text)
        }
        enterLine(session)
    }

    /// Refuses a request; the peer's receiving side is always told, within the budget.
    private func decline(_ fetch: Fetch, to session: Session, _ reason: ReasonCode, _ text: String) {
        refusals[reason, default: 0] += 1
        guard session.answers.take(now: Bus.now()) else { return }
        answer(session, Refuse(subject: .object(fetch.digest), reason: reason, text: text))
    }

    func enterLine(_ session: Session) {
        guard !session.isInLine, !session.uploads.isEmpty || !session.outbox.isEmpty else { return }
        session.isInLine = true
        line.append(session)
    }

    /// Puts a session aside until its pipe has room.
    func block(_ session: Session) {
        line.removeAll { $0 === session }
        guard !blocked.contains(where: { $0 === session }) else { return }
        session.isInLine = true
        blocked.append(session)
    }

    /// Sends chunks, one peer after another, as far as pipes and the bounds on bytes under way allow.
    func serveLine(_ now: Moment) {
        var budget = Bus.byteCountPerTurn
        var position = 0
        while budget > 0, !line.isEmpty {
            if position >= line.count { position = 0 }
            let session = line[position]
            switch sendChunk(to: session) {
            case .sent(let byteCount):
                budget -= byteCount
                position += 1
            case .blocked: block(session)
            case .done:
                line.removeAll { $0 === session }
                session.isInLine = false
            }
        }
        // The next turn begins behind the one who was served last.
        if position > 0, position < line.count { line = Array(line[position...] + line[..<position]) }
    }

    private enum ChunkOutcome {
        case sent(byteCount: Int)
        case blocked
        case done
    }

    private func sendChunk(to session: Session) -> ChunkOutcome {
        guard sessions[session.peer] != nil else { return .done }
        if !session.outbox.isEmpty {
            flushOutbox(of: session)
            guard session.outbox.isEmpty else { return .blocked }
        }
        guard let piece = session.uploads.next else { return .done }
        guard hasAllowance(session, byteCount: piece.byteCount) else { return .blocked }
        do {
            if case .child = session.route, let frame = frames[piece] {
                return chunkOutcome(transmit(frame, over: session), piece, session)
            }
            let outcome = try store.withBytes(of: piece.digest, offset: piece.offset, byteCount: piece.byteCount) {
                transmit(piece, payload: $0, over: session)
            }
            return chunkOutcome(outcome, piece, session)
        } catch {
            session.uploads.remove(piece.digest)
            let text = "object \(piece.digest.short) cannot be read here"
            refusals[.storage, default: 0] += 1
            answer(session, Refuse(subject: .object(piece.digest), reason: .storage, text: text))
            return .sent(byteCount: 0)
        }
    }

    private func chunkOutcome(
        _ outcome: ZeroMQSocket.SendOutcome, _ piece: UploadQueue.Piece, _ session: Session
    ) -> ChunkOutcome {
        switch outcome {
        case .sent:
            session.uploads.advance()
            return .sent(byteCount: piece.byteCount)
        case .blocked: return .blocked
        case .unreachable:
            lost(session)
            return .done
        }
    }

    private func transmit(
        _ piece: UploadQueue.Piece, payload: RawSpan, over session: Session
    ) -> ZeroMQSocket.SendOutcome {
        payload.withUnsafeBytes { payload in
            let byteCount = Wire.chunkByteCount(offset: piece.offset, payloadByteCount: payload.count)
            if case .child = session.route, let frame = SharedFrame(byteCount: byteCount),
                (try? Wire.encodeChunk(
                    digest: piece.digest, offset: piece.offset, payload: payload, into: frame.bytes)) == byteCount
            {
                frames.insert(frame, for: piece)
                return transmit(frame, over: session)
            }
            return transmit(byteCount: byteCount, over: session) { buffer throws(WireError) in
                try Wire.encodeChunk(digest: piece.digest, offset: piece.offset, payload: payload, into: buffer)
            }
        }
    }

    /// Whether a peer may have more bytes on their way: an equal part of the node's bound, and always one chunk's worth
    /// while the node is below it, so that stalled peers cannot starve the others.
    private func hasAllowance(_ session: Session, byteCount: Int) -> Bool {
        let share = Limits.inFlightByteCountMax / max(1, line.count + blocked.count)
        let allowance = min(max(share, byteCount), Bus.peerAllowanceMax)
        func fits() -> Bool {
            (session.meter.byteCount == 0 || session.meter.byteCount + byteCount <= allowance)
                && meter.byteCount + byteCount <= Limits.inFlightByteCountMax
        }
        if fits() { return true }
        session.meter.await()
        meter.await()
        // A release between the look and the request rings nobody.
        return fits()
    }

    /// Ends all transfers with a peer whose connection is gone.
    func dropTransfers(of session: Session) {
        session.outbox = []
        session.uploads = UploadQueue(chunkByteCount: session.uploads.chunkByteCount)
        line.removeAll { $0 === session }
        blocked.removeAll { $0 === session }
        session.isInLine = false
        receiver.forget(session.peer, now: Bus.now())
        takeFromReceiver()
    }
}
