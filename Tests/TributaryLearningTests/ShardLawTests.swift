// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TributaryCore
import TributaryTestSupport

@testable import TributaryLearning

@Suite struct ShardLawTests {
    static let counts = [100, 0, 300, 600]
    static let partitions: [PartitionSpecification] = [
        .iid, .dirichlet(alpha: 0.3), .pathological(classesPerPartition: 2),
    ]

    static func law(
        _ partition: PartitionSpecification, _ examples: ShardQuantity = .fixed(50), counts: [Int] = counts,
        seed: UInt64 = 1
    ) throws -> ShardLaw {
        try ShardLaw(ShardSpecification(examples: examples), partition: partition, counts: counts, seed: seed)
    }

    static func shares(_ law: ShardLaw, _ client: UInt64, classCount: Int = counts.count) -> [Double] {
        let labels = law.labels(of: ClientIndex(client)).labels
        return (0..<classCount).map { label in
            Double(labels.count { $0 == Int32(label) }) / Double(labels.count)
        }
    }

    @Test(arguments: partitions) func aShardFollowsFromSeedAndClientAlone(partition: PartitionSpecification) throws {
        let clients = [0, 1, 17, 4_000, 99_999_999, .max].map { ClientIndex($0) }
        let law = try Self.law(partition)
        let labels = clients.map { law.labels(of: $0).labels }
        #expect(Set(labels).count > 1 && labels.allSatisfy { $0.count == 50 && !$0.contains(1) })
        let (again, other) = (try Self.law(partition), try Self.law(partition, seed: 2))
        #expect(clients.reversed().map { again.labels(of: $0).labels } == labels.reversed())
        #expect(clients.map { other.labels(of: $0).labels } != labels)
    }

    // MARK: Sizes

    struct Oracle: Decodable {
        struct Quantiles: Decodable {
            let exponent: Double
            let min: Double
            let max: Double
            let shares: [Double]
            let values: [Double]
        }
        let quantiles: [Quantiles]
    }

    /// Quantiles by SciPy: Tests/Oracles/learning/make_shard_fixtures.py; ours have a few bits less at most.
    @Test func boundedParetoEqualsTheOracle() throws {
        let laws = try OracleFile.decode(Oracle.self, "learning/shards.json").quantiles
        #expect(laws.count == 5)
        for law in laws {
            for (share, value) in zip(law.shares, law.values) {
                let ours = ShardQuantity.boundedPareto(
                    exponent: law.exponent, min: law.min, max: law.max, share: share)
                #expect(abs(ours / value - 1) < 1e-10, "exponent \(law.exponent), share \(share)")
            }
        }
    }

    @Test func exponentOfOneIsTheLimit() {
        for share in [0, 0.3, 0.999] {
            let limit = ShardQuantity.boundedPareto(exponent: 1, min: 10, max: 1_000, share: share)
            #expect(abs(limit / (10 * pow(100, share)) - 1) < 1e-12)
            let near = ShardQuantity.boundedPareto(exponent: 1 + 1e-9, min: 10, max: 1_000, share: share)
            #expect(abs(near / limit - 1) < 1e-7)
        }
    }

    /// The largest distance between the counts of 20,000 devices and a distribution function, against the bound that
    /// Kolmogorov's distribution exceeds once in 1,000 (Smirnov 1948, https://doi.org/10.1214/aoms/1177730256).
    private static func distance(_ examples: ShardQuantity, _ distribution: (Int) -> Double) throws -> Double {
        let law = try law(.iid, examples)
        let counts = (0..<20_000).map { law.count(of: ClientIndex($0)) }.sorted()
        var distance = 0.0
        for (index, count) in counts.enumerated() where index + 1 == counts.count || counts[index + 1] != count {
            distance = max(distance, abs(Double(index + 1) / 20_000 - distribution(count)))
        }
        return distance * 20_000.0.squareRoot()
    }

    @Test(arguments: [(1.5, 10, 2_000), (2.5, 1, 100), (0.7, 20, 40)])
    func powerLawHasItsDistribution(exponent: Double, min: Int, max: Int) throws {
        let whole = 1 - pow(Double(max + 1) / Double(min), 1 - exponent)
        let distance = try Self.distance(.powerLaw(exponent: exponent, min: min, max: max)) { count in
            (1 - pow(Double(count + 1) / Double(min), 1 - exponent)) / whole
        }
        #expect(distance < 1.95)
    }

    @Test func logNormalHasItsDistribution() throws {
        let distance = try Self.distance(.logNormal(median: 80, sigma: 0.9, min: 20, max: 900)) { count in
            count >= 900 ? 1 : erfc(-log(Double(count + 1) / 80) / 0.9 / 2.0.squareRoot()) / 2
        }
        #expect(distance < 1.95)
    }

