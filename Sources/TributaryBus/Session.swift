// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import TributaryCore
internal import TributaryWire

/// What a bus keeps about one peer: a child's session, or a link for as long as it exists.
final class Session {
    /// Messages that may wait for a slow peer; one that does not take them is given up.
    static let outboxCountMax = 256

    let peer: Peer
    let route: Route
    /// The child that the key stands for; `nil` on a link.
    let node: NodeName?
    /// The child's public key, as libzmq reports it with each frame.
    let keyText: String
    let meter: OutgoingMeter
    /// The child's routing id as a number; 0 on a link.
    var routingNumber: UInt64 = 0
    /// The child's connection, so that it can be cut; `nil` on a link, and where the system does not say.
    var connection: Connection?
    /// Whether a stranger has said what there is to say on a join bind.
    var hasSpoken = false
    var outbox: [Outgoing] = []
    var uploads: UploadQueue
    /// Whether the session stands in the line of those that can be sent chunks.
    var isInLine = false
    var traffic = Traffic()
    var answers = AnswerBudget()

    /// What waits for room in a peer's pipe.
    enum Outgoing {
        case message(Envelope)
        case fetch(Fetch)
        /// A small frame as it is.
        case frame([UInt8])
    }

    enum Route {
        case child(of: Listener, routingID: [UInt8])
        case parent(Link)
    }

    init(
        peer: Peer, route: Route, node: NodeName?, keyText: String, meter: OutgoingMeter, chunkByteCount: Int
    ) {
        self.peer = peer
        self.route = route
        self.node = node
        self.keyText = keyText
        self.meter = meter
        uploads = UploadQueue(chunkByteCount: chunkByteCount)
    }
}

/// One bind and the sessions of its children.
final class Listener {
    /// Ended sessions remembered per child, whose last frames are ignored.
    static let endedCountMax = 16

    let token: UInt64
    let socket: ZeroMQSocket
    let monitor: SocketMonitor
    let domain: String
    let chunkByteCount: Int
    /// Set on a join bind.
    var gate: JoinGate?
    var admission = Admission()
    var sessions: [UInt64: Session] = [:]
    var nodes: [NodeName: (routingID: UInt64, session: Session)] = [:]
    var ended: [NodeName: [UInt64]] = [:]
    /// Which session a connection's descriptor belongs to, as a hint whom to probe when it closes.
    var descriptors: [Int32: Peer] = [:]

    init(token: UInt64, socket: ZeroMQSocket, monitor: SocketMonitor, domain: String, chunkByteCount: Int) {
        self.token = token
        self.socket = socket
        self.monitor = monitor
        self.domain = domain
        self.chunkByteCount = chunkByteCount
    }

    var frameByteCountMax: Int {
        gate == nil ? Wire.frameByteCountMax(chunkByteCount: chunkByteCount) : Limits.joinByteCount
    }

    /// A routing id as libzmq generates them: a zero byte and four of a counter; `nil` for one that a peer chose.
    static func number(ofRoutingID bytes: UnsafeRawBufferPointer) -> UInt64? {
        guard bytes.count == 5, bytes[0] == 0 else { return nil }
        return bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// One connection to a parent, made again and again; with fallbacks, to the first of several that takes it.
///
/// Parents are tried in their order, each for some time ("freelance"). A connection that stands is kept as long as it
/// does, whoever's it is: a child that came back by itself would leave a round that it has a part in. When it breaks,
/// the first parent is asked first.
final class Link {
    /// How long a parent is tried before the next one is: a node that starts again within it keeps its children.
    static let patience = Duration.seconds(2)

    enum State {
        /// Waiting for the next attempt.
        case down(until: Moment)
        /// Connecting; given up at the moment.
        case connecting(until: Moment)
        case up
    }

    let token: UInt64
    /// At least one; the first is preferred.
    let parents: [ParentAddress]
    let identity: CurveKeyPair
    var state: State
    var backoff: Backoff
    /// The pauses between sweeps over all parents.
    private var sweeps: Backoff
    /// Which of the parents is tried, or connected.
    private(set) var position = 0
    /// Since when this parent is tried.
    private var trying: Moment
    var socket: ZeroMQSocket?
    var monitor: SocketMonitor?
    /// Attempts since the last success at which the parent hung up during the handshake.
    var failedHandshakeCount = 0

    init(
        token: UInt64, parents: [ParentAddress], identity: CurveKeyPair, jitterSeed: UInt64, firstAttempt: Moment
    ) {
        self.token = token
        self.parents = parents
        self.identity = identity
        state = .down(until: firstAttempt)
        backoff = Backoff(seed: jitterSeed)
        sweeps = Backoff(seed: ~jitterSeed, first: .milliseconds(500))
        trying = firstAttempt
    }

    var endpoint: String { parents[position].endpoint }
    var parentKey: CurvePublicKey { parents[position].key }

    /// Chooses whom to try next after a failure, or after the end of a connection; returns the pause before.
    func next(weight: Int, _ now: Moment) -> Duration {
        if isUp {
            position = 0
            trying = now
            sweeps.reset()
            return backoff.next(weight: weight)
        }
        guard parents.count > 1, weight > 1 || now - trying >= Self.patience else {
            return backoff.next(weight: weight)
        }
        position = (position + 1) % parents.count
        failedHandshakeCount = 0
        backoff.reset()
        let pause = position == 0 ? sweeps.next() : backoff.next()
        trying = now + pause
        return pause
    }

    var isUp: Bool {
        if case .up = state { true } else { false }
    }

    /// When something is to be done although nothing was heard; `nil` while the link is up.
    var due: Moment? {
        switch state {
        case .down(let moment), .connecting(let moment): moment
        case .up: nil
        }
    }
}
