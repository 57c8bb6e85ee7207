// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CZeroMQ
internal import Glibc

/// One libzmq socket; used by the thread that made it, closed once.
final class ZeroMQSocket {
    private var pointer: UnsafeMutableRawPointer?

    /// What became of an attempt to send.
    enum SendOutcome {
        case sent
        /// The peer's pipe is full (or there is none yet).
        case blocked
        /// No such peer is connected.
        case unreachable
    }

    init(pointer: UnsafeMutableRawPointer) { self.pointer = pointer }

    deinit { close() }

    func close() {
        guard let open = pointer else { return }
        pointer = nil
        _ = zmq_close(open)
    }

    static var lastErrorText: String { String(cString: zmq_strerror(zmq_errno())) }

    func set(_ option: Int32, _ value: Int32) {
        var value = value
        let result = zmq_setsockopt(pointer, option, &value, MemoryLayout<Int32>.size)
        precondition(result == 0, "libzmq refused option \(option): \(ZeroMQSocket.lastErrorText)")
    }

    func set(_ option: Int32, wide value: Int64) {
        var value = value
        let result = zmq_setsockopt(pointer, option, &value, MemoryLayout<Int64>.size)
        precondition(result == 0, "libzmq refused option \(option): \(ZeroMQSocket.lastErrorText)")
    }

    func set(_ option: Int32, _ text: String) {
        let result = zmq_setsockopt(pointer, option, text, text.utf8.count)
        precondition(result == 0, "libzmq refused option \(option): \(ZeroMQSocket.lastErrorText)")
    }

    func bind(_ endpoint: String) throws(BusError) -> String {
        guard zmq_bind(pointer, endpoint) == 0 else {
            throw .endpoint(action: "listen on", endpoint: endpoint, message: ZeroMQSocket.lastErrorText)
        }
        var text = [CChar](repeating: 0, count: 1024)
        var count = text.count
        guard zmq_getsockopt(pointer, ZMQ_LAST_ENDPOINT, &text, &count) == 0 else { return endpoint }
        return Z85.text(text)
    }

    func connect(_ endpoint: String) throws(BusError) {
        guard zmq_connect(pointer, endpoint) == 0 else {
            throw .endpoint(action: "connect to", endpoint: endpoint, message: ZeroMQSocket.lastErrorText)
        }
    }

    /// Reports the events of `mask` to a new monitor at `endpoint`.
    func monitor(at endpoint: String, mask: Int32) throws(BusError) {
        guard zmq_socket_monitor(pointer, endpoint, mask) == 0 else {
            throw .resources(action: "watch a socket", message: ZeroMQSocket.lastErrorText)
        }
    }

    func stopMonitoring() { _ = zmq_socket_monitor(pointer, nil, 0) }

    /// What becomes readable when libzmq has news for this socket; ask for `events` then, and before sleeping.
    var descriptor: Int32 {
        var value: Int32 = -1
        var count = MemoryLayout<Int32>.size
        _ = zmq_getsockopt(pointer, ZMQ_FD, &value, &count)
        return value
    }

    /// Takes libzmq's news in; `ZMQ_POLLIN` and `ZMQ_POLLOUT` as bits.
    var events: Int32 {
        var value: Int32 = 0
        var count = MemoryLayout<Int32>.size
        return zmq_getsockopt(pointer, ZMQ_EVENTS, &value, &count) == 0 ? value : 0
    }

    /// Receives one frame into `message`; whether there was one.
    func receive(into message: IncomingMessage) -> Bool {
        zmq_msg_recv(message.pointer, pointer, ZMQ_DONTWAIT) >= 0
    }

    /// Waits for one frame; for sockets that have a thread of their own.
    func receiveWaiting(into message: IncomingMessage) -> Bool {
        while zmq_msg_recv(message.pointer, pointer, 0) < 0 {
            if zmq_errno() != EINTR { return false }
        }
        return true
    }

    /// Sends one small part from a copy.
    func send(_ bytes: [UInt8], more: Bool) -> SendOutcome {
        outcome(zmq_send(pointer, bytes, bytes.count, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)))
    }

    /// Sends the last part; libzmq releases the frame when it has left.
    func send(_ frame: consuming OutgoingFrame) -> SendOutcome {
        let message = UnsafeMutablePointer<zmq_msg_t>.allocate(capacity: 1)
        defer { message.deallocate() }
        frame.move(into: message)
        let result = outcome(zmq_msg_send(message, pointer, ZMQ_DONTWAIT))
        if result != .sent { _ = zmq_msg_close(message) }
        return result
    }

    private func outcome(_ result: Int32) -> SendOutcome {
        if result >= 0 { return .sent }
        return zmq_errno() == EAGAIN ? .blocked : .unreachable
    }
}

/// Room for one received frame, used again and again.
final class IncomingMessage {
    let pointer: UnsafeMutablePointer<zmq_msg_t>

    init() {
        pointer = .allocate(capacity: 1)
        _ = zmq_msg_init(pointer)
    }

    deinit {
        _ = zmq_msg_close(pointer)
        pointer.deallocate()
    }

    /// The frame's bytes, valid until the next receive.
    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: zmq_msg_data(pointer), count: zmq_msg_size(pointer))
    }

    /// Whether another part of the same message follows.
    var hasMore: Bool { zmq_msg_more(pointer) != 0 }

    /// The key that the sender proved to hold, as our admission handler named it; `nil` without one.
    var userID: String? {
        zmq_msg_gets(pointer, "User-Id").map { String(cString: $0) }
    }

    /// The descriptor of the connection that the frame came over; -1 when libzmq does not say.
    var connectionDescriptor: Int32 { zmq_msg_get(pointer, ZMQ_SRCFD) }

    /// Whether the sender's proved key is `text`.
    func isFrom(userID text: String) -> Bool {
        guard let property = zmq_msg_gets(pointer, "User-Id") else { return false }
        return strcmp(property, text) == 0
    }
}
