// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing
import TributaryCore
import TributaryTopology

@testable import TributarySimulation

@Suite struct TrainingPoolTests {
    private static func task(_ client: UInt64, budget: DeltaBudget = DeltaBudget(byteCountMax: .max)) -> TrainingTask {
        let job = TrainJob(
            client: ClientIndex(client), number: RoundNumber(round: 1), kind: .train(.noTraining), seed: 1)
        return TrainingTask(job: job, groups: [], base: ModelVector([0]), budget: budget)
    }

    /// A result that names its client in the report and in the delta.
    private static func result(_ task: TrainingTask) -> Result<TrainingTask.Result, TrainingTask.Failure> {
        let client = task.job.client.value
        if client % 7 == 6 { return .failure(.init(text: "device \(client)")) }
        let delta = DeltaBuffer(copying: [Float(client), 1, 2, 3])
        return .success(
            .init(report: TrainReport(exampleCount: client, metrics: []), delta: delta, wasScaled: false))
    }

    private static func expectOwn(_ task: TrainingTask) {
        let client = task.job.client.value
        switch task.result {
        case .success(let result)?: #expect(result.report.exampleCount == client && client % 7 != 6)
        case .failure(let failure)?: #expect(failure.text == "device \(client)" && client % 7 == 6)
        case nil: Issue.record("device \(client) is not done")
        }
    }

    @Test("every task is done once and its result is its own", arguments: [1, 2, 3, 8], [0, 1, 2])
    func results(_ threads: Int, _ order: Int) {
        let runs = Mutex<[UInt64: Int]>([:])
        let pool = TrainingPool(threadCount: threads) {
            { task in
                runs.withLock { $0[task.job.client.value, default: 0] += 1 }
                return Self.result(task)
            }
        }
        let tasks = (0..<300 as Range<UInt64>).map { Self.task($0) }
        for (index, task) in tasks.enumerated() { pool.submit(task, due: Moment(nanoseconds: Int64(index * 7 % 50))) }
        let waited = order == 0 ? tasks : order == 1 ? tasks.reversed() : tasks.filter { $0.job.client.value % 3 == 0 }
        for task in waited {
            pool.wait(for: task)
            Self.expectOwn(task)
        }
        pool.close()
        #expect(runs.withLock { $0.values.allSatisfy { $0 == 1 } })
        #expect(runs.withLock { $0.count } >= waited.count)
    }

    @Test("who waits computes: the caller's own worker does what nobody has begun")
    func helping() {
        let makers = Mutex(0)
        let pool = TrainingPool(threadCount: 1) {
            makers.withLock { $0 += 1 }
            return Self.result
        }
        let task = Self.task(3)
        pool.submit(task, due: Moment(nanoseconds: 0))
        #expect(!task.isDone)
        pool.wait(for: task)
        Self.expectOwn(task)
        #expect(makers.withLock { $0 } == 1)
        pool.close()
    }

    @Test("a pool that nobody used closes, and one with work left")
    func closing() {
        for count in [0, 5, 200] as [UInt64] {
            let pool = TrainingPool(threadCount: 4) { Self.result }
            for client in 0..<count { pool.submit(Self.task(client), due: Moment(nanoseconds: 0)) }
            pool.close()
        }
    }

    @Test("a budget gives and takes back; what does not fit is dropped and computed again")
    func budget() {
        let budget = DeltaBudget(byteCountMax: 40)
        let pool = TrainingPool(threadCount: 1) { Self.result }
        let tasks = (0..<4 as Range<UInt64>).map { Self.task($0, budget: budget) }
        for task in tasks { pool.wait(for: task) }
        // A delta has 16 bytes: two fit.
        #expect(tasks.map { $0.delta != nil } == [true, true, false, false])
        pool.recompute(tasks[3])
        #expect(tasks[3].delta?.values[0] == 3)
        tasks[0].forgetDelta()
        tasks[0].forgetDelta()
        #expect(tasks[0].delta == nil)
        #expect(!budget.take(16))
        tasks[3].forgetDelta()
        #expect(budget.take(16) && !budget.take(16))
        pool.close()
    }

    @Test("without memory for deltas the model is the same", arguments: [1, 2])
    func sameModel(_ threads: Int) throws {
        let fleet = SmallFleet(aggregators: [2], devices: 5)
        let expected = try fleet.run().sha256
        for byteCountMax in [0, 100] {
            var setup = try fleet.setup(threads: threads)
            setup.deltaByteCountMax = byteCountMax
            let outcome = try Outcome.follow(setup).outcome
            #expect(outcome.sha256 == expected && outcome.violations == [])
        }
        #expect(expected != nil)
    }
}
