// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// Values to frames and back: one frame is one protobuf `Envelope`.
package enum Wire {
    /// The versions of the protocol that this code speaks.
    package static let versions: ClosedRange<UInt32> = 1...1

    /// The largest frame of a link whose chunks carry at most `chunkByteCount` bytes.
    package static func frameByteCountMax(chunkByteCount: Int) -> Int {
        chunkByteCount + Limits.envelopeByteCount
    }

    /// The exact size of a message's frame.
    package static func byteCount(of envelope: Envelope, trace: String = "") -> Int {
        0
    }

    /// Writes a message's frame to the beginning of `buffer`; returns its size.
    ///
    /// - Throws: `WireError.oversized` when it does not fit.
    package static func encode(
        _ envelope: Envelope, trace: String = "", into buffer: UnsafeMutableRawBufferPointer
    ) throws(WireError) -> Int {
        throw .malformed("no message is written yet")
    }

    /// The exact size of a request's frame.
    package static func byteCount(of fetch: Fetch) -> Int {
        0
    }

    /// Writes a request's frame to the beginning of `buffer`; returns its size.
    ///
    /// - Throws: `WireError.oversized` when it does not fit.
    package static func encode(
        _ fetch: Fetch, into buffer: UnsafeMutableRawBufferPointer
    ) throws(WireError) -> Int {
        throw .malformed("no message is written yet")
    }

    /// The exact size of the frame of a chunk at `offset` with `payloadByteCount` bytes.
    package static func chunkByteCount(offset: UInt64, payloadByteCount: Int) -> Int {
        0
    }

    /// Writes a chunk's frame to the beginning of `buffer`, copying the payload once; returns its size.
    ///
    /// - Throws: `WireError.oversized` when it does not fit.
    package static func encodeChunk(
        digest: Digest, offset: UInt64, payload: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer
    ) throws(WireError) -> Int {
        throw .malformed("no message is written yet")
    }

    /// The exact size of a probe's frame.
    package static var pingByteCount: Int { 0 }

    /// Writes a probe's frame to the beginning of `buffer`; returns its size.
    ///
    /// - Throws: `WireError.oversized` when it does not fit.
    package static func encodePing(into buffer: UnsafeMutableRawBufferPointer) throws(WireError) -> Int {
        throw .malformed("no message is written yet")
    }

    /// Reads a frame; a chunk's payload stays where it is and is named by its range.
    ///
    /// - Throws: `WireError` for anything that is not a message of this protocol within `Limits`.
    package static func decode(
        _ frame: UnsafeRawBufferPointer, frameByteCountMax: Int
    ) throws(WireError) -> WireFrame {
        throw .malformed("no message is read yet")
    }
}