    @Test func countsStayWithinTheirEnds() throws {
        let laws: [ShardQuantity] = [
            .fixed(7), .powerLaw(exponent: 1.1, min: 3, max: 5), .logNormal(median: 4, sigma: 3, min: 3, max: 5),
        ]
        for examples in laws {
            let law = try Self.law(.iid, examples)
            let counts = (0..<2_000).map { law.count(of: ClientIndex($0)) }
            #expect(counts.min() == examples.ends.min && counts.max() == examples.ends.max)
            #expect((0..<50).allSatisfy { law.labels(of: ClientIndex($0)).labels.count == counts[Int($0)] })
        }
    }

    // MARK: Classes

    /// Shares of n examples follow a Dirichlet-multinomial with A = alpha K.
    ///
    /// The mean is p, the variance `p (1 - p) (n + A) / (n (1 + A))`; the margin of the variance is about four standard
    /// errors of 6,000 draws.
    @Test(arguments: [0.1, 0.5, 5]) func dirichletSharesHaveTheirMoments(alpha: Double) throws {
        let law = try Self.law(.dirichlet(alpha: alpha))
        let shares = (0..<6_000).map { Self.shares(law, $0) }
        for (label, count) in Self.counts.enumerated() {
            let p = Double(count) / 1_000
            let mean = shares.reduce(0) { $0 + $1[label] } / 6_000
            let variance = shares.reduce(0) { $0 + ($1[label] - p) * ($1[label] - p) } / 6_000
            let expected = p * (1 - p) * (50 + 3 * alpha) / (50 * (1 + 3 * alpha))
            #expect(abs(mean - p) <= 4 * (expected / 6_000).squareRoot())
            #expect(abs(variance - expected) <= 0.15 * expected)
        }
    }

    @Test func iidFollowsTheFrequencies() throws {
        let law = try Self.law(.iid)
        let shares = (0..<2_000).map { Self.shares(law, $0) }
        for (label, count) in Self.counts.enumerated() {
            let p = Double(count) / 1_000
            let mean = shares.reduce(0) { $0 + $1[label] } / 2_000
            #expect(abs(mean - p) <= 4 * (p * (1 - p) / 100_000).squareRoot())
        }
    }

    /// Three pairs of the three classes that occur, each with a third of the devices, within four standard errors.
    @Test func pathologicalDealsSoManyClassesEvenly() throws {
        let law = try Self.law(.pathological(classesPerPartition: 2))
        var pairs: [[Int]: Int] = [:]
        for client in 0..<3_000 as Range<UInt64> {
            let shares = Self.shares(law, client)
            let own = shares.indices.filter { shares[$0] > 0 }
            #expect(own.count == 2 && own.allSatisfy { shares[$0] == 0.5 })
            pairs[own, default: 0] += 1
        }
        #expect(Set(pairs.keys) == [[0, 2], [0, 3], [2, 3]])
        #expect(pairs.values.allSatisfy { abs($0 - 1_000) < 104 })
    }

    @Test func extremeAlphasStayFinite() throws {
        for alpha in [1e-6, 1e6] {
            let law = try Self.law(.dirichlet(alpha: alpha))
            for client in 0..<50 as Range<UInt64> { #expect(law.labels(of: ClientIndex(client)).labels.count == 50) }
        }
    }

    static let impossible: [(PartitionSpecification, ShardQuantity, [Int], String)] = [
        (.linear, .fixed(1), counts, "cuts one table"), (.naturalID, .fixed(1), counts, "cuts one table"),
        (.iid, .fixed(0), counts, "data.shard.examples"),
        (.iid, .powerLaw(exponent: .nan, min: 1, max: 2), counts, "data.shard.examples"),
        (.iid, .powerLaw(exponent: 2, min: 2, max: 1), counts, "data.shard.examples"),
        (.iid, .logNormal(median: 5, sigma: .infinity, min: 1, max: 9), counts, "data.shard.examples"),
        (.iid, .fixed(1), [0, 0], "no training examples"), (.dirichlet(alpha: 0), .fixed(1), counts, "alpha is 0.0"),
        (.pathological(classesPerPartition: 4), .fixed(1), counts, "use 1...3"),
    ]

    @Test(arguments: impossible.indices) func impossibleLawsSaySo(index: Int) {
        let (partition, examples, counts, text) = Self.impossible[index]
        #expect {
            _ = try Self.law(partition, examples, counts: counts)
        } throws: {
            "\($0)".contains(text)
        }
    }
}
