// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CTributaryWire
internal import Glibc
internal import TributaryCore

/// What unpacking one frame may still take from the heap; spent by protobuf-c's allocations, never given back.
struct UnpackBudget {
    let byteCountMax: Int
    private(set) var byteCount = 0
    private(set) var blockCount = 0
    private let blockCountMax: Int
    private(set) var isSpent = false

    /// The budget of a frame on a link with such a largest frame.
    init(frameByteCountMax: Int) {
        self.init(
            byteCountMax: Limits.unpackBudgetFactor * frameByteCountMax, blockCountMax: 2 * Limits.fieldCountMax + 64)
    }

    init(byteCountMax: Int, blockCountMax: Int) {
        self.byteCountMax = byteCountMax
        self.blockCountMax = blockCountMax
    }

    /// A block from the heap; `nil` when the budget does not allow it.
    fileprivate mutating func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
        guard size >= 0, size <= byteCountMax - byteCount, blockCount < blockCountMax else {
            isSpent = true
            return nil
        }
        byteCount += size
        blockCount += 1
        return malloc(max(size, 1))
    }
}

/// A message that protobuf-c unpacked; freed when the handle goes.
struct UnpackedEnvelope: ~Copyable {
    private let message: UnsafeMutablePointer<Tributary__V1__Envelope>

    /// Unpacks a frame that a `WireScan` has found in order.
    ///
    /// - Throws: `WireError.budget` beyond the budget, `WireError.malformed` for what protobuf-c cannot read.
    init(_ frame: UnsafeRawBufferPointer, budget: inout UnpackBudget) throws(WireError) {
        let unpacked = withUnsafeMutablePointer(to: &budget) { budget in
            var allocator = ProtobufCAllocator(
                alloc: { data, size in
                    data?.assumingMemoryBound(to: UnpackBudget.self).pointee.allocate(size)
                },
                free: { _, block in free(block) },
                allocator_data: UnsafeMutableRawPointer(budget))
            return tributary__v1__envelope__unpack(
                &allocator, frame.count, frame.baseAddress?.assumingMemoryBound(to: UInt8.self))
        }
        guard let unpacked else {
            if budget.isSpent { throw .budget(byteCount: budget.byteCountMax) }
            throw .malformed("a field's content does not have its type")
        }
        message = unpacked
    }

    deinit {
        // The blocks are malloc's, which is what protobuf-c's own allocator frees.
        tributary__v1__envelope__free_unpacked(message, nil)
    }

    /// The message, for reading while the handle lives.
    func read<Result: ~Copyable>(
        _ body: (Tributary__V1__Envelope) throws(WireError) -> Result
    ) throws(WireError) -> Result {
        try body(message.pointee)
    }
}
