// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CTributaryKernels
internal import Glibc

/// The instruction set for which a ring kernel was compiled; all give the same bits.
package enum RingKernelVariant: UInt32, CaseIterable, Sendable {
    case baseline = 0
    case avx2 = 1
    case avx512 = 2

    /// The widest variant that this processor runs.
    package static let best = RingKernelVariant(rawValue: tributary_ring_variant_best().rawValue) ?? .baseline

    /// The variants that this processor runs.
    package static var available: [RingKernelVariant] { allCases.filter { $0.rawValue <= best.rawValue } }
}

/// One dense float32 vector on its way into a ring vector.
package struct FoldInput {
    /// Little-endian float32 values at any address, 4 bytes for each value of the range they enter.
    package var values: UnsafeRawBufferPointer
    /// What each value is multiplied by; in `1...weightMax` of the ring.
    package var weight: UInt64

    package init(values: UnsafeRawBufferPointer, weight: UInt64) {
        self.values = values
        self.weight = weight
    }
}

/// A vector of `Int64` sums in anonymous memory of its own: zero at first, and given back at once.
///
/// Memory: 8 bytes a value, taken page by page as values are touched.
package struct RingVector: ~Copyable {
    /// Whether values enter a sum or leave it.
    package enum Direction: Sendable {
        case add
        case takeOut
    }

    /// The most inputs that one fold takes.
    package static let foldInputCountMax = Int(TRIBUTARY_FOLD_INPUT_MAX)

    /// The number of values.
    package let count: Int
    private let values: UnsafeMutablePointer<Int64>
    private let mapping: UnsafeMutableRawBufferPointer

    /// Takes zeroed memory for `count` values.
    ///
    /// - Throws: `RingError.memory` when the system has none, or `count` is negative or absurd.
    package init(count: Int) throws(RingError) {
        let (byteCount, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Int64>.stride)
        guard count >= 0, !overflow else { throw .memory(valueCount: count) }
        // An empty vector has an address too.
        let size = max(byteCount, MemoryLayout<Int64>.stride)
        let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory, memory != MAP_FAILED else { throw .memory(valueCount: count) }
        self.count = count
        mapping = UnsafeMutableRawBufferPointer(start: memory, count: size)
        values = memory.bindMemory(to: Int64.self, capacity: size / MemoryLayout<Int64>.stride)
    }

    deinit { munmap(mapping.baseAddress, mapping.count) }

    /// Makes every value zero and returns the memory to the system.
    package mutating func reset() {
        if madvise(mapping.baseAddress, mapping.count, MADV_DONTNEED) != 0 {
            values.update(repeating: 0, count: count)
        }
    }

    /// Hands out the values of a range.
    package func withValues<Result, Failure: Error>(
        in range: Range<Int>, _ body: (UnsafeBufferPointer<Int64>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeBufferPointer(start: pointer(to: range), count: range.count))
    }

    /// Hands out all values.
    package func withValues<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<Int64>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withValues(in: 0..<count, body)
    }

    /// Adds `roundHalfToEven(weight * value * 2^exponent)` of up to `foldInputCountMax` inputs, or takes it out.
    ///
    /// Every input is checked while it passes: one with a value that is not finite or beyond the bound leaves the
    /// vector as it was and gets its error, the others enter.
    ///
    /// - Returns: for each input the error that kept it out, or `nil`.
    package mutating func fold(
        _ inputs: [FoldInput], in range: Range<Int>, ring: RingParameters, direction: Direction = .add,
        variant: RingKernelVariant = .best
    ) -> [RingError?] {
        precondition(inputs.count <= Self.foldInputCountMax && variant.rawValue <= RingKernelVariant.best.rawValue)
        let sums = pointer(to: range)
        let scale = direction == .add ? ring.scale : -ring.scale
        let placeholder = UnsafeRawPointer(sums)
        let arguments = inputs.map { input in
            precondition(input.values.count == range.count * 4 && (1...ring.weightMax).contains(input.weight))
            return tributary_fold_input(
                values: input.values.baseAddress ?? placeholder, scale: Double(input.weight) * scale)
        }
        var firstBad = [Int64](repeating: -1, count: inputs.count)
        guard !inputs.isEmpty, !range.isEmpty else { return inputs.map { _ in nil } }
        arguments.withUnsafeBufferPointer { arguments in
            firstBad.withUnsafeMutableBufferPointer { firstBad in
                if let arguments = arguments.baseAddress, let firstBad = firstBad.baseAddress {
                    tributary_ring_fold(
                        tributary_ring_variant(rawValue: variant.rawValue), sums, range.count, arguments,
                        inputs.count, ring.deltaBound, firstBad)
                }
            }
        }
        return zip(inputs, firstBad).map { input, index in
            index < 0 ? nil : DenseValues.fault(in: input.values, at: Int(index))
        }
    }

    /// Adds another vector's values, or takes them out, wrapping.
    package mutating func combine(_ other: borrowing RingVector, direction: Direction = .add) {
        precondition(other.count == count)
        switch direction {
        case .add: tributary_ring_add(values, other.values, count)
        case .takeOut: tributary_ring_subtract(values, other.values, count)
        }
    }

    /// Adds packed values to a range, or takes them out; on an error nothing changes.
    ///
    /// - Parameters:
    ///   - bytes: exactly the packed values of the range; any bytes are safe.
    ///   - range: where the values lie in the vector.
    ///   - magnitudeMax: the largest magnitude that a value may have, below 2^63.
    ///   - direction: whether the values are added or taken out.
    /// - Throws: `RingError.packed` for malformed bytes, `RingError.sumOutOfBound` for a value beyond the maximum.
    package mutating func combine(
        packed bytes: UnsafeRawBufferPointer, in range: Range<Int>, magnitudeMax: UInt64, direction: Direction = .add
    ) throws(RingError) {
        precondition(magnitudeMax < 1 << 63)
        let sums = pointer(to: range)
        let result = tributary_ring_unpack(
            sums, range.count, bytes.baseAddress ?? UnsafeRawPointer(sums), bytes.count, magnitudeMax,
            direction == .add ? 0 : 1)
        if let error = RingPacking.error(result) { throw error }
    }

    private func pointer(to range: Range<Int>) -> UnsafeMutablePointer<Int64> {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        return values + range.lowerBound
    }
}

// One value owns the memory, nobody else has its address: it may move between threads like any other value.
extension RingVector: @unchecked Sendable {}
