// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryTestSupport

@Suite struct CounterRandomTests {
    private struct Oracle: Decodable {
        struct Block: Decodable {
            let counter: [String]
            let key: [String]
            let result: [String]
        }
        let blocks: [Block]
        let stream: [String]
    }

    private static func words(_ texts: [String]) -> [UInt64] { texts.compactMap { UInt64($0) } }

    @Test func blocksAreThoseOfNumPy() throws {
        let oracle = try OracleFile.decode(Oracle.self, "core/philox.json")
        #expect(oracle.blocks.count == 6)
        for block in oracle.blocks {
            let counter = Self.words(block.counter)
            let key = Self.words(block.key)
            let result = Philox.block(
                counter: (counter[0], counter[1], counter[2], counter[3]), key: (key[0], key[1]))
            #expect([result.0, result.1, result.2, result.3] == Self.words(block.result))
        }
    }

    @Test func streamWalksTheCounter() throws {
        let oracle = try OracleFile.decode(Oracle.self, "core/philox.json")
        var random = CounterRandom(
            seed: 7, purpose: .shuffle, round: RoundNumber(round: 3, edgeRound: 1), client: 17)
        let drawn = oracle.stream.map { _ in random.next() }
        #expect(drawn == Self.words(oracle.stream))
    }

    @Test func everyPartOfTheKeySeparatesStreams() {
        let number = RoundNumber(round: 2, edgeRound: 3)
        var streams = [
            CounterRandom(seed: 1, purpose: .cohort, round: number, client: 4),
            CounterRandom(seed: 2, purpose: .cohort, round: number, client: 4),
            CounterRandom(seed: 1, purpose: .shuffle, round: number, client: 4),
            CounterRandom(seed: 1, purpose: .cohort, round: RoundNumber(round: 3, edgeRound: 3), client: 4),
            CounterRandom(seed: 1, purpose: .cohort, round: RoundNumber(round: 2, edgeRound: 4), client: 4),
            CounterRandom(seed: 1, purpose: .cohort, round: number, client: 5),
        ]
        let first = streams.indices.map { streams[$0].next() }
        #expect(Set(first).count == first.count)
    }

    @Test func boundedIntegersAreUnbiased() {
        var random = CounterRandom(seed: 3, purpose: .synthetic)
        var counts = [Int](repeating: 0, count: 6)
        for _ in 0..<60_000 { counts[Int(random.next(below: 6))] += 1 }
        // Chi-square with 5 degrees of freedom exceeds 30 once in a hundred thousand draws; this seed draws once.
        let chiSquare = counts.reduce(0.0) { $0 + (Double($1) - 10_000) * (Double($1) - 10_000) / 10_000 }
        #expect(chiSquare < 30)
        #expect((0..<100).allSatisfy { _ in random.next(below: 1) == 0 })
        #expect((0..<100).allSatisfy { _ in random.next(below: 1 << 63 + 1) <= 1 << 63 })
    }

    @Test func uniformsLieInTheUnitInterval() {
        var random = CounterRandom(seed: 5, purpose: .synthetic)
        let values = (0..<10_000).map { _ in random.nextUniform() }
        #expect(values.allSatisfy { (0..<1).contains($0) })
        // The mean's standard deviation is 0.0029.
        #expect(abs(values.reduce(0, +) / 10_000 - 0.5) < 0.015)
    }
}
