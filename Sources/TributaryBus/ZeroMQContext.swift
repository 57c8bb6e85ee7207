// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CZeroMQ
internal import Synchronization

/// libzmq's context: one per process, made on first use and never terminated.
///
/// libzmq 4.3.4 may crash other contexts when one ends, and its admission handler is found by context.
struct ZeroMQContext: @unchecked Sendable {
    // Unchecked, because libzmq documents contexts as thread safe; the pointer never changes.
    private let pointer: UnsafeMutableRawPointer?

    static let shared = ZeroMQContext()
    private static let monitorCount = Atomic<UInt64>(0)

    private init() {
        pointer = zmq_ctx_new()
        // Two sockets a link (itself and its monitor); the limit of open files is reached first.
        _ = zmq_ctx_set(pointer, ZMQ_MAX_SOCKETS, 65_000)
        _ = zmq_ctx_set(pointer, ZMQ_IO_THREADS, 1)
        _ = zmq_ctx_set(pointer, ZMQ_BLOCKY, 0)
    }

    func socket(_ type: Int32) throws(BusError) -> ZeroMQSocket {
        guard let socket = zmq_socket(pointer, type) else {
            throw .resources(action: "open a socket", message: ZeroMQSocket.lastErrorText)
        }
        return ZeroMQSocket(pointer: socket)
    }

    /// An address for a monitor that no other has.
    func monitorEndpoint() -> String {
        let number = ZeroMQContext.monitorCount.add(1, ordering: .relaxed).newValue
        return "inproc://tributary.monitor.\(number)"
    }
}
