// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryLearning

@Suite struct PartitionTests {
    static let specifications: [PartitionSpecification] = [
        .iid, .dirichlet(alpha: 0.05), .dirichlet(alpha: 0.3), .dirichlet(alpha: 100),
        .pathological(classesPerPartition: 2),
        .pathological(classesPerPartition: 2, sites: PartitionSites(devices: 3, classes: 5)),
        .pathological(classesPerPartition: 10), .linear, .square, .exponential,
    ]

    /// 4,000 rows sorted by class, of unequal frequency.
    static let labels: [Int32] = (0..<10).flatMap { [Int32](repeating: Int32($0), count: 310 + 20 * $0) }

    static func make(
        _ specification: PartitionSpecification, count: Int = 20, seed: UInt64 = 1, labels: [Int32] = labels
    ) throws -> [[UInt32]] {
        let partition = try Partition.make(
            specification, labels: labels, classCount: 10, partitionCount: count, seed: seed)
        #expect(partition.count == count)
        return (0..<count).map { partition.rows(of: ClientIndex(UInt64($0))) }
    }

    static func classCounts(_ rows: [UInt32], labels: [Int32] = labels) -> [Int] {
        rows.reduce(into: [Int](repeating: 0, count: 10)) { $0[Int(labels[Int($1)])] += 1 }
    }

    @Test(arguments: specifications) func everyRowIsInExactlyOnePartition(specification: PartitionSpecification) throws
    {
        var counts = [1, 7, 20]
        if case .pathological(classesPerPartition: 2, _) = specification { counts.removeFirst() }
        for count in counts {
            let partitions = try Self.make(specification, count: count)
            #expect(partitions.allSatisfy { !$0.isEmpty && $0 == $0.sorted() })
            #expect(partitions.flatMap { $0 }.sorted() == Array(0..<UInt32(Self.labels.count)))
        }
    }

    @Test(arguments: specifications) func theSeedDecides(specification: PartitionSpecification) throws {
        #expect(try Self.make(specification) == Self.make(specification))
        #expect(try Self.make(specification) != Self.make(specification, seed: 2))
    }

    @Test func sizesOfIidDifferByOneAtMost() throws {
        let sizes = try Self.make(.iid, count: 7).map(\.count)
        #expect(sizes == [572, 572, 572, 571, 571, 571, 571])
    }

    /// The mean total-variation distance between a partition's classes and all classes.
    static func skew(_ partitions: [[UInt32]]) -> Double {
        let whole = classCounts(Array(0..<UInt32(labels.count))).map { Double($0) / Double(labels.count) }
        let distances = partitions.map { rows in
            zip(classCounts(rows), whole).reduce(0) { $0 + abs(Double($1.0) / Double(rows.count) - $1.1) } / 2
        }
        return distances.reduce(0, +) / Double(distances.count)
    }

    @Test func skewGrowsAsAlphaFalls() throws {
        let skews = try [100, 1, 0.3, 0.05].map { Self.skew(try Self.make(.dirichlet(alpha: $0))) }
        #expect(skews == skews.sorted())
        #expect(skews[0] < 0.1 && skews[3] > 0.5)
    }

    @Test func dirichletKeepsTheMinimumSize() throws {
        for seed in 1...5 as ClosedRange<UInt64> {
            #expect(try Self.make(.dirichlet(alpha: 0.01), seed: seed).allSatisfy { $0.count >= 10 })
            #expect(try Self.make(.dirichlet(alpha: 0.01), count: 1_000, seed: seed).allSatisfy { $0.count >= 2 })
            #expect(try Self.make(.dirichlet(alpha: 1e-6), count: 4_000, seed: seed).allSatisfy { $0.count == 1 })
        }
    }

