// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import TributaryCore
internal import TributaryWire

/// The receiving side of all transfers of one bus: which objects are under way, from whom, and which wait.
///
/// An object is pulled once, however many peers it was asked from: the others stand by and take over, from the byte
/// reached, when the first fails. At most `Limits.transferCountMax` objects are under way; one that makes no headway
/// gives its place to the next in line, and still takes what comes.
final class ObjectReceiver {
    /// What a chunk meant.
    enum Outcome: Equatable {
        case used
        /// Came before, or belongs to a transfer that has just ended.
        case late
        case unexpected
    }

    private struct Transfer {
        let object: ObjectReference
        var source: Peer
        var standby: [Peer] = []
        var download: Download?
        var isActive = false
        /// Where the transfer was when its turn began.
        var turnStartedAt = Moment(nanoseconds: 0)
        var turnByteCount: UInt64 = 0
    }

    /// A transfer must move a window in this time, or give its place to one that waits.
    static let turn = Duration.seconds(5)
    /// Ended transfers whose last chunks may still come.
    private static let endedCountMax = 256

    /// What is to be sent, and what is to be told; the bus takes both after each call.
    private(set) var requests: [(peer: Peer, fetch: Fetch)] = []
    private(set) var events: [BusEvent] = []

    private let store: any BlockStore
    private var transfers: [Digest: Transfer] = [:]
    private var waiting: [Digest] = []
    private var activeCount = 0
    private var ended: [(digest: Digest, peer: Peer, byteCount: UInt64)] = []
    private var random = CounterRandom(seed: 0, purpose: .reconnect)

    init(store: any BlockStore) { self.store = store }

    /// Takes what is to be sent since the last call.
    func takeRequests() -> [(peer: Peer, fetch: Fetch)] {
        defer { requests.removeAll(keepingCapacity: true) }
        return requests
    }

    /// Takes what is to be told since the last call.
    func takeEvents() -> [BusEvent] {
        defer { events.removeAll(keepingCapacity: true) }
        return events
    }

    func fetch(_ object: ObjectReference, from peer: Peer, now: Moment) {
        guard object.byteCount <= Limits.objectByteCountMax else {
            return events.append(.fetchFailed(peer, object, .oversized))
        }
        if var transfer = transfers[object.digest] {
            guard transfer.object == object else { return events.append(.fetchFailed(peer, object, .wrongSize)) }
            if transfer.source != peer, !transfer.standby.contains(peer) { transfer.standby.append(peer) }
            transfers[object.digest] = transfer
            return
        }
        if let byteCount = store.byteCount(of: object.digest) {
            let isRight = byteCount == object.byteCount
            return events.append(isRight ? .fetched(peer, object) : .fetchFailed(peer, object, .wrongSize))
        }
        transfers[object.digest] = Transfer(object: object, source: peer)
        waiting.append(object.digest)
        startWaiting(now: now)
    }

    func cancel(_ digest: Digest, from peer: Peer, now: Moment) {
        guard var transfer = transfers[digest] else { return }
        if transfer.source == peer {
            replaceSource(of: digest, now: now)
        } else {
            transfer.standby.removeAll { $0 == peer }
            transfers[digest] = transfer
        }
    }

    /// Ends what a peer was asked for; others that were asked for the same take over.
    func forget(_ peer: Peer, now: Moment) {
        for (digest, transfer) in transfers {
            if transfer.source == peer || transfer.standby.contains(peer) { cancel(digest, from: peer, now: now) }
        }
        ended.removeAll { $0.peer == peer }
    }

    /// The peer refused an object; whether it was one that it was asked for.
    func refused(_ digest: Digest, by peer: Peer, reason: ReasonCode, now: Moment) -> Bool {
        guard let transfer = transfers[digest], transfer.source == peer else { return false }
        fail(digest, reason, now: now)
        return true
    }

    func receive(_ chunk: Chunk, bytes: RawSpan, from peer: Peer, now: Moment) -> Outcome {
        guard let transfer = transfers[chunk.digest], transfer.source == peer, var download = transfer.download else {
            return takeLate(chunk.digest, byteCount: bytes.byteCount, from: peer) ? .late : .unexpected
        }
        switch download.receive(offset: chunk.offset, byteCount: bytes.byteCount, now: now) {
        case .unexpected:
            // An answer to an earlier transfer of the same object, cancelled or failed, may still be under way.
            return takeLate(chunk.digest, byteCount: bytes.byteCount, from: peer) ? .late : .unexpected
        case .duplicate: return .late
        case .append(let byteCount):
            let position = download.receivedByteCount - UInt64(byteCount)
            do {
                let fresh = bytes.extracting((bytes.byteCount - byteCount)..<bytes.byteCount)
                try store.append(fresh, to: chunk.digest, at: position)
            } catch {
                fail(chunk.digest, .storage, now: now)
                return .used
            }
            if transfer.isActive, let next = download.nextFetch() { requests.append((peer, next)) }
            transfers[chunk.digest]?.download = download
            if download.isComplete { finish(chunk.digest, now: now) }
            return .used
        }
    }

