// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization
import Testing

@testable import TributaryBus
@testable import TributaryClient

/// Many members, few threads: order within a member, a bound over all.
@Suite struct WorkPoolTests {
    private static let patience = DispatchTimeInterval.seconds(30)

    private func pool(threads: Int) throws -> WorkPool<Int, [Int], Int> {
        WorkPool(label: "test", threadCount: threads, waker: try Waker())
    }

    private func wait(for semaphore: DispatchSemaphore, times: Int = 1) {
        for _ in 0..<times { #expect(semaphore.wait(timeout: .now() + Self.patience) == .success) }
    }

    @Test func noMoreJobsRunAtOnceThanThereAreThreads() throws {
        let pool = try pool(threads: 3)
        let (started, gate, ended) = (
            DispatchSemaphore(value: 0), DispatchSemaphore(value: 0), DispatchSemaphore(value: 0)
        )
        let running = Running()
        for member in 0..<24 {
            pool.add(member, state: [])
            pool.submit(member) { _, _ in
                running.enter()
                started.signal()
                _ = gate.wait(timeout: .now() + Self.patience)
                running.leave()
                ended.signal()
            }
        }
        // Three run together before any has ended, and each that ends lets exactly one in.
        wait(for: started, times: 3)
        for _ in 3..<24 {
            gate.signal()
            wait(for: started)
        }
        for _ in 0..<3 { gate.signal() }
        wait(for: ended, times: 24)
        #expect(running.most == 3)
    }

    @Test func aMembersJobsRunInOrderAndOneAtATime() throws {
        let pool = try pool(threads: 4)
        let ended = DispatchSemaphore(value: 0)
        for member in 0..<7 { pool.add(member, state: []) }
        for job in 0..<50 {
            for member in 0..<7 {
                pool.submit(member) { state, emit in
                    state.append(job)
                    if state.count == 50 { for value in state { emit(value) } }
                    ended.signal()
                }
            }
        }
        wait(for: ended, times: 7 * 50)
        var seen: [Int: [Int]] = [:]
        for (member, value) in pool.takeOutcomes() { seen[member, default: []].append(value) }
        #expect(seen.count == 7)
        for member in 0..<7 { #expect(seen[member] == Array(0..<50)) }
        #expect(pool.takeOutcomes().isEmpty)
    }

    @Test func anOutcomeWakesTheLoopAndWorkGoesOnAfterAPause() throws {
        let waker = try Waker()
        let pool = WorkPool<Int, [Int], Int>(label: "test", threadCount: 1, waker: waker)
        let ended = DispatchSemaphore(value: 0)
        pool.add(1, state: [])
        for round in 0..<3 {
            pool.submit(1) { state, emit in
                state.append(round)
                emit(state.count)
                ended.signal()
            }
            wait(for: ended)
            #expect(waker.take())
            #expect(pool.takeOutcomes().map(\.1) == [round + 1])
        }
        pool.submit(2) { _, _ in Issue.record("nobody has this key") }
    }

    /// How many are inside, and the most that were.
    private final class Running: Sendable {
        private let counts = Mutex((now: 0, most: 0))
        var most: Int { counts.withLock { $0.most } }
        func enter() {
            counts.withLock { counts in
                counts.now += 1
                counts.most = max(counts.most, counts.now)
            }
        }
        func leave() { counts.withLock { $0.now -= 1 } }
    }
}
