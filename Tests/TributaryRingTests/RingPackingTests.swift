// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryRing
import TributaryTestSupport

/// The format written once more, bit by bit.
private func referencePacking(_ values: [Int64]) -> [UInt8] {
    var bytes: [UInt8] = []
    for start in stride(from: 0, to: values.count, by: 1024) {
        let block = values[start..<min(start + 1024, values.count)]
        let codes = block.map { $0 >= 0 ? UInt64($0) << 1 : UInt64(~$0) << 1 | 1 }
        let width = codes.map { 64 - $0.leadingZeroBitCount }.max() ?? 0
        bytes.append(UInt8(width))
        var bits: [UInt8] = []
        for code in codes {
            for bit in 0..<width { bits.append(UInt8(code >> UInt64(bit) & 1)) }
        }
        for byte in stride(from: 0, to: bits.count, by: 8) {
            bytes.append(bits[byte..<min(byte + 8, bits.count)].enumerated().reduce(0) { $0 | $1.1 << UInt8($1.0) })
        }
    }
    return bytes
}

private func pack(_ values: [Int64]) -> [UInt8] {
    values.withUnsafeBufferPointer { values in
        var bytes: [UInt8] = []
        let count = RingPacking.pack(values) { (piece: RawSpan) in
            #expect(piece.byteCount <= RingPacking.pieceByteCountMax)
            piece.withUnsafeBytes { bytes.append(contentsOf: $0) }
        }
        #expect(count == bytes.count && count == RingPacking.byteCount(of: values))
        return bytes
    }
}

private func unpack(_ bytes: [UInt8], count: Int, magnitudeMax: UInt64 = .max >> 1) throws -> [Int64] {
    var vector = try RingVector(count: count)
    try bytes.withUnsafeBytes { try vector.combine(packed: $0, in: 0..<count, magnitudeMax: magnitudeMax) }
    return vector.withValues { Array($0) }
}

@Suite struct RingPackingTests {
    @Test(arguments: [0, 1, 2, 7, 1023, 1024, 1025, 4096, 40_000])
    func roundTrip(count: Int) throws {
        for seed in 0..<6 as Range<UInt64> {
            var generator = Generator(seed: seed)
            let values = generator.ringValues(count: count).map { $0 == .min ? .min + 1 : $0 }
            let bytes = pack(values)
            #expect(bytes == referencePacking(values))
            #expect(try unpack(bytes, count: count) == values)
            let size = UInt64(bytes.count)
            #expect(size <= RingPacking.byteCountMax(count: UInt64(count)) ?? 0)
            #expect(size >= RingPacking.byteCountMin(count: UInt64(count)))
        }
    }

    @Test(arguments: 0...64) func everyWidth(width: Int) throws {
        var generator = Generator(seed: UInt64(width))
        let values = (0..<1300).map { _ in
            width == 0 ? Int64(0) : (Int64(bitPattern: generator.next()) >> Int64(64 - width))
        }.map { $0 == .min ? .max : $0 }
        #expect(try unpack(pack(values), count: values.count) == values)
    }

    @Test func sizeBoundsDoNotOverflow() {
        #expect(RingPacking.byteCountMax(count: .max) == nil)
        #expect(RingPacking.byteCountMax(count: 1025) == 1025 * 8 + 2)
        #expect(RingPacking.byteCountMin(count: .max) == 1 << 54)
    }

    @Test func boundIsInclusiveOnBothSides() throws {
        #expect(try unpack(pack([5, -5]), count: 2, magnitudeMax: 5) == [5, -5])
        #expect(throws: RingError.sumOutOfBound(index: 0)) { try unpack(pack([6]), count: 1, magnitudeMax: 5) }
        #expect(throws: RingError.sumOutOfBound(index: 0)) { try unpack(pack([-6]), count: 1, magnitudeMax: 5) }
        #expect(throws: RingError.sumOutOfBound(index: 0)) { try unpack(pack([.min]), count: 1) }
        #expect(try unpack(pack([0]), count: 1, magnitudeMax: 0) == [0])
    }

    @Test func malformedBytesAreErrors() {
        let good = pack([3, -4, 1])
        #expect(good == [3, 0b1011_1110, 0])
        let broken: [[UInt8]] = [
            [], [3], [3, 0b1011_1110], good + [0], [65] + Array(repeating: 0, count: 600),
            [255], [4, 0x76, 0x02],  // wider than needed
            [3, 0b1011_1110, 0b10],  // padding
            [3, 0, 0],  // zeros have width 0
        ]
        for bytes in broken {
            #expect(throws: RingError.self, "\(bytes)") { try unpack(bytes, count: 3) }
        }
    }

    @Test func failureLeavesTheVectorUnchanged() throws {
        var generator = Generator(seed: 77)
        let values = generator.ringValues(count: 5000).map { $0 == .min ? 0 : $0 }
        let held = generator.ringValues(count: 5000)
        var vector = try RingVector(count: 5000)
        try pack(held.map { $0 == .min ? 0 : $0 }).withUnsafeBytes {
            try vector.combine(packed: $0, in: 0..<5000, magnitudeMax: .max >> 1)
        }
        let before = vector.withValues { Array($0) }
        let bytes = pack(values)
        for direction in [RingVector.Direction.add, .takeOut] {
            for cut in [Array(bytes.dropLast()), bytes + [9], Array(bytes.prefix(bytes.count / 2))] {
                #expect(throws: RingError.self) {
                    try cut.withUnsafeBytes {
                        try vector.combine(
                            packed: $0, in: 0..<5000, magnitudeMax: .max >> 1, direction: direction)
                    }
                }
                #expect(vector.withValues { Array($0) } == before)
            }
        }
    }

    @Test func anyBytesDecodeToAValueOrAnError() throws {
        var generator = Generator(seed: 2026)
        var decoded = 0
        for _ in 0..<3000 {
            let count = Int(generator.integer(0...40))
            var bytes = pack(generator.ringValues(count: count).map { $0 >> 30 })
            for _ in 0..<generator.integer(0...2) where !bytes.isEmpty {
                bytes[Int(generator.integer(0...UInt64(bytes.count - 1)))] = UInt8(generator.integer(0...255))
            }
            if generator.integer(0...4) == 0 { bytes = Array(bytes.prefix(Int(generator.integer(0...60)))) }
            guard let values = try? unpack(bytes, count: count) else { continue }
            decoded += 1
            // Canonical: what decodes is what an encoder writes.
            #expect(pack(values) == bytes)
        }
        #expect((300..<3000).contains(decoded))
    }
}
