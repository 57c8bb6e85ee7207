// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCodec
import TributaryCore
import TributaryRing
import TributaryTestSupport

@Suite struct DenseBodyCheckTests {
    private static func plans(_ sizes: [(String, UInt64, Float)]) throws -> [GroupPlan] {
        try sizes.map { name, count, bound in
            GroupPlan(
                name: name, parameterCount: count,
                ring: try RingParameters(deltaBound: bound, weightMax: 10, cohortMax: 10), encoding: .float32,
                normaliser: .weight)
        }
    }

    /// Feeds values in pieces of the given sizes, again and again.
    private static func check(_ values: [Float], _ groups: [GroupPlan], pieces: [Int]) throws {
        var check = try DenseBodyCheck(groups: groups)
        try values.withUnsafeBytes { bytes in
            var offset = 0
            var turn = 0
            while offset < bytes.count {
                let end = min(offset + pieces[turn % pieces.count], bytes.count)
                try check.append(UnsafeRawBufferPointer(rebasing: bytes[offset..<end]))
                offset = end
                turn += 1
            }
        }
        try check.finish()
    }

    @Test(arguments: [[1], [2, 3], [4], [5], [7, 1, 64], [100_000]])
    func piecesOfAnySizeGiveTheSameAnswer(pieces: [Int]) throws {
        let groups = try Self.plans([("a", 10, 1), ("none", 0, 1), ("b", 300, 4)])
        var generator = Generator(seed: 3)
        let good = generator.values(count: 10, bound: 1) + generator.values(count: 300, bound: 4)
        try Self.check(good, groups, pieces: pieces)
        for (index, value, error) in [
            (9, Float(1).nextUp, CodecError.outOfBound(group: "a", index: 9)),
            (10, -Float(4).nextUp, .outOfBound(group: "b", index: 0)),
            (309, .nan, .notFinite(group: "b", index: 299)),
            (0, -.infinity, .notFinite(group: "a", index: 0)),
        ] {
            var bad = good
            bad[index] = value
            #expect(throws: error) { try Self.check(bad, groups, pieces: pieces) }
        }
    }

    @Test func wrongSizesAreErrors() throws {
        let groups = try Self.plans([("a", 3, 1)])
        #expect(throws: CodecError.size(expected: 12, actual: 8)) { try Self.check([0, 0], groups, pieces: [4]) }
        #expect(throws: CodecError.size(expected: 12, actual: 16)) {
            try Self.check([0, 0, 0, 0], groups, pieces: [4])
        }
        #expect(throws: CodecError.size(expected: 12, actual: 15)) {
            try Self.check([0, 0, 0, 0], groups, pieces: [3])
        }
        #expect(throws: CodecError.size(expected: 12, actual: 0)) { try DenseBodyCheck(groups: groups).finish() }
        var half = try DenseBodyCheck(groups: groups)
        try [1, 2, 3, 4, 5].withUnsafeBytes { try half.append(UnsafeRawBufferPointer(rebasing: $0.prefix(3))) }
        #expect(throws: CodecError.size(expected: 12, actual: 3)) { try half.finish() }
    }

    @Test func hugePlansAreErrors() throws {
        let huge = try Self.plans([("a", 1 << 61, 1), ("b", 1 << 61, 1), ("c", 1 << 61, 1)])
        #expect(throws: CodecError.tooLarge(group: "b")) { _ = try DenseBodyCheck(groups: huge) }
        let overflowing = try Self.plans([("a", .max, 1)])
        #expect(throws: CodecError.tooLarge(group: "a")) { _ = try DenseBodyCheck(groups: overflowing) }
    }
}
