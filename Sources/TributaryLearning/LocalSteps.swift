// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import CTributaryKernels
import TributaryCore

/// The account of one train job's steps.
struct LocalSteps {
    private let job: TrainJob
    let count: UInt64
    private var lossSum = 0.0
    private var correct = 0
    private var seen = 0
    private var permille: UInt32 = 0

    init(job: TrainJob, count: UInt64) {
        self.job = job
        self.count = count
    }

    /// Adds what step `step`, 1 and up, saw before it.
    ///
    /// - Throws: `LearningError.diverged` when the loss is not finite.
    mutating func add(
        _ step: UInt64, rows: Int, loss: tributary_learn_loss, progress: (UInt32) -> Void
    ) throws(LearningError) {
        guard loss.sum.isFinite else { throw diverged(step) }
        lossSum += loss.sum
        correct += loss.correct
        seen += rows
        let reached = UInt32(Double(step) / Double(count) * 1000)
        guard reached > permille else { return }
        permille = reached
        progress(reached)
    }

    /// The error of a training that left the finite numbers in a step.
    func diverged(_ step: UInt64) -> LearningError {
        .diverged(client: job.client, number: job.number, step: step)
    }

    /// The job's report: means over the examples of all steps, each with the parameters of its step.
    func report(exampleCount: Int) throws(LearningError) -> TrainReport {
        guard let loss = MetricCounter(name: "train.loss", sum: lossSum, count: seen),
            let accuracy = MetricCounter(name: "train.accuracy", sum: Double(correct), count: seen),
            let examples = MetricCounter(name: "train.examples", sum: Double(exampleCount), count: 1)
        else { throw diverged(count) }
        return TrainReport(exampleCount: UInt64(exampleCount), metrics: [loss, accuracy, examples])
    }
}

extension TrainSettings.Work {
    /// The steps of one job over a shard of so many examples.
    package func stepCount(examples: Int, batch: Int) -> UInt64 {
        switch self {
        case .epochs(let epochs): UInt64(epochs) * UInt64((examples + batch - 1) / batch)
        case .steps(let steps): UInt64(steps)
        case .none: 0
        }
    }
}
