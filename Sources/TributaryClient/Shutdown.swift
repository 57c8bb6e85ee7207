// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
package import TributaryBus

/// A request to end that any thread may make, and that wakes whoever polls a bus.
package final class Shutdown: Sendable {
    private struct State {
        var isRequested = false
        var wakers: [Waker] = []
    }
    private let state = Mutex(State())

    package init() {}

    /// Whether somebody asked for the end.
    package var isRequested: Bool { state.withLock { $0.isRequested } }

    /// Asks for a clean end.
    package func request() {
        let wakers = state.withLock { state in
            state.isRequested = true
            return state.wakers
        }
        for waker in wakers { waker.wake() }
    }

    /// Has `waker` woken when the end is asked for, also when that was before.
    package func watch(_ waker: Waker) {
        let isRequested = state.withLock { state in
            state.wakers.append(waker)
            return state.isRequested
        }
        if isRequested { waker.wake() }
    }
}
