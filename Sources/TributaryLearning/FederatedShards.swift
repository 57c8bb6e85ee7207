// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// A federation's examples, split for good: the root's held-out set, and one shard for each device.
///
/// Every node works the split out for itself, so that no node needs another's examples: the same specification gives
/// the same shards on every machine and under every tree.
package struct FederatedShards: ShardSource {
    /// The examples that are spread.
    package enum Table: Sendable {
        /// All rows in memory: shards are views of them.
        case memory(Examples)
        /// Rows that are read when asked for, ascending and distinct.
        case rows(@Sendable ([UInt32]) throws -> Examples)
        /// Rows that are made when asked for.
        case synthetic(SyntheticData)
    }

    package let featureShape: [Int]
    package let classCount: Int
    /// Who holds which rows.
    package let allotment: Allotment
    /// What becomes of them.
    package let law: TransformationLaw
    private let table: Table

    /// Splits the rows of `layout`, which `table` holds; O(rows).
    ///
    /// - Throws: `LearningError` with what is wrong and what to do.
    package init(
        _ data: DataSpecification, layout: Allotment.Table, featureShape: [Int], table: Table, clientCount: UInt64,
        deviceHoldOut: Double?, seed: UInt64
    ) throws(LearningError) {
        self.featureShape = featureShape
        self.classCount = layout.classCount
        self.table = table
        law = try TransformationLaw(data, featureShape: featureShape, classCount: layout.classCount, seed: seed)
        allotment = try Allotment(
            data, table: layout, clientCount: clientCount, deviceHoldOut: deviceHoldOut, seed: seed)
    }

    /// Synthetic examples; `nil` for data of another source.
    ///
    /// With `data.shard`, no table is made and devices cost nothing until they are asked for.
    ///
    /// - Throws: `LearningError` with what is wrong and what to do.
    package init?(
        synthetic data: DataSpecification, clientCount: UInt64, deviceHoldOut: Double?, seed: UInt64
    ) throws(LearningError) {
        guard case .synthetic(let examples, let features, let classes) = data.source else { return nil }
        let synthetic = try SyntheticData(examples: examples, features: features, classes: classes, seed: seed)
        let layout = Allotment.Table(
            labels: data.shard == nil ? synthetic.labels() : nil, classCount: classes, rowCount: examples)
        try self.init(
            data, layout: layout, featureShape: [features], table: .synthetic(synthetic), clientCount: clientCount,
            deviceHoldOut: deviceHoldOut, seed: seed)
    }

    /// What a device holds in a round; O(classes + its rows), and no more than that is read or made.
    package func shard(of client: ClientIndex, round: UInt32) throws -> Shard {
        let holding = try allotment.holding(of: client)
        let transformation = law.transformation(of: client, round: round)
        if case .memory(let examples) = table {
            return Shard(
                examples: examples, rows: holding.training, holdOutRows: holding.holdOut,
                transformation: transformation)
        }
        if let made = holding.made, case .synthetic(let data) = table {
            return Shard(
                examples: data.examples(labels: made, client: client), rows: holding.training,
                holdOutRows: holding.holdOut, transformation: transformation)
        }
        var distinct: [UInt32] = []
        for row in Self.merged(holding.training, holding.holdOut ?? []) where row != distinct.last {
            distinct.append(row)
        }
        return Shard(
            examples: try examples(rows: distinct), rows: Self.places(of: holding.training, in: distinct),
            holdOutRows: holding.holdOut.map { Self.places(of: $0, in: distinct) }, transformation: transformation)
    }

    /// Bytes of the examples that are held in memory.
    package var heldByteCount: UInt64 {
        guard case .memory(let examples) = table else { return 0 }
        return UInt64(examples.features.count * 4 + examples.labels.count * 4)
    }

    /// How many examples a device trains on, and how many it keeps for evaluation.
    package func sizes(of client: ClientIndex) throws -> (training: Int, holdOut: Int) {
        try allotment.sizes(of: client)
    }

    /// How many examples of each class a device holds in a round, those for its evaluation included: `[classCount]`.
    ///
    /// Features are neither read nor made.
    ///
    /// - Throws: as `shard(of:round:)`.
    package func labelCounts(of client: ClientIndex, round: UInt32) throws(LearningError) -> [Int] {
        let counts = try allotment.labelCounts(of: client)
        let classes = law.heldOut(round: round).classes
        guard !classes.isEmpty else { return counts }
        var renamed = counts
        for (label, count) in counts.enumerated() { renamed[Int(classes[label])] = count }
        return renamed
    }

    /// The rows that no device sees, as the table has them; `nil` when there are none.
    ///
    /// - Throws: when the rows cannot be read.
    package func heldOut() throws -> Examples? {
        allotment.heldOutRows.isEmpty ? nil : try examples(rows: allotment.heldOutRows)
    }

    private func examples(rows: [UInt32]) throws -> Examples {
        switch table {
        case .memory(let examples): examples.gathered(rows)
        case .rows(let read): try read(rows)
        case .synthetic(let data): data.examples(rows: rows)
        }
    }

    /// Two ascending lists as one.
    private static func merged(_ first: [UInt32], _ second: [UInt32]) -> [UInt32] {
        second.isEmpty ? first : (first + second).sorted()
    }

    /// Where ascending rows stand among distinct ascending ones that hold them all.
    private static func places(of rows: [UInt32], in distinct: [UInt32]) -> [UInt32] {
        var place = 0
        return rows.map { row in
            while distinct[place] < row { place += 1 }
            return UInt32(place)
        }
    }
}
