// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization
package import TributaryBus

/// A few threads that many members share, beside the loop that owns the bus: outcomes wake the loop.
///
/// A member's jobs run in order, one at a time; over all members no more than `threadCount` run at once. Whoever has
/// waited longest is next. `State` is touched by a member's jobs alone.
package final class WorkPool<Key: Hashable & Sendable, State, Outcome: Sendable>: Sendable {
    /// Does a piece of a member's work; what it passes to `emit` is found by `takeOutcomes`.
    package typealias Job = @Sendable (inout State, _ emit: (Outcome) -> Void) -> Void

    /// Sound without a lock: `state` belongs to the one thread that made the member busy, the rest to the schedule.
    private final class Member: @unchecked Sendable {
        let key: Key
        var state: State
        var jobs: [Job] = []
        var isBusy = false
        init(_ key: Key, _ state: State) {
            self.key = key
            self.state = state
        }
    }

    private struct Schedule {
        var members: [Key: Member] = [:]
        /// Members with a job and no thread, longest waiting first.
        var line: ArraySlice<Member> = []
        var threadCount = 0
    }

    /// How many jobs may run at once.
    package let threadCount: Int
    private let label: String
    private let waker: Waker
    private let schedule = Mutex(Schedule())
    private let outcomes = Mutex<[(Key, Outcome)]>([])

    /// A pool without members; threads exist only while there is work.
    package init(label: String, threadCount: Int, waker: Waker) {
        precondition(threadCount >= 1, "a pool without threads does no work")
        self.label = label
        self.threadCount = threadCount
        self.waker = waker
    }

    /// Adds a member with the state that its jobs work on.
    package func add(_ key: Key, state: sending State) {
        let member = Member(key, state)
        schedule.withLock { schedule in
            precondition(schedule.members[key] == nil, "each member has a key of its own")
            schedule.members[key] = member
        }
    }

    /// Runs a job after those that the member was given before; does nothing for an unknown member.
    package func submit(_ key: Key, _ job: @escaping Job) {
        let needsThread = schedule.withLock { schedule in
            guard let member = schedule.members[key] else { return false }
            member.jobs.append(job)
            guard !member.isBusy else { return false }
            member.isBusy = true
            schedule.line.append(member)
            guard schedule.threadCount < threadCount else { return false }
            schedule.threadCount += 1
            return true
        }
        // A queue of its own is a thread of its own for as long as `work` runs.
        if needsThread { DispatchQueue(label: label).async { self.work() } }
    }

    /// The outcomes since the last call with whose they are, oldest first.
    package func takeOutcomes() -> [(Key, Outcome)] {
        outcomes.withLock { outcomes in
            defer { outcomes = [] }
            return outcomes
        }
    }

    /// One thread's life: job after job until nobody waits.
    private func work() {
        while let (member, job) = next() {
            job(&member.state) { outcome in
                outcomes.withLock { $0.append((member.key, outcome)) }
                waker.wake()
            }
            done(member)
        }
    }

    private func next() -> (Member, Job)? {
        schedule.withLock { schedule in
            guard let member = schedule.line.popFirst() else {
                schedule.line = []
                schedule.threadCount -= 1
                return nil
            }
            return (member, member.jobs.removeFirst())
        }
    }

    private func done(_ member: Member) {
        schedule.withLock { schedule in
            if member.jobs.isEmpty { member.isBusy = false } else { schedule.line.append(member) }
        }
    }
}
