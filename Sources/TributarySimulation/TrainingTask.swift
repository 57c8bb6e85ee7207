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
        /// `local - base`, within the plan's bounds; `nil` for an evaluation, and after `forgetDelta`.
        var delta: DeltaBuffer?
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
    private let budget: DeltaBudget
    private let stage = Atomic<UInt8>(Stage.waiting)
    private let outcome = Mutex<Swift.Result<Result, Failure>?>(nil)

    init(job: TrainJob, groups: [GroupPlan], base: ModelVector, budget: DeltaBudget) {
        self.job = job
        self.groups = groups
        self.base = base
        self.budget = budget
    }

    deinit { forgetDelta() }

    /// Whether the calling thread is the one to compute the task.
    func claim() -> Bool {
        stage.compareExchange(expected: Stage.waiting, desired: Stage.claimed, ordering: .acquiringAndReleasing)
            .exchanged
    }

    /// Hands in what came out; a delta for which there is no memory is dropped, to be computed again when it is needed.
    func finish(_ result: Swift.Result<Result, Failure>) {
        var result = result
        if case .success(var made) = result, let delta = made.delta, !budget.take(delta.byteCount) {
            made.delta = nil
            result = .success(made)
        }
        outcome.withLock { $0 = result }
        stage.store(Stage.done, ordering: .releasing)
    }

    /// Hands in a result that was computed again, whatever memory there is.
    func restore(_ result: Swift.Result<Result, Failure>) {
        if case .success(let made) = result { budget.owe(made.delta?.byteCount ?? 0) }
        outcome.withLock { $0 = result }
    }

    /// Whether some thread computes it, or has.
    var isTaken: Bool { stage.load(ordering: .relaxed) != Stage.waiting }

    var isDone: Bool { stage.load(ordering: .acquiring) == Stage.done }

    /// What came out; `nil` before it is done.
    var result: Swift.Result<Result, Failure>? { outcome.withLock { $0 } }

    /// The delta; `nil` while there is none in memory.
    var delta: DeltaBuffer? {
        outcome.withLock { if case .success(let result)? = $0 { result.delta } else { nil } }
    }

    /// Gives the delta's memory back; it can be computed again.
    func forgetDelta() {
        outcome.withLock { outcome in
            if case .success(var result)? = outcome, let delta = result.delta {
                budget.giveBack(delta.byteCount)
                result.delta = nil
                outcome = .success(result)
            }
        }
    }
}

/// Memory for deltas that wait to be folded: what is computed ahead, and what is on its way.
final class DeltaBudget: Sendable {
    let byteCountMax: Int
    private let byteCount = Atomic<Int>(0)

    init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    /// Takes memory; `false` when there is none left.
    func take(_ count: Int) -> Bool {
        let taken = byteCount.add(count, ordering: .relaxed).newValue
        if taken <= byteCountMax { return true }
        giveBack(count)
        return false
    }

    /// Takes memory that is needed now.
    func owe(_ count: Int) { byteCount.add(count, ordering: .relaxed) }

    func giveBack(_ count: Int) { byteCount.subtract(count, ordering: .relaxed) }
}
