// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// Turns the bytes of array elements into features and labels.
struct ElementDecoder: Sendable {
    let type: ElementType
    let isBigEndian: Bool

    /// Decodes `output.count` elements: bytes become `x / 255`, everything else keeps its value.
    ///
    /// - Returns: the first element that is not finite as float32; `nil` when all are.
    func decodeFeatures(_ bytes: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<Float>) -> Int? {
        switch type {
        case .unsigned8: scale(bytes, into: output)
        case .signed8: integers(bytes, Int8.self, into: output)
        case .unsigned16: integers(bytes, UInt16.self, into: output)
        case .signed16: integers(bytes, Int16.self, into: output)
        case .unsigned32: integers(bytes, UInt32.self, into: output)
        case .signed32: integers(bytes, Int32.self, into: output)
        case .unsigned64: integers(bytes, UInt64.self, into: output)
        case .signed64: integers(bytes, Int64.self, into: output)
        case .float32: floats(bytes, UInt32.self, into: output) { Float(bitPattern: $0) }
        case .float64: floats(bytes, UInt64.self, into: output) { Float(Double(bitPattern: $0)) }
        }
    }

    /// Decodes one element as a whole number; `nil` when it is not one.
    func decodeInteger(_ bytes: UnsafeRawBufferPointer, at index: Int) -> Int64? {
        switch type {
        case .unsigned8: Int64(load(bytes, UInt8.self, at: index))
        case .signed8: Int64(load(bytes, Int8.self, at: index))
        case .unsigned16: Int64(load(bytes, UInt16.self, at: index))
        case .signed16: Int64(load(bytes, Int16.self, at: index))
        case .unsigned32: Int64(load(bytes, UInt32.self, at: index))
        case .signed32: Int64(load(bytes, Int32.self, at: index))
        case .unsigned64: Int64(exactly: load(bytes, UInt64.self, at: index))
        case .signed64: load(bytes, Int64.self, at: index)
        case .float32: Int64(exactly: Float(bitPattern: load(bytes, UInt32.self, at: index)))
        case .float64: Int64(exactly: Double(bitPattern: load(bytes, UInt64.self, at: index)))
        }
    }

    @inline(__always)
    private func load<Number: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer, _ type: Number.Type, at index: Int
    ) -> Number {
        let raw = bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<Number>.size, as: type)
        return isBigEndian ? Number(bigEndian: raw) : Number(littleEndian: raw)
    }

    private func scale(_ bytes: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<Float>) -> Int? {
        for index in output.indices { output[index] = Float(bytes[index]) / 255 }
        return nil
    }

    private func integers<Number: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer, _ type: Number.Type, into output: UnsafeMutableBufferPointer<Float>
    ) -> Int? {
        for index in output.indices { output[index] = Float(load(bytes, type, at: index)) }
        return nil
    }

    private func floats<Pattern: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer, _ type: Pattern.Type, into output: UnsafeMutableBufferPointer<Float>,
        _ value: (Pattern) -> Float
    ) -> Int? {
        var bad: Int?
        for index in output.indices {
            output[index] = value(load(bytes, type, at: index))
            if !output[index].isFinite && bad == nil { bad = index }
        }
        return bad
    }
}
