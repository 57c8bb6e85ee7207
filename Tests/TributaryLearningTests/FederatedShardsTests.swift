// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryLearning

@Suite struct FederatedShardsTests {
    static let source = DataSpecification.Source.synthetic(examples: 600, features: 6, classes: 5)

    static func data(
        _ partition: PartitionSpecification, shard: ShardQuantity? = nil, skew: SkewSpecification? = nil,
        drift: [DriftSpecification] = [], source: DataSpecification.Source = source
    ) -> DataSpecification {
        DataSpecification(
            source: source, partition: partition, holdOut: 0.2, shard: shard.map { ShardSpecification(examples: $0) },
            skew: skew, drift: drift)
    }

    /// 600 rows of a table, in memory or made when asked for, and cut for 20 devices.
    static func shards(
        _ data: DataSpecification, deviceHoldOut: Double? = nil, inMemory: Bool = true, seed: UInt64 = 3
    ) throws -> FederatedShards {
        let table = try SyntheticData(examples: 600, features: 6, classes: 5, seed: 9)
        let rows = (0..<600).map { UInt32($0) }
        return try FederatedShards(
            data, layout: Allotment.Table(labels: table.labels(), classCount: 5, rowCount: 600), featureShape: [6],
            table: inMemory ? .memory(table.examples(rows: rows)) : .rows { table.examples(rows: $0) },
            clientCount: 20, deviceHoldOut: deviceHoldOut, seed: seed)
    }

    static let partitions: [PartitionSpecification] = [
        .iid, .dirichlet(alpha: 0.3), .pathological(classesPerPartition: 2), .linear, .square, .exponential,
    ]

    @Test(arguments: partitions) func aTableIsCutWithoutLosingARow(partition: PartitionSpecification) throws {
        for share in [nil, 0.3] {
            let allotment = try Self.shards(Self.data(partition), deviceHoldOut: share).allotment
            let holdings = try (0..<20).map { try allotment.holding(of: ClientIndex($0)) }
            let rows = allotment.heldOutRows + holdings.flatMap { $0.training + ($0.holdOut ?? []) }
            #expect(rows.sorted() == (0..<600).map { UInt32($0) })
            #expect(allotment.heldOutRows.count == 120)
            #expect(holdings.allSatisfy { ($0.holdOut == nil) == (share == nil) && $0.made == nil })
        }
    }

    static let drawn: [PartitionSpecification] = [
        .iid, .dirichlet(alpha: 0.3), .pathological(classesPerPartition: 2),
    ]

    @Test(arguments: drawn) func drawnRowsAreTrainingRowsOfTheDrawnClasses(partition: PartitionSpecification) throws {
        let table = try SyntheticData(examples: 600, features: 6, classes: 5, seed: 9).labels()
        let shards = try Self.shards(Self.data(partition, shard: .fixed(90)), deviceHoldOut: 0.2)
        let heldOut = Set(shards.allotment.heldOutRows)
        for client in 0..<30 as Range<UInt64> {
            let holding = try shards.allotment.holding(of: ClientIndex(client))
            let kept = holding.holdOut ?? []
            #expect(holding.training == holding.training.sorted() && kept == kept.sorted() && !kept.isEmpty)
            #expect(holding.training.count + kept.count == 90)
            #expect(Set(kept).isDisjoint(with: holding.training))
            #expect(heldOut.isDisjoint(with: holding.training + kept))
            var counts = [0, 0, 0, 0, 0]
            for row in holding.training + kept { counts[Int(table[Int(row)])] += 1 }
            #expect(try shards.labelCounts(of: ClientIndex(client), round: 1) == counts)
        }
    }

    static let skew = SkewSpecification(gain: 0.2, bias: 0.3, noise: 0.1)
    static let drift: [DriftSpecification] = [
        .bias(.init(perRound: 0.1)), .labels(at: 4, swaps: [.init(0, 3)]),
    ]

