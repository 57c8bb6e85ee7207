// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
import TributaryFiles
package import TributaryLearning
package import TributaryTopology

/// A federation's examples, split for good: the root's held-out set, and one shard for each device.
///
/// Every node works the split out for itself from the topology, so that no node needs another's examples: the same
/// file gives the same shards on every machine and under every tree.
package struct FederatedData {
    /// A device's examples: what it trains on, and what it keeps for evaluation.
    package struct Shard: Sendable {
        package var training: Examples
        package var holdOut: Examples?
    }

    private enum Source {
        case file(DatasetFile)
        case synthetic(SyntheticData)
    }

    package let featureShape: [Int]
    package let classCount: Int
    private let source: Source
    private let topology: Topology
    private let clientCount: Int
    private let labels: [Int32]
    /// Rows that no device sees, ascending; empty when the source has a test set of its own.
    private let heldOutRows: [UInt32]
    private let trainingRows: [UInt32]

    /// Opens the source; paths in the topology are relative to `directory`.
    ///
    /// - Throws: `FilesError` or `LearningError` with what is wrong and what to do.
    package init(_ topology: Topology, clientCount: UInt64, directory: String) throws {
        self.topology = topology
        self.clientCount = Int(clamping: clientCount)
        if case .synthetic(let examples, let features, let classes) = topology.data.source {
            let data = try SyntheticData(
                examples: examples, features: features, classes: classes, seed: topology.seed)
            source = .synthetic(data)
            featureShape = [features]
            classCount = classes
            labels = data.labels()
        } else {
            let file = try DatasetFile.open(topology.data, relativeTo: directory)
            source = .file(file)
            featureShape = file.featureShape
            classCount = file.classCount
            labels = file.labels
        }
        (trainingRows, heldOutRows) = try HoldOut.split(
            labels.indices.map { UInt32($0) }, fraction: topology.data.source.hasTestSet ? 0 : topology.data.holdOut,
            seed: topology.seed, client: HoldOut.root)
    }

    /// The model that the topology asks for, on this data.
    package func architecture() throws -> ModelArchitecture {
        try ModelArchitecture(specification: topology.model, featureShape: featureShape, classCount: classCount)
    }

    /// The root's examples for evaluation; `nil` when the source has none and the topology holds none out.
    package func heldOut() throws -> Examples? {
        if topology.data.source.hasTestSet, case .file(let file) = source { return try file.testExamples() }
        return heldOutRows.isEmpty ? nil : try examples(rows: heldOutRows)
    }

    /// What one device sees.
    package func shard(of client: ClientIndex) throws -> Shard {
        let partition = try Partition.make(
            topology.data.partition, labels: trainingRows.map { labels[Int($0)] }, classCount: classCount,
            clients: clients, partitionCount: clientCount, seed: topology.seed)
        let rows = partition.rows(of: client).map { trainingRows[Int($0)] }
        guard let share = topology.evaluation.onDevices?.holdOut else {
            return Shard(training: try examples(rows: rows), holdOut: nil)
        }
        let split = try HoldOut.split(rows, fraction: share, seed: topology.seed, client: client)
        return Shard(training: try examples(rows: split.train), holdOut: try examples(rows: split.holdOut))
    }

    /// A trainer on one device's shard.
    func trainer(of client: ClientIndex) throws -> ShardTrainer {
        let shard = try shard(of: client)
        return try ShardTrainer(
            architecture: architecture(), examples: shard.training, holdOut: shard.holdOut)
    }

    private var clients: [Int32]? {
        guard case .file(let file) = source, let clients = file.clients else { return nil }
        return trainingRows.map { clients[Int($0)] }
    }

    private func examples(rows: [UInt32]) throws -> Examples {
        switch source {
        case .file(let file): try file.examples(rows: rows)
        case .synthetic(let data): data.examples(rows: rows)
        }
    }
}
