// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import CTributaryKernels
import TributaryCore

/// Checked input of a partitioner, and the partitioners that do not look at classes.
struct PartitionRequest {
    let labels: [Int32]
    let classCount: Int
    let partitionCount: Int
    let seed: UInt64

    init(labels: [Int32], classCount: Int, partitionCount: Int, seed: UInt64) throws(LearningError) {
        guard partitionCount >= 1 else { throw .partition("there is no device to give examples to; add a device") }
        guard labels.count <= Int(UInt32.max) else {
            throw .partition("\(labels.count) examples are too many to number; use fewer than 2^32")
        }
        guard labels.count >= partitionCount else {
            throw .partition(
                "\(labels.count) examples cannot be spread over \(partitionCount) devices, one each at least; "
                    + "use fewer devices or more data, or let each draw its own by data.shard")
        }
        if let position = labels.firstIndex(where: { $0 < 0 || Int($0) >= classCount }) {
            throw .examples(
                "example \(position) has label \(labels[position]); labels must lie in 0..<\(classCount)")
        }
        self.labels = labels
        self.classCount = classCount
        self.partitionCount = partitionCount
        self.seed = seed
    }

    /// A stream of random numbers for one part of the work.
    func random(_ part: UInt64) -> CounterRandom {
        CounterRandom(seed: seed, purpose: .partition, client: part)
    }

    // MARK: Sizes

    /// Equal sizes; the first partitions take one more when they do not come out even.
    func evenSizes() -> [Int] {
        let (each, rest) = labels.count.quotientAndRemainder(dividingBy: partitionCount)
        return (0..<partitionCount).map { each + ($0 < rest ? 1 : 0) }
    }

    /// Sizes in proportion to `units(number)`, numbers counting from 1: each rounded down, the rest to the last; a size
    /// of 0 becomes 1 at the cost of the largest (flwr-datasets refuses it).
    func sizes(units: (Int) -> Double) -> [Int] {
        let shares = (1...partitionCount).map(units)
        let total = shares.reduce(0, +)
        var sizes = shares.map { Int($0 / total * Double(labels.count)) }
        sizes[partitionCount - 1] += labels.count - sizes.reduce(0, +)
        return levelled(sizes, minimum: 1)
    }

    /// Sizes in proportion to `e^number`, scaled so that the largest is 1.
    func exponentialSizes() -> [Int] {
        sizes { tributary_learn_exp_double(Double($0 - partitionCount)) }
    }

    /// Raises each size to at least `minimum` and lowers the largest to one common cap, so that the total stays the
    /// same and ascending sizes still ascend; sizes that need nothing stay.
    func levelled(_ sizes: [Int], minimum: Int) -> [Int] {
        let wanted = sizes.map { max($0, minimum) }
        var (low, high) = (minimum, wanted.max() ?? minimum)
        while low < high {
            let cap = low + (high - low + 1) / 2
            if wanted.reduce(0, { $0 + min($1, cap) }) <= labels.count { low = cap } else { high = cap - 1 }
        }
        var levelled = wanted.map { min($0, low) }
        var rest = labels.count - levelled.reduce(0, +)
        for index in levelled.indices.reversed() where rest > 0 && levelled[index] < wanted[index] {
            levelled[index] += 1
            rest -= 1
        }
        return levelled
    }

    /// Shuffles all rows and deals them in runs of the given sizes.
    func sized(_ sizes: [Int]) -> [[UInt32]] {
        var rows = Array(0..<UInt32(labels.count))
        var random = random(0)
        rows.shuffle(by: &random)
        var start = 0
        return sizes.map { size in
            defer { start += size }
            return Array(rows[start..<(start + size)])
        }
    }

    // MARK: Natural clients

    /// One partition per distinct client number.
    func natural(clients: [Int32]?) throws(LearningError) -> [[UInt32]] {
        guard let clients else {
            throw .partition("the data has no client column; name one in the source or choose another partitioner")
        }
        guard clients.count == labels.count else {
            throw .partition("\(labels.count) examples have \(clients.count) client numbers; each needs one")
        }
        let distinct = Set(clients).count
        guard distinct == partitionCount else {
            throw .partition(
                "the data's client column has \(distinct) values and the topology \(partitionCount) devices; "
                    + "declare as many devices as there are clients")
        }
        var lists = [[UInt32]](repeating: [], count: partitionCount)
        for (row, client) in clients.enumerated() {
            guard client >= 0, Int(client) < partitionCount else {
                throw .partition("example \(row) has client number \(client); numbers must be dense from 0")
            }
            lists[Int(client)].append(UInt32(row))
        }
        return lists
    }
}
