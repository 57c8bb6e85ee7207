// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryWire

/// What an object's transfer puts on a link, by the wire's own size functions; sizes that come again are kept.
struct TransferSizes {
    /// Bytes of the frames that carry the object, and of the requests that pull it.
    struct Size {
        var chunks = 0
        var requests = 0
    }

    private struct Key: Hashable {
        var byteCount: UInt64
        var chunkByteCount: Int
    }

    private var known: [Key: Size] = [:]
    /// Sizes kept at most: models and full deltas come again and again, sums differ.
    private static let countMax = 1024

    mutating func size(of object: ObjectReference, chunkByteCount: Int) -> Size {
        let key = Key(byteCount: object.byteCount, chunkByteCount: chunkByteCount)
        if let size = known[key] { return size }
        let size = Self.count(object, chunkByteCount: chunkByteCount)
        if known.count >= Self.countMax { known = [:] }
        known[key] = size
        return size
    }

    /// Requests are made as the bus makes them: a window, then half a window each time half of it has come.
    private static func count(_ object: ObjectReference, chunkByteCount: Int) -> Size {
        var size = Size()
        for offset in stride(from: UInt64(0), to: object.byteCount, by: chunkByteCount) {
            let payload = Int(min(UInt64(chunkByteCount), object.byteCount - offset))
            size.chunks += Wire.chunkByteCount(offset: offset, payloadByteCount: payload)
        }
        var offset: UInt64 = 0
        var window = UInt64(Limits.transferWindowByteCount)
        while offset < object.byteCount {
            let length = min(window, object.byteCount - offset)
            size.requests += Wire.byteCount(of: Fetch(digest: object.digest, offset: offset, length: length))
            offset += length
            window = UInt64(Limits.transferWindowByteCount / 2)
        }
        return size
    }
}
