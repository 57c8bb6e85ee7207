// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CZeroMQ

/// What libzmq reports about the connections of one socket.
final class SocketMonitor {
    enum Event {
        case handshakeSucceeded
        case handshakeRefused(status: Int32)
        case handshakeFailed
        case disconnected(descriptor: Int32)
        /// An attempt to connect failed.
        case closed
        case acceptFailed(error: Int32)
        case accepted(descriptor: Int32)
    }

    static let mask =
        ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH
        | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_DISCONNECTED
        | ZMQ_EVENT_CLOSED | ZMQ_EVENT_ACCEPT_FAILED

    let socket: ZeroMQSocket
    private let watched: ZeroMQSocket
    private let message = IncomingMessage()

    /// Watches `watched`, which must not be bound or connected yet.
    ///
    /// `tellsAccepted`: reports each connection before its handshake, too.
    init(of watched: ZeroMQSocket, tellsAccepted: Bool = false) throws(BusError) {
        let endpoint = ZeroMQContext.shared.monitorEndpoint()
        socket = try ZeroMQContext.shared.socket(ZMQ_PAIR)
        self.watched = watched
        socket.set(ZMQ_LINGER, 0)
        // libzmq's thread waits for room here while it holds up every connection of the process: there is always room.
        socket.set(ZMQ_RCVHWM, 0)
        try socket.connect(endpoint)
        try watched.monitor(at: endpoint, mask: SocketMonitor.mask | (tellsAccepted ? ZMQ_EVENT_ACCEPTED : 0))
    }

    /// Ends the reports; to be called before either socket is closed, as libzmq's thread would wait for ever to
    /// report to a monitor that has gone.
    func stop() { watched.stopMonitoring() }

    /// The oldest event not taken yet.
    func next() -> Event? {
        while socket.receive(into: message) {
            let head = message.bytes
            let known = head.count >= 6 ? event(of: head) : nil
            while message.hasMore, socket.receive(into: message) {}
            if let known { return known }
        }
        return nil
    }

    private func event(of head: UnsafeRawBufferPointer) -> Event? {
        let value = head.loadUnaligned(fromByteOffset: 2, as: Int32.self)
        switch Int32(head.loadUnaligned(as: UInt16.self)) {
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: return .handshakeSucceeded
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: return .handshakeRefused(status: value)
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL: return .handshakeFailed
        case ZMQ_EVENT_DISCONNECTED: return .disconnected(descriptor: value)
        case ZMQ_EVENT_CLOSED: return .closed
        case ZMQ_EVENT_ACCEPTED: return .accepted(descriptor: value)
        case ZMQ_EVENT_ACCEPT_FAILED: return .acceptFailed(error: value)
        default: return nil
        }
    }
}
