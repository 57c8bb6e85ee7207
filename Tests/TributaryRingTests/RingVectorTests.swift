// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryRing
import TributaryTestSupport

/// `roundHalfToEven(weight * value * 2^exponent)` in integers, independent of any floating-point rounding.
private func exactProduct(_ value: Float, weight: UInt64, exponent: Int) -> Int64 {
    guard value != 0 else { return 0 }
    let fraction = Int128(value.significandBitPattern) | (value.isNormal ? 1 << 23 : 0)
    let product = fraction * Int128(weight)
    let shift = (value.isNormal ? Int(value.exponentBitPattern) : 1) - 150 + exponent
    let magnitude: Int128
    if shift >= 0 {
        magnitude = product << Int128(shift)
    } else if shift < -120 {
        magnitude = 0
    } else {
        let whole = product >> Int128(-shift)
        let rest = product - whole << Int128(-shift)
        let half = Int128(1) << Int128(-shift - 1)
        magnitude = rest > half || (rest == half && whole & 1 == 1) ? whole + 1 : whole
    }
    return Int64(value < 0 ? -magnitude : magnitude)
}

/// Memory for values at an odd address.
private final class Unaligned {
    private let memory: UnsafeMutableRawBufferPointer
    let bytes: UnsafeRawBufferPointer

    init(_ values: [Float]) {
        memory = .allocate(byteCount: values.count * 4 + 3, alignment: 64)
        bytes = UnsafeRawBufferPointer(rebasing: memory[3...])
        values.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: memory[3...]).copyMemory(from: $0) }
    }

    deinit { memory.deallocate() }
}

@Suite struct RingVectorTests {
    private static func contents(_ vector: borrowing RingVector) -> [Int64] { vector.withValues { Array($0) } }

    @Test(arguments: RingKernelVariant.available, [1, 15, 16, 17, 2047, 2048, 2049, 5000])
    func foldIsTheExactRounding(variant: RingKernelVariant, count: Int) throws {
        var generator = Generator(seed: UInt64(count))
        // The last weight has more than 29 significant bits, where a product is not exact in Double.
        for (bound, weightMax) in [(8, 1000), (0.37, 1 << 20), (0.001, 1 << 40 - 1)] as [(Float, UInt64)] {
            let ring = try RingParameters(deltaBound: bound, weightMax: weightMax, cohortMax: 100)
            for inputCount in [1, 2, 3, 7, 13, 16] {
                let vectors = (0..<inputCount).map { _ in generator.values(count: count, bound: bound) }
                let weights = (0..<inputCount).map { $0 == 0 ? weightMax : generator.integer(1...weightMax) }
                let bodies = vectors.map { Unaligned($0) }
                defer { withExtendedLifetime(bodies) {} }
                var vector = try RingVector(count: count)
                let errors = vector.fold(
                    zip(bodies, weights).map { FoldInput(values: $0.bytes, weight: $1) }, in: 0..<count, ring: ring,
                    variant: variant)
                #expect(errors.allSatisfy { $0 == nil })
                let expected = (0..<count).map { index in
                    zip(vectors, weights).reduce(Int64(0)) {
                        $0 + exactProduct($1.0[index], weight: $1.1, exponent: ring.exponent)
                    }
                }
                #expect(Self.contents(vector) == expected)
            }
        }
    }

    @Test func halvesRoundToEven() throws {
        let ring = try RingParameters(deltaBound: 1, weightMax: 1 << 30, cohortMax: 1 << 4)
        let unit = Float(sign: .plus, exponent: -ring.exponent, significand: 1)
        let values = [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.75, 0.25].map { $0 * unit } + Array(repeating: 0, count: 8)
        for variant in RingKernelVariant.available {
            var vector = try RingVector(count: values.count)
            let body = Unaligned(values)
            defer { withExtendedLifetime(body) {} }
            _ = vector.fold(
                [FoldInput(values: body.bytes, weight: 1)], in: 0..<values.count, ring: ring, variant: variant)
            #expect(Self.contents(vector).prefix(8) == [0, 2, 2, 0, -2, -2, 1, 0])
        }
    }

