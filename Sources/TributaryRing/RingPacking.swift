// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CTributaryKernels

/// Bit packing of ring integers: blocks of 1024 values at the width that the block's largest magnitude needs.
///
/// A block is one byte, its width w in 0...64, and w bits of each value's zigzag code (0, -1, 1, -2, ... as 0, 1, 2, 3,
/// ...), least significant bit first, filled with zero bits to a whole byte. The width is the smallest that holds the
/// block, so equal values have equal bytes; a decoder refuses anything else.
package enum RingPacking {
    /// Values in one block; the last block may hold fewer.
    package static let blockValueCount = Int(TRIBUTARY_PACK_BLOCK)

    /// The most bytes that `count` packed values take; `nil` when that overflows.
    package static func byteCountMax(count: UInt64) -> UInt64? {
        let (values, overflow) = count.multipliedReportingOverflow(by: 8)
        let (sum, overflowSum) = values.addingReportingOverflow(blockCount(count))
        return overflow || overflowSum ? nil : sum
    }

    /// The fewest bytes that `count` packed values take: all of them zero.
    package static func byteCountMin(count: UInt64) -> UInt64 { blockCount(count) }

    /// The bytes that these values take.
    package static func byteCount(of values: UnsafeBufferPointer<Int64>) -> Int {
        guard let start = values.baseAddress else { return 0 }
        return tributary_ring_packed_size(start, values.count)
    }

    /// Packs values and hands them out in pieces of at most `pieceByteCountMax` bytes, in order.
    ///
    /// - Returns: the bytes handed out.
    package static func pack<Failure: Error>(
        _ values: UnsafeBufferPointer<Int64>, to sink: (RawSpan) throws(Failure) -> Void
    ) throws(Failure) -> Int {
        guard let start = values.baseAddress, !values.isEmpty else { return 0 }
        let pieceValueCount = pieceBlockCount * blockValueCount
        let capacity = (min(values.count, pieceValueCount) + blockValueCount - 1) / blockValueCount
        let piece = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity * blockByteCountMax)
        defer { piece.deallocate() }
        var total = 0
        for offset in stride(from: 0, to: values.count, by: pieceValueCount) {
            let written = tributary_ring_pack(start + offset, min(pieceValueCount, values.count - offset), piece)
            try sink(UnsafeRawBufferPointer(start: piece, count: written).bytes)
            total += written
        }
        return total
    }

    /// The largest piece that `pack` hands out.
    package static var pieceByteCountMax: Int { pieceBlockCount * blockByteCountMax }

    private static let pieceBlockCount = 32
    private static let blockByteCountMax = 1 + 8 * blockValueCount

    private static func blockCount(_ count: UInt64) -> UInt64 {
        count / UInt64(blockValueCount) + (count.isMultiple(of: UInt64(blockValueCount)) ? 0 : 1)
    }

    /// The error of an unpacking kernel; `nil` when it went well.
    static func error(_ result: tributary_unpack_result) -> RingError? {
        let index = result.value_index
        return switch result.status {
        case TRIBUTARY_UNPACK_OK: nil
        case TRIBUTARY_UNPACK_TRUNCATED: .packed("the packed values end inside the block of value \(index)")
        case TRIBUTARY_UNPACK_TRAILING: .packed("bytes follow the last block of packed values")
        case TRIBUTARY_UNPACK_WIDTH: .packed("the block of value \(index) has a width that no encoder gives it")
        case TRIBUTARY_UNPACK_PADDING: .packed("the block of value \(index) is not filled with zero bits")
        default: .sumOutOfBound(index: index)
        }
    }
}
