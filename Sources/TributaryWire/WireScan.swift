// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CTributaryWire
internal import TributaryCore

// protobuf-c has no limit on what a small frame makes it allocate, keeps texts with a closing zero only, and merges
// repeated singular fields. So every frame is walked once before it is unpacked, by protobuf-c's own descriptors:
// the walk bounds the number of fields and the depth, and refuses what protobuf-c would misread.

/// What a walk over a frame found, before anything is unpacked.
struct WireScan {
    /// Deeper than any message of the protocol.
    static let depthMax = 8
    /// The envelope's fields below this number are its head; from here on they are kinds.
    static let firstKind: UInt32 = 10
    static let versionField: UInt32 = 3
    static let traceField: UInt32 = 4

    private let frame: UnsafeRawBufferPointer
    private(set) var fieldCount = 0
    private(set) var unknownFieldCount = 0
    private(set) var version: UInt64 = 0
    private(set) var trace = 0..<0
    /// The known kind and where its message lies.
    private(set) var kind: WireField?
    /// The first field of a number that a kind could have.
    private(set) var unknownKind: UInt32?

    /// Walks a whole frame.
    ///
    /// - Throws: `WireError` when the frame is cut off, has too many fields or a field of the wrong type.
    init(_ frame: UnsafeRawBufferPointer) throws(WireError) {
        self.frame = frame
        var envelope = Tributary__V1__Envelope()
        tributary__v1__envelope__init(&envelope)
        guard let descriptor = envelope.base.descriptor else {
            preconditionFailure("a generated message has a descriptor")
        }
        try walk(0..<frame.count, descriptor, depth: 0)
    }

    private mutating func walk(
        _ range: Range<Int>, _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>, depth: Int
    ) throws(WireError) {
        guard depth < Self.depthMax else { throw .malformed("messages lie deeper than \(Self.depthMax)") }
        var cursor = WireCursor(frame, range)
        var seen: UInt64 = 0
        while let field = try cursor.next() {
            fieldCount += 1
            guard fieldCount <= Limits.fieldCountMax else {
                throw .limit(
                    field: "the number of fields", actual: UInt64(fieldCount), maximum: UInt64(Limits.fieldCountMax))
            }
            if depth == 0 { note(field) }
            guard let known = protobuf_c_message_descriptor_get_field(descriptor, field.number) else {
                unknownFieldCount += 1
                if depth == 0, field.number >= Self.firstKind, unknownKind == nil { unknownKind = field.number }
                continue
            }
            if depth == 0, field.number >= Self.firstKind { kind = field }
            try check(field, known.pointee, first: descriptor.pointee.fields, position: known, seen: &seen)
            if known.pointee.type == PROTOBUF_C_TYPE_MESSAGE, let inner = known.pointee.descriptor {
                try walk(
                    field.content, inner.assumingMemoryBound(to: ProtobufCMessageDescriptor.self), depth: depth + 1)
            }
        }
    }

    /// Remembers the parts of the envelope's head that are read without unpacking.
    private mutating func note(_ field: WireField) {
        if field.number == Self.versionField { version = field.value }
        if field.number == Self.traceField { trace = field.content }
    }

    /// Refuses a wrong wire type, a second occurrence of a singular field or oneof, and a zero inside a text.
    private func check(
        _ field: WireField, _ known: ProtobufCFieldDescriptor, first: UnsafePointer<ProtobufCFieldDescriptor>?,
        position: UnsafePointer<ProtobufCFieldDescriptor>, seen: inout UInt64
    ) throws(WireError) {
        let repeated = known.label == PROTOBUF_C_LABEL_REPEATED
        let expected = Self.wireKind(of: known.type)
        guard field.kind == expected || (repeated && field.kind == .bytes) else {
            throw .malformed("field \(field.number) has the wrong wire type \(field.kind.rawValue)")
        }
        if !repeated {
            let isChoice = known.flags & UInt32(PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue) != 0
            let bit = isChoice ? 63 : first.map { position - $0 } ?? 0
            guard seen & (1 << UInt64(bit)) == 0 else {
                throw .malformed("field \(field.number) comes twice, or together with another choice")
            }
            seen |= 1 << UInt64(bit)
        }
        if known.type == PROTOBUF_C_TYPE_STRING, frame[field.content].contains(0) {
            throw .malformed("the text in field \(field.number) contains a zero byte")
        }
    }

    private static func wireKind(of type: ProtobufCType) -> WireField.Kind {
        switch type {
        case PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_BYTES, PROTOBUF_C_TYPE_MESSAGE: .bytes
        case PROTOBUF_C_TYPE_FIXED64, PROTOBUF_C_TYPE_SFIXED64, PROTOBUF_C_TYPE_DOUBLE: .fixed64
        case PROTOBUF_C_TYPE_FIXED32, PROTOBUF_C_TYPE_SFIXED32, PROTOBUF_C_TYPE_FLOAT: .fixed32
        default: .varint
        }
    }
}
