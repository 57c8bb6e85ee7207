// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import CTributaryKernels
import TributaryCore

/// The partitioners that look at classes.
extension PartitionRequest {
    /// A draw of shares is repeated this often when it leaves a partition too small, as in flwr-datasets.
    private static let attemptCountMax: UInt64 = 10
    /// The examples that each partition shall have, where the data suffices: flwr-datasets' default.
    private static let sizeMin = 10

    /// The rows of each class, each class in a random order.
    private func shuffledRowsByClass(_ random: inout CounterRandom) -> [[UInt32]] {
        var rows = [[UInt32]](repeating: [], count: classCount)
        for (row, label) in labels.enumerated() { rows[Int(label)].append(UInt32(row)) }
        for index in rows.indices { rows[index].shuffle(by: &random) }
        return rows
    }

    // MARK: Dirichlet

    /// Each class is cut by a Dirichlet(alpha) draw over the partitions, partitions that already hold more than the
    /// average being left out (flwr-datasets' self-balancing).
    ///
    /// A draw that leaves a partition below 10 rows (or half the average, when that is less) is repeated; after 10
    /// attempts the largest partitions give rows to the small ones, where flwr-datasets gives up.
    func dirichlet(alpha: Double) throws(LearningError) -> [[UInt32]] {
        guard (1e-6...1e12).contains(alpha) else {
            throw .partition("the Dirichlet alpha is \(alpha); it must lie in 1e-6...1e12")
        }
        let minimum = max(1, min(Self.sizeMin, labels.count / (2 * partitionCount)))
        var lists: [[UInt32]] = []
        for attempt in 1...Self.attemptCountMax {
            lists = dirichletDraw(alpha: alpha, attempt: attempt)
            if lists.allSatisfy({ $0.count >= minimum }) { return lists }
        }
        var random = random(0)
        for index in lists.indices { lists[index].shuffle(by: &random) }
        return movingRows(of: lists, to: levelled(lists.map(\.count), minimum: minimum))
    }

    private func dirichletDraw(alpha: Double, attempt: UInt64) -> [[UInt32]] {
        var random = random(attempt)
        var gamma = LogGammaSampler(shape: alpha)
        var lists = [[UInt32]](repeating: [], count: partitionCount)
        for rows in shuffledRowsByClass(&random) where !rows.isEmpty {
            let draws = lists.indices.map { _ in gamma.next(&random) }
            let open = lists.indices.filter { lists[$0].count <= labels.count / partitionCount }
            let largest = open.reduce(-Double.infinity) { max($0, draws[$1]) }
            let shares = open.map { tributary_learn_exp_double(draws[$0] - largest) }
            let total = shares.reduce(0, +)
            var (start, reached) = (0, 0.0)
            for (position, index) in open.enumerated() {
                reached += shares[position]
                let isLast = position == open.count - 1
                let end = isLast ? rows.count : min(rows.count, Int(reached / total * Double(rows.count)))
                lists[index].append(contentsOf: rows[start..<end])
                start = end
            }
        }
        return lists
    }

    /// Takes rows from the end of lists that are longer than their size and gives them to those that are shorter.
    private func movingRows(of lists: [[UInt32]], to sizes: [Int]) -> [[UInt32]] {
        var lists = lists
        var spare: [UInt32] = []
        for (index, size) in sizes.enumerated() where lists[index].count > size {
            spare.append(contentsOf: lists[index][size...])
            lists[index].removeSubrange(size...)
        }
        for (index, size) in sizes.enumerated() where lists[index].count < size {
            let missing = size - lists[index].count
            lists[index].append(contentsOf: spare.suffix(missing))
            spare.removeLast(missing)
        }
        return lists
    }

    // MARK: Pathological

    /// Each partition holds examples of exactly so many classes; a class is cut evenly among those that hold it.
    ///
    /// Classes are dealt from shuffled decks of all classes, so that each class is held by someone and all are held
    /// about equally often (flwr-datasets draws them independently and drops those that nobody drew).
    func pathological(classesPerPartition: Int) throws(LearningError) -> [[UInt32]] {
        var random = random(0)
        let rowsByClass = shuffledRowsByClass(&random)
        let present = rowsByClass.indices.filter { !rowsByClass[$0].isEmpty }
        guard (1...present.count).contains(classesPerPartition) else {
            throw .partition(
                "\(classesPerPartition) classes per device were asked for, and the data has \(present.count); "
                    + "use 1...\(present.count)")
        }
        guard partitionCount >= (present.count + classesPerPartition - 1) / classesPerPartition else {
            throw .partition(
                "\(partitionCount) devices with \(classesPerPartition) classes each cannot hold all \(present.count) "
                    + "classes; use more devices or more classes per device")
        }
        let holders = holders(of: present, classesPerPartition: classesPerPartition, random: &random)
        var lists = [[UInt32]](repeating: [], count: partitionCount)
        for label in present {
            let (rows, partitions) = (rowsByClass[label], holders[label])
            guard partitions.count <= rows.count else {
                throw .partition(
                    "class \(label) has \(rows.count) examples and \(partitions.count) devices shall hold some; "
                        + "use fewer devices or fewer classes per device")
            }
            let (each, rest) = rows.count.quotientAndRemainder(dividingBy: partitions.count)
            var start = 0
            for (position, partition) in partitions.enumerated() {
                let end = start + each + (position < rest ? 1 : 0)
                lists[partition].append(contentsOf: rows[start..<end])
                start = end
            }
        }
        return lists
    }

    /// For each class the partitions that hold it, ascending.
    private func holders(of classes: [Int], classesPerPartition: Int, random: inout CounterRandom) -> [[Int]] {
        var holders = [[Int]](repeating: [], count: classCount)
        var deck: [Int] = []
        for partition in 0..<partitionCount {
            var own: Set<Int> = []
            while own.count < classesPerPartition {
                if deck.isEmpty {
                    deck = classes
                    deck.shuffle(by: &random)
                    // The deck is dealt from its end: what this partition already holds goes to the next one.
                    deck = deck.filter { own.contains($0) } + deck.filter { !own.contains($0) }
                }
                let label = deck.removeLast()
                own.insert(label)
                holders[label].append(partition)
            }
        }
        return holders
    }
}
