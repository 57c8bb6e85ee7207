// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization
package import TributaryCore

extension FleetWork {
    /// Trains every client in every round, clients dealt to threads, and drops what comes out: a simulation's limit.
    ///
    /// - Throws: the first error of a training.
    package func train(
        rounds: UInt32, clientCount: UInt64, settings: TrainSettings, base: [Float],
        groups: [GroupPlan], seed: UInt64, threadCount: Int
    ) throws {
        let model = ModelVector(base)
        let budget = DeltaBudget(byteCountMax: .max)
        let failure = Mutex<TrainingTask.Failure?>(nil)
        DispatchQueue.concurrentPerform(iterations: threadCount) { thread in
            let worker = makeWorker()
            for round in 1...rounds {
                for client in stride(from: UInt64(thread), to: clientCount, by: threadCount) {
                    let job = TrainJob(
                        client: ClientIndex(client), number: RoundNumber(round: round), kind: .train(settings),
                        seed: seed)
                    let task = TrainingTask(job: job, groups: groups, base: model, budget: budget)
                    if case .failure(let error) = worker(task) { failure.withLock { $0 = $0 ?? error } }
                }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }
}
