// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// Who holds which rows: the root's held-out ones, and each device's.
///
/// A table is cut once; fleets that draw their shards hold nothing per device.
package struct Allotment: Sendable {
    /// The rows of one device.
    package struct Holding: Hashable, Sendable {
        /// Rows to train on, ascending; a row that was drawn twice stands twice.
        package var training: [UInt32]
        /// Rows kept for evaluation, ascending, none of them in `training`; `nil` when devices do not evaluate.
        package var holdOut: [UInt32]?
        /// The classes of examples that the device makes for itself, which the rows then number; otherwise `nil`.
        package var made: [Int32]?
    }

    /// What is spread.
    package struct Table: Sendable {
        /// Class numbers of all rows: `[rows]`; `nil` for examples that each device makes for itself.
        package var labels: [Int32]?
        /// Whose row each is, dense from 0; only for natural clients.
        package var clients: [Int32]?
        package var classCount: Int
        /// The number of rows, also of a table that is not there.
        package var rowCount: Int

        package init(labels: [Int32]?, clients: [Int32]? = nil, classCount: Int, rowCount: Int) {
            self.labels = labels
            self.clients = clients
            self.classCount = classCount
            self.rowCount = rowCount
        }
    }

    /// How the training rows are spread.
    private enum Spread: Sendable {
        case partition(Partition)
        /// Devices draw among the training rows, sorted by class; `starts: [classCount + 1]`.
        case drawn(ShardLaw, rowsByClass: [UInt32], starts: [Int])
        case made(ShardLaw)
    }

    /// Rows that no device sees, ascending; empty when the source has a test set of its own.
    package let heldOutRows: [UInt32]
    /// The training rows in the order of the partition's row numbers; empty when shards are drawn.
    private let trainingRows: [UInt32]
    private let spread: Spread
    private let table: Table
    private let deviceHoldOut: Double?
    private let seed: UInt64

    /// Cuts the table; O(rows), once.
    ///
    /// Each device keeps the share `deviceHoldOut` of its examples for evaluation; `nil` for none.
    ///
    /// - Throws: `LearningError` with what to change when the examples cannot be spread as asked.
    package init(
        _ data: DataSpecification, table: Table, clientCount: UInt64, deviceHoldOut: Double?, seed: UInt64
    ) throws(LearningError) {
        self.table = table
        self.deviceHoldOut = deviceHoldOut
        self.seed = seed
        let share = data.source.hasTestSet ? 0 : data.holdOut
        guard let labels = table.labels else {
            guard let shard = data.shard else { throw .partition("examples without a table need data.shard") }
            let law = try ShardLaw(
                shard, partition: data.partition, counts: [Int](repeating: 1, count: table.classCount), seed: seed)
            spread = .made(law)
            heldOutRows = (0..<UInt32(clamping: Int(share * Double(table.rowCount)))).map { $0 }
            trainingRows = []
            return
        }
        let split = try HoldOut.split(
            labels.indices.map { UInt32($0) }, fraction: share, seed: seed, client: HoldOut.root)
        heldOutRows = split.holdOut
        let trainingLabels = split.train.map { labels[Int($0)] }
        guard let shard = data.shard else {
            trainingRows = split.train
            spread = .partition(
                try Partition.make(
                    data.partition, labels: trainingLabels, classCount: table.classCount,
                    clients: table.clients.map { clients in split.train.map { clients[Int($0)] } },
                    partitionCount: Int(clamping: clientCount), seed: seed))
            return
        }
        trainingRows = []
        let (rowsByClass, starts) = try Self.sorted(split.train, trainingLabels, classCount: table.classCount)
        let law = try ShardLaw(
            shard, partition: data.partition, counts: zip(starts.dropFirst(), starts).map { $0 - $1 }, seed: seed)
        spread = .drawn(law, rowsByClass: rowsByClass, starts: starts)
    }

    private static func sorted(
        _ rows: [UInt32], _ labels: [Int32], classCount: Int
    ) throws(LearningError) -> (rows: [UInt32], starts: [Int]) {
        if let label = labels.first(where: { $0 < 0 || Int($0) >= classCount }) {
            throw .examples("a row has label \(label); labels must lie in 0..<\(classCount)")
        }
        var starts = [Int](repeating: 0, count: classCount + 1)
        for label in labels { starts[Int(label) + 1] += 1 }
        for label in 0..<classCount { starts[label + 1] += starts[label] }
        var next = starts
        var sorted = [UInt32](repeating: 0, count: rows.count)
        for (row, label) in zip(rows, labels) {
            sorted[next[Int(label)]] = row
            next[Int(label)] += 1
        }
        return (sorted, starts)
    }

    /// The rows of a device: a function of data, seed and client index; O(classes + its rows).
    ///
    /// - Throws: `LearningError.partition` when the device's hold-out share is out of range.
    package func holding(of client: ClientIndex) throws(LearningError) -> Holding {
        switch spread {
        case .partition(let partition):
            let rows = partition.rows(of: client).map { trainingRows[Int($0)] }
            guard let share = deviceHoldOut else { return Holding(training: rows) }
            let split = try HoldOut.split(rows, fraction: share, seed: seed, client: client)
            return Holding(training: split.train, holdOut: split.holdOut)
        case .made(let law):
            let labels = law.labels(of: client).labels
            let rows = labels.indices.map { UInt32($0) }
            guard let share = deviceHoldOut else { return Holding(training: rows, made: labels) }
            let split = try HoldOut.split(rows, fraction: share, seed: seed, client: client)
            return Holding(training: split.train, holdOut: split.holdOut, made: labels)
        case .drawn(let law, let rowsByClass, let starts):
            var (labels, random) = law.labels(of: client)
            var rows = labels.map { label in
                let (start, end) = (starts[Int(label)], starts[Int(label) + 1])
                return rowsByClass[start + Int(random.next(below: UInt64(end - start)))]
            }
            rows.sort()
            return try cut(rows, client)
        }
    }

    /// Splits drawn rows so that all copies of a row are on the same side.
    private func cut(_ rows: [UInt32], _ client: ClientIndex) throws(LearningError) -> Holding {
        guard let share = deviceHoldOut else { return Holding(training: rows) }
        var distinct: [UInt32] = []
        for row in rows where row != distinct.last { distinct.append(row) }
        let kept = try HoldOut.split(distinct, fraction: share, seed: seed, client: client).holdOut
        var holding = Holding(training: [], holdOut: [])
        var next = 0
        for row in rows {
            while next < kept.count, kept[next] < row { next += 1 }
            if next < kept.count, kept[next] == row {
                holding.holdOut?.append(row)
            } else {
                holding.training.append(row)
            }
        }
        return holding
    }

    /// How many examples a device trains on, and how many it keeps for evaluation; O(1) unless it draws and evaluates.
    ///
    /// - Throws: as `holding(of:)`.
    package func sizes(of client: ClientIndex) throws(LearningError) -> (training: Int, holdOut: Int) {
        let count: Int
        switch spread {
        case .partition(let partition): count = partition.size(of: client)
        case .made(let law): count = law.count(of: client)
        case .drawn(let law, _, _):
            guard deviceHoldOut != nil else { return (law.count(of: client), 0) }
            let holding = try holding(of: client)
            return (holding.training.count, holding.holdOut?.count ?? 0)
        }
        let kept = try HoldOut.count(of: count, fraction: deviceHoldOut ?? 0)
        return (count - kept, kept)
    }

    /// How many examples of each class a device holds, those for its evaluation included: `[classCount]`.
    ///
    /// - Throws: as `holding(of:)`.
    package func labelCounts(of client: ClientIndex) throws(LearningError) -> [Int] {
        var counts = [Int](repeating: 0, count: table.classCount)
        let holding = try holding(of: client)
        if let made = holding.made {
            for label in made { counts[Int(label)] += 1 }
        } else if let labels = table.labels {
            for row in holding.training { counts[Int(labels[Int(row)])] += 1 }
            for row in holding.holdOut ?? [] { counts[Int(labels[Int(row)])] += 1 }
        }
        return counts
    }
}
