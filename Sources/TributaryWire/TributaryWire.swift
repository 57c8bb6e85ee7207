// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// The room between values and bytes: Core's messages and the transfer messages below them, written and read as
// protobuf by protobuf-c. Frames come from outside, so everything in them is bounded by Limits before it becomes a
// value. May touch raw memory (its own arenas and the caller's buffers); no sockets, files, clocks or threads.

package import TributaryCore

/// One frame's content: what it says, beside which trace it belongs to.
package struct WireFrame: Hashable, Sendable {
    package var body: WireBody
    /// A W3C traceparent; empty when the sender traces nothing.
    package var trace: String
    /// Fields that this version does not know; they were skipped.
    package var unknownFieldCount: Int

    package init(body: WireBody, trace: String = "", unknownFieldCount: Int = 0) {
        self.body = body
        self.trace = trace
        self.unknownFieldCount = unknownFieldCount
    }
}

/// What one frame says: a message for a machine, or a step of a transfer below it.
package enum WireBody: Hashable, Sendable {
    case message(Envelope)
    case fetch(Fetch)
    case chunk(Chunk)
    /// A parent's probe of a silent child; nothing is answered to it.
    case ping
    /// A stranger's request on a join bind.
    case join(Join)
    /// The answer to it.
    case joined(Joined)
}

/// "Send me this range of that object": request, credit and resume point in one.
package struct Fetch: Hashable, Sendable {
    package var digest: Digest
    /// The first byte asked for.
    package var offset: UInt64
    /// How many bytes from there, in `1...Limits.transferWindowByteCount`.
    package var length: UInt64

    package init(digest: Digest, offset: UInt64, length: UInt64) {
        self.digest = digest
        self.offset = offset
        self.length = length
    }
}

/// A piece of an object; the bytes stay where they are, in the frame.
package struct Chunk: Hashable, Sendable {
    package var digest: Digest
    /// Where the bytes begin in the object.
    package var offset: UInt64
    /// Where the bytes lie in the frame; never empty.
    package var payload: Range<Int>

    package init(digest: Digest, offset: UInt64, payload: Range<Int>) {
        self.digest = digest
        self.offset = offset
        self.payload = payload
    }
}
