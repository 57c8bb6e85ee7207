// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryAggregation
import TributaryCore
import TributaryRing
import TributaryTestSupport

/// The laws of the ring: what is summed is a function of the set that was added.
@Suite struct LawTests {
    private static let counts = [3000, 17, 0, 1025]

    /// Plans, updates, and what one accumulator makes of them in order.
    private static func scene(seed: UInt64, updateCount: Int = 24) throws -> ([GroupPlan], [TestUpdate], Contents) {
        var generator = Generator(seed: seed)
        var plans = try generator.groupPlans(counts: counts)
        plans[1].normaliser = .count
        let updates = (0..<updateCount).map { _ in generator.update(for: plans) }
        return (plans, updates, try sum(updates, plans))
    }

    private static func sum(_ updates: [TestUpdate], _ plans: [GroupPlan], batch: Int = 16) throws -> Contents {
        var accumulator = try Accumulator(groups: plans)
        let errors = accumulator.fold(updates, batch: batch)
        #expect(errors.allSatisfy { $0 == nil })
        return Contents(accumulator)
    }

    /// Sums of sums over a random tree.
    private static func tree(
        _ updates: [TestUpdate], _ plans: [GroupPlan], _ generator: inout Generator, depth: Int
    ) throws -> Contents {
        guard depth > 0, updates.count > 1 else { return try sum(updates, plans) }
        var accumulator = try Accumulator(groups: plans)
        var rest = updates[...]
        while !rest.isEmpty {
            let part = rest.prefix(Int(generator.integer(1...UInt64(rest.count))))
            rest = rest.dropFirst(part.count)
            try accumulator.add(try tree(Array(part), plans, &generator, depth: depth - 1))
        }
        return Contents(accumulator)
    }

    @Test(arguments: 0..<3 as Range<UInt64>) func orderAndBatchesDoNotMatter(seed: UInt64) throws {
        let (plans, updates, expected) = try Self.scene(seed: seed)
        var generator = Generator(seed: seed + 100)
        for batch in [1, 2, 3, 5, 8, 16] {
            #expect(try Self.sum(updates.shuffled(using: &generator), plans, batch: batch) == expected)
        }
    }

    @Test(arguments: 0..<6 as Range<UInt64>) func groupingIntoTreesDoesNotMatter(seed: UInt64) throws {
        let (plans, updates, expected) = try Self.scene(seed: seed)
        var generator = Generator(seed: seed + 200)
        for depth in 1...4 {
            let shuffled = updates.shuffled(using: &generator)
            #expect(try Self.tree(shuffled, plans, &generator, depth: depth) == expected)
        }
    }

    @Test func threadsDoNotMatter() async throws {
        let (plans, _, expected) = try Self.scene(seed: 5)
        for threadCount in [2, 3, 8] {
            let parts = try await withThrowingTaskGroup(of: Contents.self) { group in
                for thread in 0..<threadCount {
                    group.addTask {
                        let updates = try Self.scene(seed: 5).1
                        return try Self.sum(
                            updates.indices.filter { $0 % threadCount == thread }.map { updates[$0] }, plans)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            var accumulator = try Accumulator(groups: plans)
            for part in parts { try accumulator.add(part) }
            #expect(Contents(accumulator) == expected)
        }
    }

    @Test func zeroUpdatesAndEmptySumsAreIdentity() throws {
        let (plans, updates, expected) = try Self.scene(seed: 6)
        var accumulator = try Accumulator(groups: plans)
        let nothing = Contents(accumulator)
        #expect(accumulator.isEmpty && nothing.groups.allSatisfy { $0.totalWeight == 0 })
        try accumulator.add(nothing)
        _ = accumulator.fold(updates)
        try accumulator.add(nothing)
        try accumulator.subtract(nothing)
        #expect(Contents(accumulator) == expected)
        let zero = TestUpdate(values: Self.counts.map { .init(repeating: 0, count: $0) }, weights: [1, 1, 1, 1])
        #expect(accumulator.fold([zero]) == [nil])
        #expect(Contents(accumulator).body == expected.body)
        #expect(accumulator.contributorCount == expected.contributorCount + 1)
    }

    @Test func addingAndTakingOutIsIdentity() throws {
        let (plans, updates, expected) = try Self.scene(seed: 7)
        var generator = Generator(seed: 70)
        let others = (0..<5).map { _ in generator.update(for: plans) }
        var accumulator = try Accumulator(groups: plans)
        _ = accumulator.fold(others + updates)
        for other in others.shuffled(using: &generator) { try accumulator.takeOut(other) }
        #expect(Contents(accumulator) == expected)
        let part = try Self.sum(others, plans)
        try accumulator.add(part)
        try accumulator.subtract(part)
        #expect(Contents(accumulator) == expected)
        for update in updates { try accumulator.takeOut(update) }
        #expect(Contents(accumulator) == Contents(try Accumulator(groups: plans)))
        _ = accumulator.fold(updates)
        accumulator.reset()
        #expect(Contents(accumulator) == Contents(try Accumulator(groups: plans)))
    }

    /// Each product is off by at most half a unit, so a mean is off by clients / (2 * total weight * 2^s).
    @Test(arguments: 0..<4 as Range<UInt64>) func meanKeepsItsBound(seed: UInt64) throws {
        let (plans, updates, _) = try Self.scene(seed: seed)
        var accumulator = try Accumulator(groups: plans)
        _ = accumulator.fold(updates)
        for (position, plan) in plans.enumerated() {
            let weights = updates.map {
                plan.normaliser == .count ? 1 : Double($0.contribution.groups[position].weight)
            }
            let total = weights.reduce(0, +)
            let bound = Double(updates.count) / (2 * total * plan.ring.scale)
            let means = accumulator.withRing(group: position) { $0.map(Double.init) }
                .map { $0 / accumulator.divisor(group: position) }
            #expect(accumulator.divisor(group: position) == total * plan.ring.scale)
            for index in means.indices {
                let exact = zip(updates, weights).reduce(0) { $0 + Double($1.0.values[position][index]) * $1.1 } / total
                // The reference itself rounds: 24 additions and a division, each by 2^-53 of at most the bound.
                let slack = Double(plan.ring.deltaBound) * 0x1p-48
                #expect(abs(means[index] - exact) <= bound + slack)
            }
        }
    }
}
