// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CZeroMQ
internal import Glibc
internal import TributaryCore

/// Waits for any of many descriptors (epoll): the cost of a wait grows with the active ones, not with all.
final class Reactor {
    private let descriptor: Int32
    private var ready = [epoll_event](repeating: epoll_event(), count: 256)

    init() throws(BusError) {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard descriptor >= 0 else {
            throw .resources(action: "wait for sockets", message: String(cString: strerror(errno)))
        }
    }

    deinit { Glibc.close(descriptor) }

    func add(_ watched: Int32, token: UInt64) throws(BusError) {
        var event = epoll_event()
        event.events = EPOLLIN.rawValue
        event.data.u64 = token
        guard epoll_ctl(descriptor, EPOLL_CTL_ADD, watched, &event) == 0 else {
            throw .resources(action: "wait for a socket", message: String(cString: strerror(errno)))
        }
    }

    /// Stops waiting for a descriptor; to be called before it is closed.
    func remove(_ watched: Int32) {
        var event = epoll_event()
        _ = epoll_ctl(descriptor, EPOLL_CTL_DEL, watched, &event)
    }

    /// Waits until something is readable or `timeout` is over (`nil`: for ever); tells `body` the tokens.
    func wait(_ timeout: Duration?, _ body: (UInt64) -> Void) {
        let milliseconds = timeout.map { duration in
            Int32(clamping: (max(duration.nanoseconds, 0) + 999_999) / 1_000_000)
        }
        let count = epoll_wait(descriptor, &ready, Int32(ready.count), milliseconds ?? -1)
        guard count > 0 else { return }
        for position in 0..<Int(count) { body(ready[position].data.u64) }
    }
}
