// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// What one device holds in one round: rows of a data set in memory, and what becomes of them.
package struct Shard: Sendable {
    /// What the rows number: a data set that many devices share, or the device's own examples.
    package var examples: Examples
    /// The rows to train on, ascending; a row that was drawn twice stands twice.
    package var rows: [UInt32]
    /// The rows kept for evaluation, ascending; `nil` when devices do not evaluate.
    package var holdOutRows: [UInt32]?
    /// What the rows go through; noise follows their places in `rows` and `holdOutRows`.
    package var transformation: Transformation

    package init(
        examples: Examples, rows: [UInt32], holdOutRows: [UInt32]? = nil, transformation: Transformation = .identity
    ) {
        self.examples = examples
        self.rows = rows
        self.holdOutRows = holdOutRows
        self.transformation = transformation
    }

    /// The examples to train on, gathered and transformed; O(their features).
    package func training() -> Examples { view(rows, .training) }

    /// The examples kept for evaluation, gathered and transformed.
    package func holdOut() -> Examples? { holdOutRows.map { view($0, .holdOut) } }

    private func view(_ rows: [UInt32], _ part: Transformation.Part) -> Examples {
        let gathered = examples.gathered(rows)
        return transformation.isIdentity ? gathered : transformation.applied(to: gathered, part: part)
    }
}

/// Where the devices' shards come from; the same in a simulation and in a deployment.
package protocol ShardSource: Sendable {
    /// The extents of one example's features.
    var featureShape: [Int] { get }
    var classCount: Int { get }

    /// What a device holds in a round: a function of data, seed, client index and round alone.
    ///
    /// - Throws: when the rows cannot be read.
    func shard(of client: ClientIndex, round: UInt32) throws -> Shard

    /// How many examples a device trains on, and how many it keeps for evaluation, in any round.
    ///
    /// - Throws: when the examples cannot be spread as asked.
    func sizes(of client: ClientIndex) throws -> (training: Int, holdOut: Int)
}

extension Examples {
    /// Copies rows, in the order given; all rows in their own order are no copy.
    func gathered(_ rows: [UInt32]) -> Examples {
        if rows.count == count, rows.indices.allSatisfy({ rows[$0] == UInt32($0) }) { return self }
        let featureCount = featureCount
        var features: [Float] = []
        features.reserveCapacity(rows.count * featureCount)
        for row in rows {
            features.append(contentsOf: self.features[Int(row) * featureCount..<(Int(row) + 1) * featureCount])
        }
        return Examples(
            featureShape: featureShape, features: features, labels: rows.map { labels[Int($0)] },
            classCount: classCount)
    }
}