    /// With one class, the shares follow Dirichlet(alpha), whose variance is `(1/n)(1 - 1/n)/(n alpha + 1)`.
    ///
    /// The margin covers 400 shares' sampling error; alphas are such that the minimum size cuts off next to nothing.
    @Test(arguments: [0.7, 3.0]) func sharesHaveTheVarianceOfDirichlet(alpha: Double) throws {
        let n = 10.0
        let labels = [Int32](repeating: 0, count: 20_000)
        var squares = 0.0
        for seed in 1...40 as ClosedRange<UInt64> {
            for rows in try Self.make(.dirichlet(alpha: alpha), count: 10, seed: seed, labels: labels) {
                let difference = Double(rows.count) / 20_000 - 1 / n
                squares += difference * difference
            }
        }
        let expected = (1 / n) * (1 - 1 / n) / (n * alpha + 1)
        #expect(abs(squares / 400 / expected - 1) < 0.3)
    }

    @Test(arguments: [1, 2, 3, 7]) func pathologicalHoldsExactlySoManyClasses(classes: Int) throws {
        let partitions = try Self.make(.pathological(classesPerPartition: classes))
        for rows in partitions { #expect(Self.classCounts(rows).count { $0 > 0 } == classes) }
        let holders = (0..<10).map { label in partitions.count { Self.classCounts($0)[label] > 0 } }
        #expect(holders == [Int](repeating: 2 * classes, count: 10))
    }

    /// 23 devices in sites of 10: the last site has three, and with two classes each they still see at most five.
    @Test(arguments: [20, 23, 50]) func aSiteSeesOnlyItsClasses(count: Int) throws {
        for seed in 1...5 as ClosedRange<UInt64> {
            let partitions = try Self.make(
                .pathological(classesPerPartition: 2, sites: PartitionSites(devices: 10, classes: 5)), count: count,
                seed: seed)
            for rows in partitions { #expect(Self.classCounts(rows).count { $0 > 0 } == 2) }
            let sites = stride(from: 0, to: count, by: 10).map { Array(partitions[$0..<min($0 + 10, count)]) }
            for site in sites {
                #expect(Self.classCounts(site.flatMap(\.self)).count { $0 > 0 } == 5)
                guard site.count == 10 else { continue }
                let holders = (0..<10).map { label in site.count { Self.classCounts($0)[label] > 0 } }
                #expect(holders.sorted() == [0, 0, 0, 0, 0, 4, 4, 4, 4, 4])
            }
            // Two sites of five classes share a deck of ten.
            #expect(Self.classCounts(sites[0].flatMap(\.self) + sites[1].flatMap(\.self)).allSatisfy { $0 > 0 })
        }
    }

    /// Without sites, any five devices in a row that begin a deck see all ten classes once.
    @Test func withoutSitesClassesAreSpreadOverAll() throws {
        let partitions = try Self.make(.pathological(classesPerPartition: 2), count: 50)
        for start in stride(from: 0, to: 50, by: 5) {
            let holders = (0..<10).map { label in
                partitions[start..<start + 5].count { Self.classCounts($0)[label] > 0 }
            }
            #expect(holders == [Int](repeating: 1, count: 10))
        }
    }

    struct Sizes: Decodable, Sendable {
        let law: String
        let examples: Int
        let sizes: [Int]
    }

    static let sizes: [Sizes] = TrainingOracleTests.fixture("sizes.json")

    @Test func sizeFixturesAreThere() {
        #expect(Self.sizes.count == 11)
    }

    /// Sizes by flwr-datasets itself: Tests/Oracles/learning/make_size_fixtures.py.
    @Test(arguments: sizes) func sizesEqualTheOracle(_ test: Sizes) throws {
        let laws: [String: PartitionSpecification] = [
            "linear": .linear, "square": .square, "exponential": .exponential,
        ]
        let labels = (0..<test.examples).map { Int32($0 % 10) }
        let specification = try #require(laws[test.law])
        #expect(try Self.make(specification, count: test.sizes.count, labels: labels).map(\.count) == test.sizes)
    }

    @Test func sizesAscendEvenWhenTheSmallestWouldBeEmpty() throws {
        for count in [20, 200, 3_999, 4_000] {
            let sizes = try Self.make(.exponential, count: count).map(\.count)
            #expect(sizes == sizes.sorted() && sizes[0] == 1)
        }
    }

    @Test func naturalClientsKeepTheirRows() throws {
        let clients: [Int32] = [0, 1, 1, 2, 0, 1]
        let partition = try Partition.make(
            .naturalID, labels: [0, 1, 0, 1, 0, 1], classCount: 2, clients: clients, partitionCount: 3, seed: 1)
        #expect((0..<3).map { partition.rows(of: ClientIndex($0)) } == [[0, 4], [1, 2, 5], [3]])
        #expect(partition.rows(of: ClientIndex(3)).isEmpty && partition.rows(of: ClientIndex(.max)).isEmpty)
        #expect(partition.size(of: ClientIndex(1)) == 3 && partition.size(of: ClientIndex(9)) == 0)
    }

    struct Bad: Sendable {
        var specification: PartitionSpecification
        var labels: [Int32] = [0, 1, 2, 0, 1, 2]
        var clients: [Int32]?
        var count = 3
        let says: String
    }

    static let impossible: [Bad] = [
        Bad(specification: .iid, count: 0, says: "add a device"),
        Bad(specification: .iid, count: -1, says: "add a device"),
        Bad(specification: .iid, count: 7, says: "use fewer devices or more data"),
        Bad(specification: .iid, labels: [0, 1, 3], says: "label 3"),
        Bad(specification: .iid, labels: [0, -1, 2], says: "label -1"),
        Bad(specification: .dirichlet(alpha: 0), says: "alpha is 0.0"),
        Bad(specification: .dirichlet(alpha: .nan), says: "alpha is nan"),
        Bad(specification: .dirichlet(alpha: .infinity), says: "alpha is inf"),
        Bad(specification: .pathological(classesPerPartition: 0), says: "use 1...3"),
        Bad(specification: .pathological(classesPerPartition: 4), says: "use 1...3"),
        Bad(specification: .pathological(classesPerPartition: .max), says: "use 1...3"),
        Bad(specification: .pathological(classesPerPartition: 1), count: 2, says: "cannot hold all 3"),
        Bad(specification: .pathological(classesPerPartition: 3), says: "has 2 examples and 3 devices"),
        Bad(
            specification: .pathological(classesPerPartition: 2, sites: PartitionSites(devices: 0, classes: 2)),
            says: "use 1 device or more and 2...3 classes"),
        Bad(
            specification: .pathological(classesPerPartition: 2, sites: PartitionSites(devices: 2, classes: 1)),
            says: "use 1 device or more and 2...3 classes"),
        Bad(
            specification: .pathological(classesPerPartition: 2, sites: PartitionSites(devices: 3, classes: 2)),
            says: "falls to no device; use more sites"),
        Bad(specification: .naturalID, says: "no client column"),
        Bad(specification: .naturalID, clients: [0, 1], says: "each needs one"),
        Bad(specification: .naturalID, clients: [0, 1, 0, 1, 0, 1], says: "has 2 values and the topology 3"),
        Bad(specification: .naturalID, clients: [0, 1, 5, 0, 1, 5], says: "client number 5"),
        Bad(specification: .naturalID, clients: [0, 1, -1, 0, 1, 0], says: "client number -1"),
    ]

    @Test(arguments: impossible) func impossiblePartitionsSaySo(bad: Bad) {
        #expect {
            _ = try Partition.make(
                bad.specification, labels: bad.labels, classCount: 3, clients: bad.clients, partitionCount: bad.count,
                seed: 1)
        } throws: { error in
            "\(error)".contains(bad.says)
        }
    }

    /// The rows that a seed gives are part of a federation's meaning: they must not move between versions.
    @Test func rowsAreTheRecordedOnes() throws {
        let dirichlet = try Self.make(.dirichlet(alpha: 0.3)).map(\.count)
        #expect(
            dirichlet == [
                202, 205, 63, 230, 149, 234, 246, 227, 219, 155, 145, 208, 120, 324, 107, 198, 365, 190, 252, 161,
            ])
        let pathological = try Self.make(.pathological(classesPerPartition: 2)).prefix(4).map { Array($0.prefix(3)) }
        #expect(pathological == [[991, 992, 998], [314, 318, 324], [1360, 1369, 1377], [647, 648, 651]])
        let sites = PartitionSites(devices: 10, classes: 5)
        let sited = try Self.make(.pathological(classesPerPartition: 2, sites: sites)).prefix(2).map(\.count)
        #expect(sited == [191, 236])
    }
}
