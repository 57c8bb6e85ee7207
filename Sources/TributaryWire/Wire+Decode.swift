// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CTributaryWire
internal import TributaryCore

extension Wire {
    /// Reads a frame; a chunk's payload stays where it is and is named by its range.
    ///
    /// - Throws: `WireError` for anything that is not a message of this protocol within `Limits`.
    package static func decode(
        _ frame: UnsafeRawBufferPointer, frameByteCountMax: Int
    ) throws(WireError) -> WireFrame {
        guard frame.count <= frameByteCountMax else {
            throw .oversized(byteCount: frame.count, maximum: frameByteCountMax)
        }
        let scan = try WireScan(frame)
        guard WireVersion.supported.contains(UInt32(truncatingIfNeeded: scan.version)) else {
            throw .version(UInt32(truncatingIfNeeded: scan.version))
        }
        guard let kind = scan.kind else {
            if let number = scan.unknownKind { throw .unknownKind(number) }
            throw .malformed("the envelope holds no message")
        }
        return WireFrame(
            body: try body(frame, kind, frameByteCountMax: frameByteCountMax),
            trace: try trace(frame[scan.trace]),
            unknownFieldCount: scan.unknownFieldCount)
    }

    private static func body(
        _ frame: UnsafeRawBufferPointer, _ kind: WireField, frameByteCountMax: Int
    ) throws(WireError) -> WireBody {
        if kind.number == TRIBUTARY__V1__ENVELOPE__KIND_CHUNK.rawValue {
            let chunk = try chunk(frame, kind.content)
            let maximum = max(0, frameByteCountMax - Limits.envelopeByteCount)
            guard chunk.payload.count <= maximum else {
                throw .oversized(byteCount: chunk.payload.count, maximum: maximum)
            }
            return .chunk(chunk)
        }
        var budget = UnpackBudget(frameByteCountMax: frameByteCountMax)
        let unpacked = try UnpackedEnvelope(frame, budget: &budget)
        return try unpacked.read(Field.body)
    }

    /// A chunk is read in place, without protobuf-c, whose unpacking would copy the payload.
    private static func chunk(
        _ frame: UnsafeRawBufferPointer, _ content: Range<Int>
    ) throws(WireError) -> Chunk {
        var cursor = WireCursor(frame, content)
        var digest: Digest?
        var offset: UInt64 = 0
        var payload = 0..<0
        while let field = try cursor.next() {
            switch field.number {
            case 1: digest = Digest(UnsafeRawBufferPointer(rebasing: frame[field.content]))
            case 2: offset = field.value
            case 3: payload = field.content
            default: break
            }
        }
        guard let digest else { throw .malformed("chunk.digest does not have \(Digest.byteCount) bytes") }
        guard !payload.isEmpty else { throw .malformed("chunk.data is empty") }
        try Field.atMost(offset, Limits.objectByteCountMax, "chunk.offset")
        return Chunk(digest: digest, offset: offset, payload: payload)
    }

    private static func trace(_ bytes: Slice<UnsafeRawBufferPointer>) throws(WireError) -> String {
        guard !bytes.isEmpty else { return "" }
        try Field.atMost(bytes.count, Limits.nameByteCountMax, "envelope.trace_context")
        guard let trace = String(validating: bytes, as: UTF8.self) else {
            throw .malformed("envelope.trace_context is not UTF-8")
        }
        return trace
    }
}
