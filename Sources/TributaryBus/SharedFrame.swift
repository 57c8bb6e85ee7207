// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import TributaryCore

/// A chunk's frame that is written once and sent to many peers; freed when nobody holds it any more.
final class SharedFrame: @unchecked Sendable {
    // Safe to share: the bytes are written before anybody else sees them, and only read from then on.
    let bytes: UnsafeMutableRawBufferPointer

    init?(byteCount: Int) {
        guard let base = malloc(byteCount) else { return nil }
        bytes = UnsafeMutableRawBufferPointer(start: base, count: byteCount)
    }

    deinit { free(bytes.baseAddress) }
}

/// The last frames of chunks: children that pull the same object want the same ones within a short time.
struct SharedFrames {
    /// A window's worth for devices: children of one round are not further apart.
    static let countMax = 2 * Limits.transferWindowByteCount / Limits.deviceChunkByteCount

    private var frames: [UploadQueue.Piece: SharedFrame] = [:]
    private var order: [UploadQueue.Piece] = []

    subscript(piece: UploadQueue.Piece) -> SharedFrame? { frames[piece] }

    /// Keeps a frame in place of the oldest one.
    mutating func insert(_ frame: SharedFrame, for piece: UploadQueue.Piece) {
        if order.count == SharedFrames.countMax { frames[order.removeFirst()] = nil }
        order.append(piece)
        frames[piece] = frame
    }

    mutating func removeAll() { self = SharedFrames() }
}
