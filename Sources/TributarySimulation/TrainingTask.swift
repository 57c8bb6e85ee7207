// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TributaryCore

/// One device's local work: computed by whichever thread comes to it first, looked at when its moment has come.
///
/// The result is a function of the job alone, so who computes it and when cannot be seen.
final class TrainingTask: Sendable {
    /// What came out.
    struct Result: Sendable {
        var report: TrainReport
        /// `local - base`, within the plan's bounds; empty for an evaluation, and after `forgetDelta`.
        var delta: [Float]
        /// Whether the delta had to be scaled onto its bound.
        var wasScaled: Bool
    }

    /// Why there is no result, for the client's refusal.
    struct Failure: Error, Hashable, Sendable {
        var text: String
    }

    private enum Stage {
        static let waiting: UInt8 = 0
        static let claimed: UInt8 = 1
        static let done: UInt8 = 2
    }

    let job: TrainJob
    let groups: [GroupPlan]
    let base: ModelVector
    private let stage = Atomic<UInt8>(Stage.waiting)
    private let outcome = Mutex<Swift.Result<Result, Failure>?>(nil)

    init(job: TrainJob, groups: [GroupPlan], base: ModelVector) {
        self.job = job
        self.groups = groups
        self.base = base
    }

    /// Whether the calling thread is the one to compute the task.
    func claim() -> Bool {
        stage.compareExchange(expected: Stage.waiting, desired: Stage.claimed, ordering: .acquiringAndReleasing)
            .exchanged
    }

    /// Hands in what came out.
    func finish(_ result: Swift.Result<Result, Failure>) {
        outcome.withLock { $0 = result }
        stage.store(Stage.done, ordering: .releasing)
    }

    var isDone: Bool { stage.load(ordering: .acquiring) == Stage.done }

    /// What came out; `nil` before it is done.
    var result: Swift.Result<Result, Failure>? { outcome.withLock { $0 } }

    /// Gives the delta's memory back; it can be computed again.
    func forgetDelta() {
        outcome.withLock { outcome in
            if case .success(var result)? = outcome {
                result.delta = []
                outcome = .success(result)
            }
        }
    }
}
