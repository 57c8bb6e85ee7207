// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CZeroMQ
internal import Glibc
package import TributaryCore
internal import TributaryWire

/// All sockets of one node (or of many devices in one process), owned, polled and closed by one thread.
///
/// ```swift
/// let bus = try Bus(store: store)
/// let parent = try bus.connect(endpoint, parentKey: key, identity: identity, jitterSeed: 7)
/// while running {
///     for event in bus.poll(until: nextTimer) { handle(event) }   // .connected: send Hello, fetch again
/// }
/// bus.flush(until: Bus.now() + .seconds(1))
/// bus.close()
/// ```
///
/// What a peer does is never an error of a call, it is an event. Nothing but `poll` and `flush` waits.
package final class Bus {
    /// Wakes the owner out of `poll` from any thread.
    package let waker: Waker
    /// What went over all peers so far, those that are gone included.
    package internal(set) var traffic = Traffic()
    /// How often something was refused here, by reason.
    package internal(set) var refusals: [ReasonCode: UInt64] = [:]

    let store: any BlockStore
    let reactor: Reactor
    let receiver: ObjectReceiver
    /// Bytes on their way out over all peers.
    let meter: OutgoingMeter
    /// Rung by libzmq's threads and the admission desk; not told to the owner.
    let bell: Waker
    let incoming = IncomingMessage()
    let incomingHead = IncomingMessage()

    var events: [BusEvent] = []
    var sessions: [Peer: Session] = [:]
    var listeners: [UInt64: Listener] = [:]
    var links: [UInt64: Link] = [:]
    var linkPeers: [UInt64: Session] = [:]
    /// Sockets that may have news, by their reactor token.
    var touched: Set<UInt64> = []
    /// Sessions with chunks to send, in the order of their turns, and those whose pipes are full.
    var line: [Session] = []
    var blocked: [Session] = []
    /// Children whose connection may have ended, and when to ask libzmq.
    var suspects: [(peer: Peer, at: Moment)] = []
    /// Chunks that several children are likely to want.
    var frames = SharedFrames()
    /// A lower bound of the links' moments.
    var linksDue: Moment?
    /// Connections to be cut, and when: what was said to them before is to leave first.
    var cuts: [(connection: Connection, at: Moment)] = []
    /// Of strangers together.
    var strangerAnswers = AnswerBudget()
    var isClosed = false
    private var numberCount: UInt64 = 0

    /// Opens a bus without sockets; objects are read from and written to `store`.
    ///
    /// - Throws: `BusError.resources` without descriptors to wait with.
    package init(store: any BlockStore) throws(BusError) {
        self.store = store
        waker = try Waker()
        bell = try Waker()
        reactor = try Reactor()
        receiver = ObjectReceiver(store: store)
        meter = OutgoingMeter(total: nil, waker: bell)
        try reactor.add(waker.descriptor, token: Token.waker)
        try reactor.add(bell.descriptor, token: Token.bell)
    }

    deinit { close() }

    /// What the reactor's tokens stand for: the last bit says whether it is a monitor, the rest counts.
    enum Token {
        static let waker: UInt64 = 0
        static let bell: UInt64 = 1
        static func monitor(of token: UInt64) -> UInt64 { token | 1 }
        static func isMonitor(_ token: UInt64) -> Bool { token & 1 == 1 }
        static func socket(of token: UInt64) -> UInt64 { token & ~1 }
    }

    func nextNumber() -> UInt64 {
        numberCount += 1
        return numberCount
    }

    /// Waits for events until a moment (`nil`: until one comes) and returns them, oldest first.
    ///
    /// Returns as soon as there is an event, and at the moment with none. Call it again and again: transfers, answers
    /// and reconnections make headway only here.
    package func poll(until deadline: Moment?) -> [BusEvent] {
        var timeout: Duration? = .zero
        while !isClosed {
            wait(timeout)
            let now = Bus.now()
            runTimers(now)
            serviceTouched(now)
            serveLine(now)
            if !events.isEmpty { break }
            if let deadline, now >= deadline { break }
            let isBusy = !touched.isEmpty || !line.isEmpty
            timeout = isBusy ? .zero : [deadline, due()].compactMap { $0 }.min().map { $0 - now }
        }
        defer { events.removeAll(keepingCapacity: true) }
        return events
    }

    /// Keeps working until everything sent so far has left this process, or until a moment; keeps events for `poll`.
    package func flush(until deadline: Moment) {
        var kept: [BusEvent] = []
        while !isClosed, Bus.now() < deadline {
            let isIdle = meter.byteCount == 0 && sessions.values.allSatisfy { $0.outbox.isEmpty }
            if isIdle { break }
            kept += poll(until: min(deadline, Bus.now() + .milliseconds(2)))
        }
        events = kept + events
    }

    /// Closes all sockets at once; later calls do nothing.
    ///
    /// What has not left is lost: `flush` first.
    package func close() {
        guard !isClosed else { return }
        isClosed = true
        for listener in listeners.values {
            AdmissionDesk.shared.close(listener.domain)
            close(listener.socket, watchedBy: listener.monitor)
        }
        for link in links.values { closeSockets(of: link) }
        listeners = [:]
        links = [:]
        sessions = [:]
        linkPeers = [:]
        line = []
        blocked = []
        events = []
    }

    /// The node that a child's key stands for; `nil` for a link, and for a child that is gone.
    package func node(of peer: Peer) -> NodeName? { sessions[peer]?.node }

    /// What went over one peer so far (a link counts over all its connections); nothing once it is gone.
    package func traffic(of peer: Peer) -> Traffic { sessions[peer]?.traffic ?? Traffic() }

    /// The children connected now.
    package var childCount: Int { listeners.values.reduce(0) { $0 + $1.nodes.count } }

    /// This moment on the monotonic clock.
    package static func now() -> Moment {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Moment(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// Stops waiting for a socket and closes it.
    func close(_ socket: ZeroMQSocket, watchedBy monitor: SocketMonitor) {
        monitor.stop()
        reactor.remove(socket.descriptor)
        reactor.remove(monitor.socket.descriptor)
        socket.close()
        monitor.socket.close()
    }
}