    @Test(arguments: RingKernelVariant.available)
    func badInputsLeaveNoTrace(variant: RingKernelVariant) throws {
        let count = 7003
        let ring = try RingParameters(deltaBound: 2, weightMax: 500, cohortMax: 64)
        var generator = Generator(seed: 9)
        let above = Float(2).nextUp
        let faults: [(Int, Float)] = [
            (0, .nan), (15, .infinity), (2048, -.infinity), (5000, above), (6999, -above), (7002, .signalingNaN),
        ]
        let good = (0..<5).map { _ in generator.values(count: count, bound: 2) }
        let bad = faults.map { position, value in
            var values = generator.values(count: count, bound: 2)
            values[position] = value
            return values
        }
        var mixed = try RingVector(count: count)
        var alone = try RingVector(count: count)
        let goodBodies = good.map { Unaligned($0) }
        defer { withExtendedLifetime(goodBodies) {} }
        let badBodies = bad.map { Unaligned($0) }
        defer { withExtendedLifetime(badBodies) {} }
        let goodInputs = goodBodies.enumerated().map { FoldInput(values: $1.bytes, weight: UInt64($0 + 1)) }
        let badInputs = badBodies.map { FoldInput(values: $0.bytes, weight: 499) }
        let batch =
            [goodInputs[0], badInputs[0], badInputs[1], goodInputs[1], badInputs[2], goodInputs[2]]
            + [badInputs[3], goodInputs[3], badInputs[4], goodInputs[4], badInputs[5]]
        let errors = mixed.fold(batch, in: 0..<count, ring: ring, variant: variant)
        #expect(
            errors == [
                nil, .notFinite(index: 0), .notFinite(index: 15), nil, .notFinite(index: 2048), nil,
                .outOfBound(index: 5000), nil, .outOfBound(index: 6999), nil, .notFinite(index: 7002),
            ])
        _ = alone.fold(goodInputs, in: 0..<count, ring: ring, variant: variant)
        #expect(Self.contents(mixed) == Self.contents(alone))
    }

    @Test func takingOutIsExact() throws {
        let count = 4099
        let ring = try RingParameters(deltaBound: 0.9, weightMax: 77, cohortMax: 10)
        var generator = Generator(seed: 4)
        let bodies = (0..<3).map { _ in Unaligned(generator.values(count: count, bound: 0.9)) }
        defer { withExtendedLifetime(bodies) {} }
        let inputs = bodies.map { FoldInput(values: $0.bytes, weight: 77) }
        var vector = try RingVector(count: count)
        _ = vector.fold(inputs, in: 0..<count, ring: ring)
        _ = vector.fold([inputs[1]], in: 0..<count, ring: ring, direction: .takeOut)
        var without = try RingVector(count: count)
        _ = without.fold([inputs[0], inputs[2]], in: 0..<count, ring: ring)
        #expect(Self.contents(vector) == Self.contents(without))
        vector.combine(without, direction: .takeOut)
        #expect(Self.contents(vector).allSatisfy { $0 == 0 })
        vector.combine(without)
        #expect(Self.contents(vector) == Self.contents(without))
    }

    @Test func resetForgets() throws {
        var vector = try RingVector(count: 1000)
        let body = Unaligned([Float](repeating: 1, count: 1000))
        defer { withExtendedLifetime(body) {} }
        let ring = try RingParameters(deltaBound: 1, weightMax: 1, cohortMax: 1)
        _ = vector.fold([FoldInput(values: body.bytes, weight: 1)], in: 0..<1000, ring: ring)
        vector.reset()
        #expect(Self.contents(vector).allSatisfy { $0 == 0 })
    }

    @Test func largeVectorsCostWhatTheyTouch() throws {
        let count = 300_000_000
        var vector = try RingVector(count: count)
        let body = Unaligned([Float](repeating: 1, count: 100))
        defer { withExtendedLifetime(body) {} }
        let ring = try RingParameters(deltaBound: 1, weightMax: 1, cohortMax: 1)
        let range = count - 100..<count
        _ = vector.fold([FoldInput(values: body.bytes, weight: 1)], in: range, ring: ring)
        #expect(vector.withValues(in: range) { $0.allSatisfy { Double($0) == ring.scale } })
    }

    @Test(arguments: [-1, Int.max, Int.max / 8])
    func absurdSizesAreErrors(count: Int) {
        #expect(throws: RingError.memory(valueCount: count)) { _ = try RingVector(count: count) }
    }

    @Test func checksFindTheFirstFault() {
        var values = [Float](repeating: 1, count: 10_000)
        let body = Unaligned(values)
        defer { withExtendedLifetime(body) {} }
        #expect(DenseValues.firstFault(in: body.bytes, bound: 1) == nil)
        #expect(DenseValues.firstFault(in: body.bytes, bound: Float(1).nextDown) == .outOfBound(index: 0))
        values[9000] = -3
        values[9500] = .nan
        let worse = Unaligned(values)
        defer { withExtendedLifetime(worse) {} }
        #expect(DenseValues.firstFault(in: worse.bytes, bound: 1) == .outOfBound(index: 9000))
        #expect(DenseValues.firstFault(in: worse.bytes, bound: 3) == .notFinite(index: 9500))
        #expect(DenseValues.largestMagnitude(in: worse.bytes).isNaN)
        #expect(DenseValues.largestMagnitude(in: body.bytes) == 1)
    }
}
