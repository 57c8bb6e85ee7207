// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
import TributaryTopology

/// Where a simulation can be taken up again: after a round, with nothing under way.
///
/// Devices that were still at work for an old round, and partial transfers, are forgotten; nobody else can tell.
package struct SimulationCheckpoint: Sendable {
    /// The last round that ended.
    package var round: UInt32
    /// The virtual clock when it ended.
    package var now: Moment
    /// The root's model, flat, in layout order.
    package var model: [Float]
    /// The server optimizers' vectors of the nodes that have some, each as long as the model.
    package var optimizerState: [NodeName: [[Float]]]

    package init(round: UInt32, now: Moment, model: [Float], optimizerState: [NodeName: [[Float]]]) {
        self.round = round
        self.now = now
        self.model = model
        self.optimizerState = optimizerState
    }
}

extension Simulation {
    /// The root's present model, flat, in layout order; `nil` while the root is down.
    package var model: [Float]? {
        guard let digest = driver.recorder.model, case .model(let vector)? = driver.root.bench.objects[digest] else {
            return nil
        }
        return vector.values
    }

    /// Where the run can be taken up again; `nil` before the first round has ended, and while the root is down.
    ///
    /// Of a round that is open, nothing is in it: what stepping tiers did in its edge rounds is forgotten.
    package var checkpoint: SimulationCheckpoint? {
        guard let completed = driver.recorder.completed, let model else { return nil }
        let states = driver.nodes.map { ($0.name, $0.bench.optimizerState(after: completed.round)) }
            .filter { !$0.1.isEmpty }
        return SimulationCheckpoint(
            round: completed.round, now: completed.at, model: model,
            optimizerState: Dictionary(uniqueKeysWithValues: states))
    }

    /// The row of the checkpoint's round, when it was not handed out because devices still evaluate the model.
    package func cutRow() -> RunRecord.Round? { driver.recorder.cutRow(now) }

    /// Updates that entered committed rounds so far.
    package var clientRoundCount: UInt64 { driver.recorder.clientRounds }

    /// How far the open round has come: its number, devices chosen, and updates that reached an aggregator.
    package var progress: (round: UInt32, chosen: UInt64, reported: UInt64) { driver.recorder.progress }

    /// How well the root's model serves single devices: those that evaluated it, or else a sample of the fleet.
    ///
    /// - Throws: when examples cannot be read.
    package func fairness() throws -> RunRecord.Fairness? {
        guard let model, let round = driver.recorder.completed?.round ?? driver.setup.checkpoint?.round else {
            return nil
        }
        if !driver.recorder.deviceAccuracies.isEmpty {
            return RunRecord.Fairness(round: round, accuracies: Array(driver.recorder.deviceAccuracies.values))
        }
        let count = min(UInt64(RunRecord.Fairness.valueCountMax), driver.tree.deviceCount)
        let accuracies = try (0..<count).compactMap { place in
            let client = ClientIndex(place * (driver.tree.deviceCount / count))
            return try driver.setup.work.accuracy(of: model, on: client, round: round)
        }
        return RunRecord.Fairness(round: round, accuracies: accuracies)
    }
}
