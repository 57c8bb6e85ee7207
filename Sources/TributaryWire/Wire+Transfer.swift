// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import TributaryCore

extension Wire {
    /// What an object's transfer puts on a link.
    package struct TransferSize: Hashable, Sendable {
        /// Bytes of the frames that carry the object.
        package var chunks: Int
        /// Bytes of the requests that pull it, in the other direction.
        package var requests: Int
    }

    /// The exact size of a transfer that nothing disturbs.
    ///
    /// The receiver asks as the bus does: for a window, then for half a window each time half of one has come.
    ///
    /// - Complexity: O(chunks).
    package static func transferSize(objectByteCount: UInt64, chunkByteCount: Int) -> TransferSize {
        var size = TransferSize(chunks: 0, requests: 0)
        for offset in stride(from: UInt64(0), to: objectByteCount, by: chunkByteCount) {
            let payload = Int(min(UInt64(chunkByteCount), objectByteCount - offset))
            size.chunks += self.chunkByteCount(offset: offset, payloadByteCount: payload)
        }
        let digest = Digest(words: 0, 0, 0, 0)
        var offset: UInt64 = 0
        var window = UInt64(Limits.transferWindowByteCount)
        while offset < objectByteCount {
            let length = min(window, objectByteCount - offset)
            size.requests += byteCount(of: Fetch(digest: digest, offset: offset, length: length))
            offset += length
            window = UInt64(Limits.transferWindowByteCount / 2)
        }
        return size
    }
}
