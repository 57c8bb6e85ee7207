// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCodec
import TributaryCore
import TributaryRing

@Suite struct DeltaTests {
    private static func scale(_ values: inout [Float], _ bounds: [(UInt64, Float)]) throws -> [Float] {
        let groups = try bounds.enumerated().map { position, entry in
            GroupPlan(
                name: "g\(position)", parameterCount: entry.0,
                ring: try RingParameters(deltaBound: entry.1, weightMax: 10, cohortMax: 10), encoding: .float32,
                normaliser: .weight)
        }
        return try values.withUnsafeMutableBufferPointer { try Delta.scaleOntoBounds($0, groups: groups) }
    }

    @Test func subtractsTheBase() throws {
        var local: [Float] = [1, 2.5, -3]
        let base: [Float] = [0.5, 2.5, 1]
        try local.withUnsafeMutableBufferPointer { local in
            try base.withUnsafeBufferPointer { try Delta.subtract($0, from: local) }
        }
        #expect(local == [0.5, 0, -4])
        #expect(throws: CodecError.length(expected: 2, actual: 3)) {
            try local.withUnsafeMutableBufferPointer { local in
                try [Float](repeating: 0, count: 2).withUnsafeBufferPointer { try Delta.subtract($0, from: local) }
            }
        }
    }

    @Test func scalesOnlyGroupsThatExceed() throws {
        var values: [Float] = [1, -2, 4, 0.5, 2]
        #expect(try Self.scale(&values, [(3, 2), (2, 2)]) == [0.5, 1])
        #expect(values == [0.5, -1, 2, 0.5, 2])
    }

    @Test func scaledGroupsKeepTheirBound() throws {
        for step in 0..<2000 {
            let bound = Float(1 + step) * 0.000_37
            var values: [Float] = [bound * 3.1 + Float(step), -bound, 1e30, 0]
            let factors = try Self.scale(&values, [(4, bound)])
            #expect(factors[0] < 1)
            #expect(values.allSatisfy { abs($0) <= bound })
            #expect(values[2] >= bound.nextDown.nextDown)
        }
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity]) func notFiniteIsAnError(value: Float) {
        var values: [Float] = [100, 1, value]
        #expect(throws: CodecError.notFinite(group: "g1", index: 1)) {
            try Self.scale(&values, [(1, 2), (2, 2)])
        }
        #expect(values[0] == 100)
    }

    @Test func groupsMustTileTheDelta() {
        var values: [Float] = [1, 2, 3]
        #expect(throws: CodecError.self) { try Self.scale(&values, [(2, 2)]) }
        #expect(throws: CodecError.self) { try Self.scale(&values, [(2, 2), (2, 2)]) }
        #expect(throws: CodecError.self) { try Self.scale(&values, [(2, 2), (.max, 2)]) }
    }
}
