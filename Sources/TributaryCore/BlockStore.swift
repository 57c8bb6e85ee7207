// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// Content-addressed storage of objects, as the bus needs it: whole objects are read, partial ones written in order.
///
/// One thread uses a store at a time. A partial object survives the process, so that a transfer resumes where it
/// stopped.
package protocol BlockStore: AnyObject {
    /// The size of a complete object; `nil` when the store does not hold it.
    func byteCount(of digest: Digest) -> UInt64?

    /// Hands out `byteCount` bytes of a complete object from `offset`, without copying where the store can.
    func withBytes<Result>(
        of digest: Digest, offset: UInt64, byteCount: Int, _ body: (RawSpan) throws -> Result
    ) throws -> Result

    /// Starts or resumes a partial object; returns how many leading bytes are already held.
    func beginPartial(_ object: ObjectReference) throws -> UInt64

    /// Appends bytes to a partial object; `offset` is the count held so far.
    func append(_ bytes: RawSpan, to digest: Digest, at offset: UInt64) throws

    /// Completes a partial object after its last byte: verifies size and digest, and discards it when they differ.
    ///
    /// - Returns: whether the object was right.
    func finishPartial(_ digest: Digest) throws -> Bool

    /// Sets a partial object aside: nothing of it stays open, and `beginPartial` finds what is held.
    func suspendPartial(_ digest: Digest)

    /// Forgets a partial object.
    func discardPartial(_ digest: Digest)
}