    /// A simulation keeps the table in memory, a device reads its own rows: the examples are the same.
    @Test(arguments: [ShardQuantity.fixed(90), nil]) func viewsAndOwnExamplesAreTheSame(examples: ShardQuantity?) throws
    {
        let data = Self.data(.dirichlet(alpha: 0.3), shard: examples, skew: Self.skew, drift: Self.drift)
        let views = try Self.shards(data, deviceHoldOut: 0.2)
        let read = try Self.shards(data, deviceHoldOut: 0.2, inMemory: false)
        for client in 0..<20 as Range<UInt64> {
            for round in [0, 2, 4] as [UInt32] {
                let (view, own) = (
                    try views.shard(of: ClientIndex(client), round: round),
                    try read.shard(of: ClientIndex(client), round: round)
                )
                #expect(view.examples.count == 600 && own.examples.count <= own.rows.count + 90)
                #expect(Self.same(view.training(), own.training()))
                let (left, right) = (try #require(view.holdOut()), try #require(own.holdOut()))
                #expect(Self.same(left, right) && left.count > 0)
            }
        }
    }

    static func same(_ left: Examples, _ right: Examples) -> Bool {
        left.featureShape == right.featureShape && left.labels == right.labels && left.classCount == right.classCount
            && left.features.map(\.bitPattern) == right.features.map(\.bitPattern)
    }

    @Test func aShardIsAFunctionOfTheRound() throws {
        let shards = try Self.shards(Self.data(.iid, shard: .fixed(50), drift: Self.drift))
        let client = ClientIndex(5)
        let (first, third, fourth) = (
            try shards.shard(of: client, round: 1).training(), try shards.shard(of: client, round: 3).training(),
            try shards.shard(of: client, round: 4).training()
        )
        #expect(zip(first.features, third.features).allSatisfy { $1 == $0 + 0.2 as Float })
        #expect(first.labels == third.labels && first.labels != fourth.labels)
        #expect(fourth.labels == first.labels.map { $0 == 0 ? 3 : $0 == 3 ? 0 : $0 })
        let counts = try shards.labelCounts(of: client, round: 1)
        #expect(try shards.labelCounts(of: client, round: 4) == [3, 1, 2, 0, 4].map { counts[$0] })
    }

    // MARK: Fleets

    static func fleet(_ clientCount: UInt64, deviceHoldOut: Double? = nil) throws -> FederatedShards {
        let data = data(.dirichlet(alpha: 0.3), shard: .powerLaw(exponent: 1.5, min: 10, max: 2_000), skew: skew)
        return try #require(
            try FederatedShards(synthetic: data, clientCount: clientCount, deviceHoldOut: deviceHoldOut, seed: 3))
    }

    /// Whatever is kept per device would have to know how many there are; nothing does.
    @Test func theSizeOfAFleetChangesNoShard() throws {
        let (one, most) = (try Self.fleet(1), try Self.fleet(.max))
        for client in [0, 1, 99_999_999, .max - 1] as [UInt64] {
            let (left, right) = (
                try one.shard(of: ClientIndex(client), round: 1), try most.shard(of: ClientIndex(client), round: 1)
            )
            #expect(left.rows.count >= 10 && Self.same(left.training(), right.training()))
        }
    }

    @Test func madeExamplesHaveTheirClassesAndAreNobodyElses() throws {
        let fleet = try Self.fleet(100_000_000, deviceHoldOut: 0.25)
        let shard = try fleet.shard(of: ClientIndex(99_999_999), round: 1)
        let (training, holdOut) = (shard.training(), try #require(shard.holdOut()))
        var counts = [0, 0, 0, 0, 0]
        for label in training.labels + holdOut.labels { counts[Int(label)] += 1 }
        #expect(try fleet.labelCounts(of: ClientIndex(99_999_999), round: 1) == counts)
        let other = try fleet.shard(of: ClientIndex(99_999_998), round: 1)
        #expect(Set(shard.examples.features).isDisjoint(with: other.examples.features))
        let heldOut = try #require(try fleet.heldOut())
        #expect(heldOut.count == 120 && Set(heldOut.features).isDisjoint(with: shard.examples.features))
    }

    /// Class means of made examples lie where the table's classes do: a fleet learns what the table would teach.
    @Test func madeExamplesFollowTheTablesLaw() throws {
        let data = Self.data(.iid, shard: .fixed(4_000))
        let fleet = try #require(
            try FederatedShards(synthetic: data, clientCount: 9, deviceHoldOut: nil, seed: 3))
        let made = try fleet.shard(of: ClientIndex(4), round: 1).training()
        let table = try SyntheticData(examples: 4_000, features: 6, classes: 5, seed: 3)
        let rows = table.examples(rows: (0..<4_000).map { UInt32($0) })
        for label in 0..<5 as Range<Int32> {
            for feature in 0..<6 {
                // About 800 rows of standard deviation below 3 each: four standard errors of a difference.
                #expect(abs(Self.mean(made, label, feature) - Self.mean(rows, label, feature)) < 0.6)
            }
        }
    }

    static func mean(_ examples: Examples, _ label: Int32, _ feature: Int) -> Float {
        let rows = examples.labels.indices.filter { examples.labels[$0] == label }
        return rows.reduce(0) { $0 + examples.features[$1 * 6 + feature] } / Float(rows.count)
    }

    /// The examples that a seed gives are part of a federation's meaning: they must not move between versions.
    @Test func shardsAreTheRecordedOnes() throws {
        let drawn = try Self.shards(Self.data(.dirichlet(alpha: 0.3), shard: .fixed(6)))
        let rows = try (0..<3).map { try drawn.allotment.holding(of: ClientIndex($0)).training }
        #expect(
            rows == [[75, 81, 100, 176, 371, 478], [99, 307, 341, 407, 443, 514], [162, 165, 330, 331, 467, 467]])
        let fleet = try Self.fleet(100_000_000)
        let counts = try (99_999_997..<100_000_000).map { try fleet.labelCounts(of: ClientIndex($0), round: 1) }
        #expect(counts == [[0, 3, 0, 2, 5], [4, 1, 10, 0, 2], [0, 0, 8, 13, 0]])
        let shard = try fleet.shard(of: ClientIndex(99_999_999), round: 1).training()
        #expect(shard.features.prefix(2).map(\.bitPattern) == [1_075_905_085, 1_067_949_971])
    }
}
