// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import CTributaryKernels
import TributaryCore

/// The steps of one train job.
///
/// Its arena holds the network's workspace, the gradient, the optimizer's state and, for FedProx, a copy of the
/// base, one after another.
struct LocalTraining {
    private let job: TrainJob
    private let settings: TrainSettings
    private let examples: Examples
    private let network: Network
    private let stepCount: UInt64
    private var schedule: BatchSchedule
    private var optimizer: LocalOptimizer
    private var lossSum = 0.0
    private var correct = 0
    private var seen = 0

    init(
        job: TrainJob, settings: TrainSettings, architecture: ModelArchitecture, examples: Examples,
        variant: KernelVariant
    ) throws(LearningError) {
        try settings.check()
        self.job = job
        self.settings = settings
        self.examples = examples
        let batch = min(Int(settings.batch), examples.count)
        network = try Network(architecture: architecture, rows: batch, forTraining: true, variant: variant)
        let random = CounterRandom(
            seed: job.seed, purpose: .shuffle, round: job.number, client: job.client.value)
        schedule = BatchSchedule(count: examples.count, batch: batch, random: random)
        optimizer = LocalOptimizer(
            settings.optimizer, proximal: settings.proximal, parameterCount: architecture.parameterCount,
            variant: variant)
        switch settings.work {
        case .epochs(let epochs): stepCount = UInt64(epochs) * UInt64((examples.count + batch - 1) / batch)
        case .steps(let steps): stepCount = UInt64(steps)
        case .none: stepCount = 0
        }
    }

    private var parameterCount: Int { network.architecture.parameterCount }

    /// The floats that the arena must hold.
    var arenaCount: Int { network.workspace.count + parameterCount + optimizer.stateCount }

    /// Takes all steps; the parameters hold the base on entry.
    mutating func run(
        parameters: UnsafeMutablePointer<Float>, arena: UnsafeMutablePointer<Float>, progress: (UInt32) -> Void
    ) throws(LearningError) {
        let gradient = arena + network.workspace.count
        let state = gradient + parameterCount
        optimizer.reset(state: state, base: parameters)
        var labels = [Int32](repeating: 0, count: network.workspace.rows)
        var permille: UInt32 = 0
        for step in 1...stepCount {
            let rows = schedule.next()
            network.gather(rows, of: examples, labels: &labels, arena: arena)
            network.forward(parameters, rows: rows.count, arena: arena)
            let loss = network.loss(rows: rows.count, labels: labels, gradient: true, arena: arena)
            guard loss.sum.isFinite else {
                throw .diverged(client: job.client, number: job.number, step: step)
            }
            network.backward(parameters, rows: rows.count, arena: arena, gradient: gradient)
            optimizer.step(parameters: parameters, gradient: gradient, state: state)
            lossSum += loss.sum
            correct += loss.correct
            seen += rows.count
            let reached = UInt32(Double(step) / Double(stepCount) * 1000)
            if reached > permille {
                permille = reached
                progress(permille)
            }
        }
        guard tributary_learn_all_finite(parameterCount, parameters) else {
            throw .diverged(client: job.client, number: job.number, step: stepCount)
        }
    }

    /// What the steps saw.
    func report() throws(LearningError) -> TrainReport {
        let metrics = [
            MetricCounter(name: "train.loss", sum: lossSum, count: seen),
            MetricCounter(name: "train.accuracy", sum: Double(correct), count: seen),
            MetricCounter(name: "train.examples", sum: Double(examples.count), count: 1),
        ]
        guard metrics.allSatisfy({ $0 != nil }) else {
            throw .diverged(client: job.client, number: job.number, step: stepCount)
        }
        return TrainReport(exampleCount: UInt64(examples.count), metrics: metrics.compactMap { $0 })
    }
}

/// The batches of a job: passes over the shard, each in a fresh order; the last batch of a pass may be smaller.
struct BatchSchedule {
    private var order: [UInt32]
    private var position: Int
    private let batch: Int
    private var random: CounterRandom

    init(count: Int, batch: Int, random: CounterRandom) {
        order = Array(0..<UInt32(count))
        position = count
        self.batch = batch
        self.random = random
    }

    /// The rows of the next step.
    mutating func next() -> ArraySlice<UInt32> {
        if position == order.count {
            order.shuffle(by: &random)
            position = 0
        }
        let rows = order[position..<min(position + batch, order.count)]
        position = rows.endIndex
        return rows
    }
}

extension Array {
    /// Fisher-Yates, spelled out: the standard library's shuffle may change between versions.
    mutating func shuffle(by random: inout CounterRandom) {
        for last in stride(from: count - 1, to: 0, by: -1) {
            swapAt(last, Int(random.next(below: UInt64(last) + 1)))
        }
    }
}
