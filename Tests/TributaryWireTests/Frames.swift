// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryWire

/// The largest frame of a device's link, which the tests decode with unless they say otherwise.
let deviceFrameByteCountMax = Wire.frameByteCountMax(chunkByteCount: Limits.deviceChunkByteCount)

func decode(_ bytes: [UInt8], frameByteCountMax: Int = deviceFrameByteCountMax) throws(WireError) -> WireFrame {
    let result = bytes.withUnsafeBytes { buffer in
        Result { () throws(WireError) in try Wire.decode(buffer, frameByteCountMax: frameByteCountMax) }
    }
    return try result.get()
}

func encode(_ envelope: Envelope, trace: String = "") throws -> [UInt8] {
    try bytes(capacity: Wire.byteCount(of: envelope, trace: trace)) {
        try Wire.encode(envelope, trace: trace, into: $0)
    }
}

func encode(_ fetch: Fetch) throws -> [UInt8] {
    try bytes(capacity: Wire.byteCount(of: fetch)) { try Wire.encode(fetch, into: $0) }
}

func encodePing() throws -> [UInt8] {
    try bytes(capacity: Wire.pingByteCount) { try Wire.encodePing(into: $0) }
}

func encodeChunk(digest: Digest, offset: UInt64, payload: [UInt8]) throws -> [UInt8] {
    try payload.withUnsafeBytes { payload in
        try bytes(capacity: Wire.chunkByteCount(offset: offset, payloadByteCount: payload.count)) {
            try Wire.encodeChunk(digest: digest, offset: offset, payload: payload, into: $0)
        }
    }
}

private func bytes(
    capacity: Int, _ write: (UnsafeMutableRawBufferPointer) throws -> Int
) rethrows -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: capacity)
    let written = try bytes.withUnsafeMutableBytes { try write($0) }
    bytes.removeLast(capacity - written)
    return bytes
}

/// Writes protobuf by hand, so that tests can write what no serialiser would.
struct HandWriter {
    private(set) var bytes: [UInt8] = []

    static func envelope(kind: UInt32, _ content: [UInt8], version: UInt64 = 1) -> [UInt8] {
        var writer = HandWriter()
        writer.varint(3, version)
        writer.bytes(kind, content)
        return writer.bytes
    }

    mutating func raw(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func tag(_ field: UInt32, wireType: UInt64) { raw(UInt64(field) << 3 | wireType) }

    mutating func varint(_ field: UInt32, _ value: UInt64) {
        tag(field, wireType: 0)
        raw(value)
    }

    mutating func bytes(_ field: UInt32, _ content: [UInt8]) {
        tag(field, wireType: 2)
        raw(UInt64(content.count))
        bytes += content
    }

    mutating func text(_ field: UInt32, _ content: String) { bytes(field, Array(content.utf8)) }

    mutating func float(_ field: UInt32, _ value: Float) {
        tag(field, wireType: 5)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
    }

    mutating func double(_ field: UInt32, _ value: Double) {
        tag(field, wireType: 1)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
    }
}
