// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryClient
import TributaryCore
import TributaryLearning
import TributaryTopology

@Suite struct FederatedDataTests {
    static let folder = {
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        parts.append("Topologies")
        return parts.joined(separator: "/")
    }()

    /// The committed readings of six pumps, 480 rows, with skew and drift, and a share of each device's own held out.
    static func topology(
        _ partition: PartitionSpecification, shard: ShardQuantity?, drift: [DriftSpecification] = drift
    ) -> Topology {
        Topology(
            federation: "pumps", seed: 5, model: .linear,
            data: DataSpecification(
                source: .csv(path: "data/pumps.csv", label: "state", client: "pump", test: nil),
                partition: partition, holdOut: 0.2, shard: shard.map { ShardSpecification(examples: $0) },
                skew: SkewSpecification(gain: 0.1, bias: 0.2, noise: 0.05), drift: drift),
            rounds: 9, evaluation: EvaluationSettings(onDevices: .init(holdOut: 0.25)),
            tiers: [Tier(name: "works", fanOut: .one), Tier(name: "pump", fanOut: .count(6))])
    }

    static let drift: [DriftSpecification] = [
        .bias(.init(perRound: 0.1)), .labels(at: 3, swaps: [.init(0, 2)]),
    ]

    static let spreads: [(PartitionSpecification, ShardQuantity?)] = [
        (.naturalID, nil), (.dirichlet(alpha: 0.5), nil), (.square, nil), (.iid, .fixed(70)),
        (.dirichlet(alpha: 0.5), .powerLaw(exponent: 1.2, min: 5, max: 300)),
        (.pathological(classesPerPartition: 2), .logNormal(median: 40, sigma: 1, min: 4, max: 400)),
    ]

    @Test("what a device reads from the file is what a simulation sees in memory", arguments: spreads.indices)
    func sameShards(index: Int) throws {
        let (partition, shard) = Self.spreads[index]
        let data = try FederatedData(Self.topology(partition, shard: shard), clientCount: 6, directory: Self.folder)
        let loaded: any ShardSource = try data.loaded()
        for client in 0..<6 as Range<UInt64> {
            for round in [0, 2, 3] as [UInt32] {
                let (read, view) = (
                    try data.shard(of: ClientIndex(client), round: round),
                    try loaded.shard(of: ClientIndex(client), round: round)
                )
                #expect(view.examples.count > read.examples.count)
                #expect(Self.same(read.training(), view.training()) && read.training().count > 0)
                #expect(Self.same(try #require(read.holdOut()), try #require(view.holdOut())))
            }
        }
    }

    static func same(_ left: Examples, _ right: Examples) -> Bool {
        left.labels == right.labels && left.features.map(\.bitPattern) == right.features.map(\.bitPattern)
            && left.featureShape == right.featureShape && left.classCount == right.classCount
    }

    @Test("a synthetic fleet needs no file and no room of files")
    func synthetic() throws {
        var topology = Self.topology(.dirichlet(alpha: 0.3), shard: .fixed(30))
        topology.data.source = .synthetic(examples: 100, features: 5, classes: 3)
        let data = try FederatedData(topology, clientCount: 100_000_000, directory: "/nowhere")
        let shards = try #require(
            try FederatedShards(
                synthetic: topology.data, clientCount: 100_000_000, deviceHoldOut: 0.25, seed: topology.seed))
        let client = ClientIndex(99_999_999)
        let (left, right) = (try data.shard(of: client, round: 4), try shards.shard(of: client, round: 4))
        #expect(Self.same(left.training(), right.training()) && left.rows.count == 23)
        #expect(try #require(try data.heldOut()).examples(round: 1).count == 20)
    }

    @Test("held-out examples drift, and a fleet larger than its table says what to do")
    func heldOutAndErrors() throws {
        let data = try FederatedData(Self.topology(.iid, shard: nil), clientCount: 6, directory: Self.folder)
        let heldOut = try #require(try data.heldOut())
        let (first, third) = (heldOut.examples(round: 1).labels, heldOut.examples(round: 3).labels)
        #expect(third == first.map { 2 - $0 } && first != third)
        #expect {
            _ = try FederatedData(Self.topology(.iid, shard: nil), clientCount: 1_000, directory: Self.folder)
        } throws: {
            "\($0)".contains("data.shard")
        }
    }
}
