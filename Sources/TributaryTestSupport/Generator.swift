// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
internal import TributaryRing

/// A seeded source of test values; a failing seed is replayed by its number.
package struct Generator: RandomNumberGenerator {
    private var random: CounterRandom

    package init(seed: UInt64) { random = CounterRandom(seed: seed, purpose: .synthetic) }

    package mutating func next() -> UInt64 { random.next() }

    /// An integer of a range.
    package mutating func integer(_ range: ClosedRange<UInt64>) -> UInt64 {
        UInt64.random(in: range, using: &self)
    }

    /// Values within `-bound...bound`: mostly uniform, some zero, tiny, or exactly on the bound.
    package mutating func values(count: Int, bound: Float) -> [Float] {
        (0..<count).map { _ in
            let uniform = Float(random.nextUniform() * 2 - 1) * bound
            switch random.next(below: 16) {
            case 0: return 0
            case 1: return bound
            case 2: return -bound
            case 3: return uniform * 1e-20
            case 4: return .leastNonzeroMagnitude
            default: return uniform
            }
        }
    }

    /// Ring integers whose widths vary from block to block, extremes included.
    package mutating func ringValues(count: Int) -> [Int64] {
        var width: UInt64 = 0
        return (0..<count).map { position in
            if position.isMultiple(of: 512) { width = random.next(below: 65) }
            return width == 0 ? 0 : Int64(bitPattern: random.next()) >> Int64(64 - width)
        }
    }

    /// Plans for groups of the given sizes; bounds and weights vary, the normaliser is `weight` unless said.
    package mutating func groupPlans(
        counts: [Int], normaliser: GroupPlan.Normaliser = .weight
    ) throws -> [GroupPlan] {
        try counts.enumerated().map { position, count in
            let bound = [0.5, 1, 8, 3.7][Int(random.next(below: 4))] as Float
            let ring = try RingParameters(
                deltaBound: bound, weightMax: integer(1000...100_000), cohortMax: integer(100...5000))
            return GroupPlan(
                name: "group\(position)", parameterCount: UInt64(count), ring: ring, encoding: .float32,
                normaliser: normaliser)
        }
    }
}