    /// The earliest moment at which `tick` has something to do; `nil` while nothing is under way.
    func due() -> Moment? {
        guard activeCount > 0 else { return nil }
        var earliest: Moment?
        for transfer in transfers.values where transfer.isActive {
            guard let download = transfer.download else { continue }
            var due = download.retryAt
            if !waiting.isEmpty { due = min(due, transfer.turnStartedAt + ObjectReceiver.turn) }
            earliest = min(earliest ?? due, due)
        }
        return earliest
    }

    /// Repeats requests that met silence, and moves slow transfers to the end of the line.
    func tick(now: Moment) {
        for (digest, transfer) in transfers where transfer.isActive {
            guard var download = transfer.download else { continue }
            var random = self.random
            if let repeated = download.retry(now: now, jitter: { ObjectReceiver.jittered($0, &random) }) {
                requests.append((transfer.source, repeated))
            }
            self.random = random
            transfers[digest]?.download = download
            guard now >= transfer.turnStartedAt + ObjectReceiver.turn else { continue }
            let moved = download.receivedByteCount - transfer.turnByteCount
            transfers[digest]?.turnStartedAt = now
            transfers[digest]?.turnByteCount = download.receivedByteCount
            if !waiting.isEmpty, moved < UInt64(Limits.transferWindowByteCount) { park(digest) }
        }
        startWaiting(now: now)
    }

    private static func jittered(_ ceiling: Duration, _ random: inout CounterRandom) -> Duration {
        .nanoseconds(Int64(Double(ceiling.nanoseconds) * (0.75 + 0.25 * random.nextUniform())))
    }

    private func park(_ digest: Digest) {
        transfers[digest]?.isActive = false
        activeCount -= 1
        waiting.append(digest)
    }

    private func startWaiting(now: Moment) {
        while activeCount < Limits.transferCountMax, !waiting.isEmpty {
            start(waiting.removeFirst(), now: now)
        }
    }

    private func start(_ digest: Digest, now: Moment) {
        guard var transfer = transfers[digest], !transfer.isActive else { return }
        var download: Download
        if let parked = transfer.download {
            download = parked
        } else {
            do {
                let held = try store.beginPartial(transfer.object)
                download = Download(
                    transfer.object, heldByteCount: held, windowByteCount: Limits.transferWindowByteCount, now: now)
            } catch {
                return fail(digest, .storage, now: now)
            }
        }
        if let fetch = download.nextFetch() { requests.append((transfer.source, fetch)) }
        transfer.isActive = true
        transfer.turnStartedAt = now
        transfer.turnByteCount = download.receivedByteCount
        transfer.download = download
        transfers[digest] = transfer
        activeCount += 1
        if download.isComplete { finish(digest, now: now) }
    }

    private func finish(_ digest: Digest, now: Moment) {
        guard let transfer = transfers[digest] else { return }
        do {
            guard try store.finishPartial(digest) else { return fail(digest, .wrongDigest, now: now) }
        } catch {
            return fail(digest, .storage, now: now)
        }
        remove(digest)
        for peer in [transfer.source] + transfer.standby { events.append(.fetched(peer, transfer.object)) }
        startWaiting(now: now)
    }

    private func fail(_ digest: Digest, _ reason: ReasonCode, now: Moment) {
        guard let transfer = transfers[digest] else { return }
        events.append(.fetchFailed(transfer.source, transfer.object, reason))
        replaceSource(of: digest, now: now)
    }

    private func replaceSource(of digest: Digest, now: Moment) {
        guard let transfer = transfers[digest] else { return }
        remove(digest)
        if let next = transfer.standby.first {
            transfers[digest] = Transfer(
                object: transfer.object, source: next, standby: Array(transfer.standby.dropFirst()))
            waiting.append(digest)
        } else if let download = transfer.download {
            if download.receivedByteCount > 0 { store.suspendPartial(digest) } else { store.discardPartial(digest) }
        }
        startWaiting(now: now)
    }

    private func remove(_ digest: Digest) {
        guard let transfer = transfers.removeValue(forKey: digest) else { return }
        if transfer.isActive { activeCount -= 1 }
        waiting.removeAll { $0 == digest }
        if let outstanding = transfer.download?.outstandingByteCount, outstanding > 0 {
            if ended.count == ObjectReceiver.endedCountMax { ended.removeFirst() }
            ended.append((digest, transfer.source, outstanding))
        }
    }

    private func takeLate(_ digest: Digest, byteCount: Int, from peer: Peer) -> Bool {
        guard let position = ended.firstIndex(where: { $0.digest == digest && $0.peer == peer }),
            ended[position].byteCount >= UInt64(byteCount)
        else { return false }
        ended[position].byteCount -= UInt64(byteCount)
        if ended[position].byteCount == 0 { ended.remove(at: position) }
        return true
    }
}
