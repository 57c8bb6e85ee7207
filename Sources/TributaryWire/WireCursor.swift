// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// One field as it lies in a frame.
struct WireField {
    /// Protobuf's wire types, without the two of groups.
    enum Kind: UInt8 {
        case varint = 0
        case fixed64 = 1
        case bytes = 2
        case fixed32 = 5
    }

    let number: UInt32
    let kind: Kind
    /// The number of a `varint` field; 0 for the others.
    let value: UInt64
    /// Where the content lies in the frame, without tag and length.
    let content: Range<Int>
}

/// Walks the fields of one message in a frame, one after another, without descending.
struct WireCursor {
    private let frame: UnsafeRawBufferPointer
    private var position: Int
    private let end: Int

    init(_ frame: UnsafeRawBufferPointer, _ range: Range<Int>) {
        self.frame = frame
        position = range.lowerBound
        end = range.upperBound
    }

    /// The next field; `nil` at the end.
    ///
    /// - Throws: `WireError.malformed` when it is cut off, or of a wire type that is not in use.
    mutating func next() throws(WireError) -> WireField? {
        guard position < end else { return nil }
        let tag = try varint(byteCountMax: 5)
        guard tag >> 3 > 0, tag <= UInt64(UInt32.max) else {
            throw .malformed("there is no field number \(tag >> 3)")
        }
        let number = UInt32(tag >> 3)
        guard let kind = WireField.Kind(rawValue: UInt8(tag & 7)) else {
            throw .malformed("field \(number) has wire type \(tag & 7), which is not in use")
        }
        let start = position
        switch kind {
        case .varint:
            let value = try varint(byteCountMax: 10)
            return WireField(number: number, kind: kind, value: value, content: start..<position)
        case .fixed64:
            return WireField(number: number, kind: kind, value: 0, content: try skip(8, number))
        case .fixed32:
            return WireField(number: number, kind: kind, value: 0, content: try skip(4, number))
        case .bytes:
            let count = try varint(byteCountMax: 5)
            return WireField(number: number, kind: kind, value: 0, content: try skip(count, number))
        }
    }

    private mutating func skip(_ count: UInt64, _ number: UInt32) throws(WireError) -> Range<Int> {
        guard count <= UInt64(end - position) else {
            throw .malformed("field \(number) is cut off: it has \(count) bytes where \(end - position) are left")
        }
        let start = position
        position += Int(count)
        return start..<position
    }

    private mutating func varint(byteCountMax: Int) throws(WireError) -> UInt64 {
        var value: UInt64 = 0
        for byteNumber in 0..<byteCountMax {
            guard position < end else { throw .malformed("a number is cut off") }
            let byte = frame[position]
            position += 1
            value |= UInt64(byte & 0x7f) << UInt64(7 * byteNumber)
            if byte < 0x80 { return value }
        }
        throw .malformed("a number takes more than \(byteCountMax) bytes")
    }
}
