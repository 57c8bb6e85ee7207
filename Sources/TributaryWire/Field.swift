// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CTributaryWire
internal import TributaryCore

/// Checked reading of single fields: each function returns a value within its bound, or says which field is wrong.
enum Field {
    /// A message that must be there.
    static func present<Struct>(
        _ pointer: UnsafeMutablePointer<Struct>?, _ field: String
    ) throws(WireError) -> Struct {
        guard let pointer else { throw .malformed("\(field) is missing") }
        return pointer.pointee
    }

    static func text(
        _ pointer: UnsafeMutablePointer<CChar>?, _ field: String, byteCountMax: Int
    ) throws(WireError) -> String {
        guard let pointer else { return "" }
        guard let text = String(validatingCString: pointer) else { throw .malformed("\(field) is not UTF-8") }
        try atMost(text.utf8.count, byteCountMax, field)
        return text
    }

    /// A name of 1 to `Limits.nameByteCountMax` bytes.
    static func name(_ pointer: UnsafeMutablePointer<CChar>?, _ field: String) throws(WireError) -> String {
        let name = try text(pointer, field, byteCountMax: Limits.nameByteCountMax)
        guard !name.isEmpty else { throw .malformed("\(field) is empty") }
        return name
    }

    static func reason(_ pointer: UnsafeMutablePointer<CChar>?, _ field: String) throws(WireError) -> ReasonCode {
        let text = try text(pointer, field, byteCountMax: Limits.nameByteCountMax)
        guard let reason = ReasonCode(rawValue: text) else { throw .malformed("\(field) is not a known reason") }
        return reason
    }

    /// A digest, or `nil` where the field is empty.
    static func digestIfAny(_ bytes: ProtobufCBinaryData, _ field: String) throws(WireError) -> Digest? {
        guard bytes.len > 0 else { return nil }
        guard let digest = Digest(UnsafeRawBufferPointer(start: bytes.data, count: bytes.len)) else {
            throw .malformed("\(field) has \(bytes.len) bytes; a digest has \(Digest.byteCount)")
        }
        return digest
    }

    static func digest(_ bytes: ProtobufCBinaryData, _ field: String) throws(WireError) -> Digest {
        guard let digest = try digestIfAny(bytes, field) else { throw .malformed("\(field) is missing") }
        return digest
    }

    /// So many bytes, no more and no fewer.
    static func bytes(
        _ bytes: ProtobufCBinaryData, _ field: String, byteCount: Int
    ) throws(WireError) -> [UInt8] {
        guard bytes.len == byteCount else {
            throw .malformed("\(field) has \(bytes.len) bytes where \(byteCount) belong")
        }
        return Array(UnsafeBufferPointer(start: bytes.data, count: bytes.len))
    }

    @discardableResult
    static func atMost<Value: BinaryInteger>(
        _ value: Value, _ maximum: Value, _ field: String
    ) throws(WireError) -> Value {
        guard value <= maximum else {
            throw .limit(
                field: field, actual: UInt64(truncatingIfNeeded: value), maximum: UInt64(truncatingIfNeeded: maximum))
        }
        return value
    }

    static func atLeastOne<Value: BinaryInteger>(_ value: Value, _ field: String) throws(WireError) -> Value {
        guard value >= 1 else { throw .malformed("\(field) must be at least 1") }
        return value
    }

    /// A number in `range`; NaN lies in none.
    static func within<Value: BinaryFloatingPoint>(
        _ value: Value, _ range: ClosedRange<Value>, _ field: String
    ) throws(WireError) -> Value {
        guard range.contains(value) else {
            throw .malformed("\(field) must lie between \(range.lowerBound) and \(range.upperBound)")
        }
        return value
    }

    static func duration(milliseconds: UInt64, _ field: String) throws(WireError) -> Duration {
        let maximum = UInt64(clamping: Limits.durationMax.milliseconds)
        return .milliseconds(Int64(clamping: try atMost(milliseconds, maximum, field)))
    }

    static func encoding(_ number: UInt32) throws(WireError) -> UpdateEncoding {
        guard let encoding = encodingIfKnown(number) else { throw .encoding(number) }
        return encoding
    }

    static func encodingIfKnown(_ number: UInt32) -> UpdateEncoding? {
        UInt8(exactly: number).flatMap { UpdateEncoding(rawValue: $0) }
    }

    /// A list of at most `maximum` messages.
    static func list<Struct, Value>(
        _ count: Int, _ items: UnsafeMutablePointer<UnsafeMutablePointer<Struct>?>?, _ field: String, maximum: Int,
        _ read: (Struct) throws(WireError) -> Value
    ) throws(WireError) -> [Value] {
        try atMost(count, maximum, field)
        guard count > 0, let items else { return [] }
        var values: [Value] = []
        values.reserveCapacity(count)
        for position in 0..<count { values.append(try read(try present(items[position], field))) }
        return values
    }
}
