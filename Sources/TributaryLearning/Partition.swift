// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// Partitioners as in flwr-datasets (https://flower.ai/docs/datasets/): IidPartitioner, DirichletPartitioner (Yurochkin
// et al., "Bayesian Nonparametric Federated Learning of Neural Networks", 2019, https://arxiv.org/abs/1905.12022),
// PathologicalPartitioner (McMahan et al. 2017, https://arxiv.org/abs/1602.05629), LinearPartitioner, SquarePartitioner,
// ExponentialPartitioner and NaturalIdPartitioner. Where they would lose an example or leave a partition empty, ours do
// not; each function says how.

package import TributaryCore

/// Which examples each device holds: every example in exactly one partition, no partition empty.
///
/// A function of specification, labels, number of partitions and seed alone, so that every device derives its own rows
/// without asking anybody.
package struct Partition: Hashable, Sendable {
    /// All rows, partition after partition, ascending within each.
    private let rows: [UInt32]
    /// Where each partition starts in `rows`, and the end of the last.
    private let starts: [Int]

    /// The number of partitions; client indices are `0..<count`.
    package var count: Int { starts.count - 1 }

    /// The rows of a client, ascending; empty for a client index beyond `count`.
    package func rows(of client: ClientIndex) -> [UInt32] {
        guard client.value < UInt64(count) else { return [] }
        let index = Int(client.value)
        return Array(rows[starts[index]..<starts[index + 1]])
    }

    /// The number of rows of a client; 0 for a client index beyond `count`.
    package func size(of client: ClientIndex) -> Int {
        guard client.value < UInt64(count) else { return 0 }
        let index = Int(client.value)
        return starts[index + 1] - starts[index]
    }

    /// Spreads examples over `partitionCount` devices.
    ///
    /// `labels: [examples]` are class numbers in `0..<classCount`; `clients: [examples]` are the numbers of the natural
    /// client of each example, dense from 0 in order of first appearance, and needed only for `naturalID`.
    ///
    /// - Throws: `LearningError.partition` with what to change when the examples cannot be spread as asked, and
    ///   `LearningError.examples` for labels out of range.
    package static func make(
        _ specification: PartitionSpecification, labels: [Int32], classCount: Int, clients: [Int32]? = nil,
        partitionCount: Int, seed: UInt64
    ) throws(LearningError) -> Partition {
        let request = try PartitionRequest(
            labels: labels, classCount: classCount, partitionCount: partitionCount, seed: seed)
        switch specification {
        case .iid:
            return Partition(rowLists: request.sized(request.evenSizes()))
        case .linear:
            return Partition(rowLists: request.sized(request.sizes { Double($0) }))
        case .square:
            return Partition(rowLists: request.sized(request.sizes { Double($0) * Double($0) }))
        case .exponential:
            return Partition(rowLists: request.sized(request.exponentialSizes()))
        case .dirichlet(let alpha):
            return Partition(rowLists: try request.dirichlet(alpha: alpha))
        case .pathological(let classesPerPartition, let sites):
            return Partition(
                rowLists: try request.pathological(classesPerPartition: classesPerPartition, sites: sites))
        case .naturalID:
            return Partition(rowLists: try request.natural(clients: clients))
        }
    }

    private init(rowLists: [[UInt32]]) {
        var rows: [UInt32] = []
        var starts = [0]
        rows.reserveCapacity(rowLists.reduce(0) { $0 + $1.count })
        for list in rowLists {
            rows.append(contentsOf: list.sorted())
            starts.append(rows.count)
        }
        self.rows = rows
        self.starts = starts
    }
}
