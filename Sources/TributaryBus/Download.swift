// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import TributaryCore
internal import TributaryWire

/// One object on its way to us: what has come, what was asked for, and when to ask again.
///
/// The receiver pulls: at most one window of bytes is asked for ahead of what has come. ZeroMQ keeps the order of a
/// connection, so the bytes come in order, and a broken connection begins anew at what has come.
struct Download {
    /// What to do with a chunk.
    enum Verdict: Equatable {
        /// Append the last `byteCount` bytes.
        case append(byteCount: Int)
        /// It came before; a repeated request crossed its answer.
        case duplicate
        /// It was not asked for.
        case unexpected
    }

    /// Silence after which a request is repeated; doubles up to `retryLongest`.
    ///
    /// A live connection loses nothing, so this only heals a peer that forgot us.
    static let retryFirst = Duration.seconds(30)
    static let retryLongest = Duration.seconds(120)

    let object: ObjectReference
    let windowByteCount: UInt64
    /// Leading bytes in the store.
    private(set) var receivedByteCount: UInt64
    /// Leading bytes that came or were asked for.
    private(set) var requestedByteCount: UInt64
    /// When the request is repeated unless something comes.
    private(set) var retryAt: Moment
    private var retryPause = Download.retryFirst
    /// The end of the furthest request ever made, up to which an answer may still come.
    private var requestedByteCountMax: UInt64

    init(_ object: ObjectReference, heldByteCount: UInt64, windowByteCount: Int, now: Moment) {
        self.object = object
        self.windowByteCount = UInt64(max(1, windowByteCount))
        receivedByteCount = min(heldByteCount, object.byteCount)
        requestedByteCount = receivedByteCount
        requestedByteCountMax = receivedByteCount
        retryAt = now + Download.retryFirst
    }

    var isComplete: Bool { receivedByteCount == object.byteCount }
    /// Bytes asked for that have not come.
    var outstandingByteCount: UInt64 { requestedByteCount - receivedByteCount }

    /// The next request, once half a window has come since the last; `nil` when nothing is to be asked.
    mutating func nextFetch() -> Fetch? {
        guard requestedByteCount < object.byteCount, outstandingByteCount <= windowByteCount / 2 else { return nil }
        let room = windowByteCount - outstandingByteCount
        return request(min(room, object.byteCount - requestedByteCount))
    }

    /// The request to repeat after a silence; `nil` when there was none.
    mutating func retry(now: Moment, jitter: (Duration) -> Duration) -> Fetch? {
        guard !isComplete, now >= retryAt else { return nil }
        retryPause = min(retryPause * 2, Download.retryLongest)
        retryAt = now + jitter(retryPause)
        requestedByteCount = receivedByteCount
        return request(min(windowByteCount, object.byteCount - receivedByteCount))
    }

    /// Judges a chunk and counts it in when it is to be appended.
    mutating func receive(offset: UInt64, byteCount: Int, now: Moment) -> Verdict {
        guard byteCount > 0, offset <= requestedByteCountMax,
            UInt64(byteCount) <= requestedByteCountMax - offset
        else { return .unexpected }
        let end = offset + UInt64(byteCount)
        if end <= receivedByteCount { return .duplicate }
        guard offset <= receivedByteCount else { return .unexpected }
        let fresh = end - receivedByteCount
        receivedByteCount = end
        requestedByteCount = max(requestedByteCount, end)
        retryPause = Download.retryFirst
        retryAt = now + retryPause
        return .append(byteCount: Int(fresh))
    }

    private mutating func request(_ byteCount: UInt64) -> Fetch {
        let fetch = Fetch(digest: object.digest, offset: requestedByteCount, length: byteCount)
        requestedByteCount += byteCount
        requestedByteCountMax = max(requestedByteCountMax, requestedByteCount)
        return fetch
    }
}
