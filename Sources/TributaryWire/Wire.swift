// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CTributaryWire
package import TributaryCore

/// Values to frames and back: one frame is one protobuf `Envelope`.
package enum Wire {
    /// The largest frame of a link whose chunks carry at most `chunkByteCount` bytes.
    package static func frameByteCountMax(chunkByteCount: Int) -> Int {
        chunkByteCount + Limits.envelopeByteCount
    }

    // MARK: Messages

    /// The exact size of a message's frame.
    package static func byteCount(of envelope: Envelope, trace: String = "") -> Int {
        let arena = MessageArena()
        return withExtendedLifetime(arena) {
            tributary__v1__envelope__get_packed_size(arena.envelope(envelope, trace: trace))
        }
    }

    /// Writes a message's frame to the beginning of `buffer`; returns its size.
    ///
    /// - Throws: `WireError.oversized` when it does not fit.
    package static func encode(
        _ envelope: Envelope, trace: String = "", into buffer: UnsafeMutableRawBufferPointer
    ) throws(WireError) -> Int {
        let arena = MessageArena()
        defer { withExtendedLifetime(arena) {} }
        return try pack(arena.envelope(envelope, trace: trace), into: buffer)
    }

    // MARK: Transfers

    /// The exact size of a request's frame.
    package static func byteCount(of fetch: Fetch) -> Int {
        let arena = MessageArena()
        return withExtendedLifetime(arena) { tributary__v1__envelope__get_packed_size(arena.fetch(fetch)) }
    }

    /// Writes a request's frame to the beginning of `buffer`; returns its size.
    ///
    /// - Throws: `WireError.oversized` when it does not fit.
    package static func encode(_ fetch: Fetch, into buffer: UnsafeMutableRawBufferPointer) throws(WireError) -> Int {
        let arena = MessageArena()
        defer { withExtendedLifetime(arena) {} }
        return try pack(arena.fetch(fetch), into: buffer)
    }

    /// A join request's frame.
    ///
    /// - Throws: `WireError.oversized` when it does not fit a join bind.
    package static func frame(of join: Join) throws(WireError) -> [UInt8] {
        let arena = MessageArena()
        defer { withExtendedLifetime(arena) {} }
        let envelope = arena.join(join)
        return try frame(of: envelope, byteCountMax: Limits.joinByteCount)
    }

    /// The frame of an answer to a join request.
    ///
    /// - Throws: `WireError.oversized` when a text in it is too long.
    package static func frame(of joined: Joined) throws(WireError) -> [UInt8] {
        let arena = MessageArena()
        defer { withExtendedLifetime(arena) {} }
        let envelope = arena.joined(joined)
        return try frame(of: envelope, byteCountMax: Limits.joinByteCount)
    }

    private static func frame(
        of envelope: UnsafePointer<Tributary__V1__Envelope>, byteCountMax: Int
    ) throws(WireError) -> [UInt8] {
        let byteCount = tributary__v1__envelope__get_packed_size(envelope)
        guard byteCount <= byteCountMax else { throw .oversized(byteCount: byteCount, maximum: byteCountMax) }
        return [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
            count = tributary__v1__envelope__pack(envelope, buffer.baseAddress)
        }
    }

    /// The exact size of a probe's frame.
    package static var pingByteCount: Int {
        let arena = MessageArena()
        return withExtendedLifetime(arena) { tributary__v1__envelope__get_packed_size(arena.ping()) }
    }

    /// Writes a probe's frame to the beginning of `buffer`; returns its size.
    ///
    /// - Throws: `WireError.oversized` when it does not fit.
    package static func encodePing(into buffer: UnsafeMutableRawBufferPointer) throws(WireError) -> Int {
        let arena = MessageArena()
        defer { withExtendedLifetime(arena) {} }
        return try pack(arena.ping(), into: buffer)
    }

    /// The exact size of the frame of a chunk at `offset` with `payloadByteCount` bytes.
    package static func chunkByteCount(offset: UInt64, payloadByteCount: Int) -> Int {
        let offsetField = offset == 0 ? 0 : 1 + varintByteCount(offset)
        let payloadField = payloadByteCount == 0 ? 0 : field(payloadByteCount)
        return 2 + field(field(Digest.byteCount) + offsetField + payloadField)
    }

    /// Writes a chunk's frame to the beginning of `buffer`, copying the payload once; returns its size.
    ///
    /// - Throws: `WireError.oversized` when it does not fit.
    package static func encodeChunk(
        digest: Digest, offset: UInt64, payload: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer
    ) throws(WireError) -> Int {
        let arena = MessageArena()
        defer { withExtendedLifetime(arena) {} }
        let chunk = arena.make(tributary__v1__chunk__init)
        chunk.pointee.digest = arena.digest(digest)
        chunk.pointee.offset = offset
        // protobuf-c only reads what it packs, though its struct says otherwise.
        let bytes = UnsafeMutableRawPointer(mutating: payload.baseAddress)
        chunk.pointee.data = ProtobufCBinaryData(
            len: payload.count, data: bytes?.assumingMemoryBound(to: UInt8.self))
        let envelope = arena.head()
        envelope.pointee.kind_case = TRIBUTARY__V1__ENVELOPE__KIND_CHUNK
        envelope.pointee.chunk = chunk
        return try pack(envelope, into: buffer)
    }

    private static func pack(
        _ envelope: UnsafePointer<Tributary__V1__Envelope>, into buffer: UnsafeMutableRawBufferPointer
    ) throws(WireError) -> Int {
        let byteCount = tributary__v1__envelope__get_packed_size(envelope)
        guard byteCount <= buffer.count, let base = buffer.baseAddress else {
            throw .oversized(byteCount: byteCount, maximum: buffer.count)
        }
        return tributary__v1__envelope__pack(envelope, base.assumingMemoryBound(to: UInt8.self))
    }

    /// The size of a length-delimited field with a one-byte tag.
    private static func field(_ contentByteCount: Int) -> Int {
        1 + varintByteCount(UInt64(contentByteCount)) + contentByteCount
    }

    private static func varintByteCount(_ value: UInt64) -> Int {
        max(1, (64 - value.leadingZeroBitCount + 6) / 7)
    }
}
