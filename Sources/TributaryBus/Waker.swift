// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CZeroMQ
internal import Glibc

/// Wakes the thread that polls a bus; may be called from any thread, and outlive the bus.
package final class Waker: Sendable {
    /// A Linux eventfd, closed with the last reference.
    let descriptor: Int32

    init() throws(BusError) {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard descriptor >= 0 else {
            throw .resources(action: "make a wake-up descriptor", message: String(cString: strerror(errno)))
        }
    }

    deinit { Glibc.close(descriptor) }

    /// Makes the current or next `poll` return with `BusEvent.woken`.
    package func wake() {
        var one: UInt64 = 1
        _ = Glibc.write(descriptor, &one, 8)
    }

    /// Takes the pending wake-ups; whether there were any.
    func take() -> Bool {
        var count: UInt64 = 0
        return Glibc.read(descriptor, &count, 8) == 8
    }
}
