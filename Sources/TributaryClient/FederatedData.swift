// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
import TributaryFiles
package import TributaryLearning
package import TributaryTopology

/// A topology's data: opens the source, and leaves to `FederatedShards` who gets which rows.
package struct FederatedData: ShardSource {
    /// Who holds what; rows of files are read when they are asked for.
    package let shards: FederatedShards
    private let topology: Topology
    private let clientCount: UInt64
    private let file: DatasetFile?

    package var featureShape: [Int] { shards.featureShape }
    package var classCount: Int { shards.classCount }

    /// Opens the source and splits its rows; paths in the topology are relative to `directory`.
    ///
    /// - Throws: `FilesError` or `LearningError` with what is wrong and what to do.
    package init(_ topology: Topology, clientCount: UInt64, directory: String) throws {
        self.topology = topology
        self.clientCount = clientCount
        if topology.training.settings.isNone {
            file = nil
            shards = try Self.stand(in: topology, clientCount: clientCount, directory: directory)
        } else if let synthetic = try FederatedShards(
            synthetic: topology.data, clientCount: clientCount,
            deviceHoldOut: topology.evaluation.onDevices?.holdOut, seed: topology.seed)
        {
            file = nil
            shards = synthetic
        } else {
            let file = try DatasetFile.open(topology.data, relativeTo: directory)
            self.file = file
            shards = try Self.shards(
                of: file, topology, clientCount: clientCount, table: .rows { try file.examples(rows: $0) })
        }
    }

    private static func shards(
        of file: DatasetFile, _ topology: Topology, clientCount: UInt64, table: FederatedShards.Table
    ) throws -> FederatedShards {
        try FederatedShards(
            topology.data,
            layout: Allotment.Table(
                labels: file.labels, clients: file.clients, classCount: file.classCount, rowCount: file.exampleCount),
            featureShape: file.featureShape, table: table, clientCount: clientCount,
            deviceHoldOut: topology.evaluation.onDevices?.holdOut, seed: topology.seed)
    }

    /// What is left of the data when nobody trains: the shape of an example.
    private static func stand(
        in topology: Topology, clientCount: UInt64, directory: String
    ) throws -> FederatedShards {
        let featureShape: [Int]
        let classCount: Int
        if case .synthetic(_, let features, let classes) = topology.data.source {
            (featureShape, classCount) = ([features], classes)
        } else {
            let file = try DatasetFile.open(topology.data, relativeTo: directory)
            (featureShape, classCount) = (file.featureShape, file.classCount)
        }
        let features = featureShape.reduce(1, *)
        let one = try SyntheticData(examples: 1, features: features, classes: max(2, classCount), seed: topology.seed)
        let specification = DataSpecification(
            source: .synthetic(examples: 1, features: features, classes: classCount), partition: .iid, holdOut: 0,
            shard: ShardSpecification(examples: .fixed(1)))
        return try FederatedShards(
            specification, layout: Allotment.Table(labels: nil, classCount: classCount, rowCount: 1),
            featureShape: featureShape, table: .synthetic(one), clientCount: clientCount, deviceHoldOut: nil,
            seed: topology.seed)
    }

    /// The classes as the source names them, by class number.
    package var classNames: [String] { file?.classNames ?? (0..<classCount).map { String($0) } }

    /// The model that the topology asks for, on this data.
    package func architecture() throws -> ModelArchitecture {
        try ModelArchitecture(specification: topology.model, featureShape: featureShape, classCount: classCount)
    }

    /// The root's examples for evaluation; `nil` when the source has none and the topology holds none out.
    package func heldOut() throws -> HeldOutExamples? {
        if topology.training.settings.isNone { return nil }
        let examples = topology.data.source.hasTestSet ? try file?.testExamples() : try shards.heldOut()
        return examples.map { HeldOutExamples($0, law: shards.law) }
    }

    /// What a device holds in a round; rows of files are read at each call.
    package func shard(of client: ClientIndex, round: UInt32) throws -> Shard {
        try shards.shard(of: client, round: round)
    }

    /// How many examples a device trains on, and how many it keeps for evaluation.
    package func sizes(of client: ClientIndex) throws -> (training: Int, holdOut: Int) {
        try shards.sizes(of: client)
    }

    /// The same shards as views of one table in memory, for processes that run many devices; O(rows) memory.
    ///
    /// - Throws: as `init`; `FilesError.tooLarge` when the table does not fit.
    package func loaded() throws -> FederatedShards {
        guard let file else { return shards }
        let rows = (0..<UInt32(file.exampleCount)).map { $0 }
        return try Self.shards(
            of: file, topology, clientCount: clientCount, table: .memory(try file.examples(rows: rows)))
    }
}
