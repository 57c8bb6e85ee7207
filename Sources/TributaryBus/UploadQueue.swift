// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import TributaryCore
internal import TributaryWire

/// The ranges that one peer asked for and has not been sent, cut into chunks on the way out.
struct UploadQueue {
    /// Ranges that one peer may have pending: one of each transfer that an honest receiver has under way or parked.
    static let rangeCountMax = 4 * Limits.transferCountMax

    /// The next chunk to send.
    struct Piece: Hashable {
        let digest: Digest
        let offset: UInt64
        let byteCount: Int
    }

    private struct PendingRange {
        let digest: Digest
        var offset: UInt64
        var end: UInt64
    }

    let chunkByteCount: Int
    private var ranges: [PendingRange] = []
    /// The position of the transfer whose turn it is.
    private var turn = 0

    init(chunkByteCount: Int) { self.chunkByteCount = chunkByteCount }

    var isEmpty: Bool { ranges.isEmpty }

    /// Takes a request for a range of an object of `byteCount` bytes; returns why it is refused, or `nil`.
    ///
    /// A request that continues a pending range of the same object, or repeats a part of it, is merged with it.
    mutating func add(_ fetch: Fetch, objectByteCount byteCount: UInt64) -> ReasonCode? {
        guard fetch.offset < byteCount, fetch.length > 0, fetch.length <= byteCount - fetch.offset,
            fetch.length <= UInt64(Limits.transferWindowByteCount)
        else { return .wrongSize }
        let end = fetch.offset + fetch.length
        for position in ranges.indices where ranges[position].digest == fetch.digest {
            guard fetch.offset <= ranges[position].end, ranges[position].offset <= end else { continue }
            ranges[position].offset = min(ranges[position].offset, fetch.offset)
            ranges[position].end = max(ranges[position].end, end)
            return nil
        }
        guard ranges.count < UploadQueue.rangeCountMax else { return .unexpected }
        ranges.append(PendingRange(digest: fetch.digest, offset: fetch.offset, end: end))
        return nil
    }

    /// The next chunk, the transfers of the peer taking turns; `advance` follows when it has left.
    var next: Piece? {
        guard !ranges.isEmpty else { return nil }
        let range = ranges[turn % ranges.count]
        return Piece(
            digest: range.digest, offset: range.offset,
            byteCount: Int(min(UInt64(chunkByteCount), range.end - range.offset)))
    }

    /// Counts the chunk of `next` as sent.
    mutating func advance() {
        guard !ranges.isEmpty else { return }
        turn %= ranges.count
        ranges[turn].offset += min(UInt64(chunkByteCount), ranges[turn].end - ranges[turn].offset)
        if ranges[turn].offset == ranges[turn].end {
            ranges.remove(at: turn)
        } else {
            turn += 1
        }
    }

    /// Drops everything pending of an object.
    mutating func remove(_ digest: Digest) { ranges.removeAll { $0.digest == digest } }
}
