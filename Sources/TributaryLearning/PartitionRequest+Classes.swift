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
    /// about equally often (flwr-datasets draws them independently and drops those that nobody drew). With sites they
    /// are dealt twice in the same way: to the sites, then within each site to its partitions.
    func pathological(classesPerPartition: Int, sites: PartitionSites?) throws(LearningError) -> [[UInt32]] {
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
        let hands =
            if let sites {
                try self.hands(of: present, classesPerPartition: classesPerPartition, sites: sites, random: &random)
            } else {
                Self.deal(present, each: classesPerPartition, to: partitionCount, random: &random)
            }
        var holders = [[Int]](repeating: [], count: classCount)
        for (partition, hand) in hands.enumerated() {
            for label in hand { holders[label].append(partition) }
        }
        return try cut(rowsByClass, among: holders, classes: present)
    }

    /// Cuts the rows of each class evenly among those that hold it.
    private func cut(
        _ rowsByClass: [[UInt32]], among holders: [[Int]], classes: [Int]
    ) throws(LearningError) -> [[UInt32]] {
        if let label = classes.first(where: { holders[$0].isEmpty }) {
            throw .partition(
                "class \(label) falls to no device; use more sites, more classes per site or more classes per device")
        }
        var lists = [[UInt32]](repeating: [], count: partitionCount)
        for label in classes {
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

    /// The classes of each partition when consecutive partitions share a site.
    private func hands(
        of classes: [Int], classesPerPartition: Int, sites: PartitionSites, random: inout CounterRandom
    ) throws(LearningError) -> [[Int]] {
        guard sites.devices >= 1, (classesPerPartition...classes.count).contains(sites.classes) else {
            throw .partition(
                "sites of \(sites.devices) devices shall see \(sites.classes) classes; "
                    + "use 1 device or more and \(classesPerPartition)...\(classes.count) classes")
        }
        let siteCount = (partitionCount - 1) / sites.devices + 1
        return Self.deal(classes, each: sites.classes, to: siteCount, random: &random).enumerated()
            .flatMap { site, own in
                let deviceCount = min(sites.devices, partitionCount - site * sites.devices)
                return Self.deal(own, each: classesPerPartition, to: deviceCount, random: &random)
            }
    }

    /// Deals so many distinct classes to each of so many, from shuffled decks of all of them.
    private static func deal(
        _ classes: [Int], each: Int, to count: Int, random: inout CounterRandom
    ) -> [[Int]] {
        var deck: [Int] = []
        return (0..<count).map { _ in
            var own: [Int] = []
            while own.count < each {
                if deck.isEmpty {
                    deck = classes
                    deck.shuffle(by: &random)
                    // The deck is dealt from its end: what this hand already has goes to the next one.
                    deck = deck.filter { own.contains($0) } + deck.filter { !own.contains($0) }
                }
                own.append(deck.removeLast())
            }
            return own
        }
    }
}
