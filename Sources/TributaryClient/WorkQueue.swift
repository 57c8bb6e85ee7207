// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization
package import TributaryBus

/// A thread's worth of work beside the loop that owns the bus: jobs run in order, outcomes wake the loop.
///
/// `State` is touched by the jobs alone, one at a time.
package final class WorkQueue<State, Outcome: Sendable>: Sendable {
    /// Hands the state to one job after another; sound because the queue is serial.
    private final class Box: @unchecked Sendable {
        var state: State
        init(_ state: State) { self.state = state }
    }

    private let queue: DispatchQueue
    private let box: Box
    private let waker: Waker
    private let outcomes = Mutex<[Outcome]>([])

    package init(label: String, state: sending State, waker: Waker) {
        queue = DispatchQueue(label: label)
        box = Box(state)
        self.waker = waker
    }

    /// Runs a job after those before it; what it passes to `emit` is found by `takeOutcomes`.
    package func submit(_ job: @escaping @Sendable (inout State, _ emit: (Outcome) -> Void) -> Void) {
        queue.async { [box, self] in
            job(&box.state) { outcome in
                outcomes.withLock { $0.append(outcome) }
                waker.wake()
            }
        }
    }

    /// The outcomes since the last call, oldest first.
    package func takeOutcomes() -> [Outcome] {
        outcomes.withLock { outcomes in
            defer { outcomes = [] }
            return outcomes
        }
    }

    /// Waits until the jobs submitted so far have run.
    package func finish() { queue.sync {} }
}
