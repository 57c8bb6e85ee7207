// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// All sockets of one node (or of many devices in one process), owned, polled and closed by one thread.
package final class Bus {
    /// Wakes the owner out of `poll` from any thread.
    package let waker: Waker

    /// Opens a bus without sockets; objects are read from and written to `store`.
    package init(store: any BlockStore) throws(BusError) {
        waker = try Waker()
    }

    /// Listens for children; returns the endpoint with its port resolved.
    package func bind(
        _ endpoint: String, identity: CurveKeyPair, admission: Admission, chunkByteCount: Int
    ) throws(BusError) -> String { throw .closed }

    /// Replaces who is admitted on all binds; children whose key is no longer admitted are `gone` at once.
    package func admit(_ admission: Admission) {}

    /// Opens a link to a parent; it connects, and reconnects for ever, in the background.
    package func connect(
        _ endpoint: String, parentKey: CurvePublicKey, identity: CurveKeyPair, jitterSeed: UInt64
    ) throws(BusError) -> Peer { throw .closed }

    /// Sends a message, or queues it while the peer is slow; never blocks.
    package func send(_ envelope: Envelope, to peer: Peer) {}

    /// Pulls an object into the store; ends in `fetched` or `fetchFailed`.
    package func fetch(_ object: ObjectReference, from peer: Peer) {}

    /// Stops a fetch without an event; what arrived stays for the next one.
    package func cancelFetch(_ digest: Digest, from peer: Peer) {}

    /// Asks libzmq whether a child is still connected; `gone` follows when it is not.
    package func probe(_ peer: Peer) {}

    /// Ends a session (a child that connects again is a new peer) or closes a link.
    package func disconnect(_ peer: Peer) {}

    /// Waits for events until a moment (`nil`: until one comes) and returns them, oldest first.
    package func poll(until deadline: Moment?) -> [BusEvent] { [] }

    /// Closes all sockets; nothing may be called afterwards.
    package func close() {}

    /// The node that a child's key stands for.
    package func node(of peer: Peer) -> NodeName? { nil }

    /// What went over one peer so far; a link counts over all its connections.
    package func traffic(of peer: Peer) -> Traffic { Traffic() }

    /// What went over all peers so far, those that are gone included.
    package private(set) var traffic = Traffic()

    /// How often something was refused here, by reason.
    package private(set) var refusals: [ReasonCode: UInt64] = [:]

    /// This moment on the monotonic clock.
    package static func now() -> Moment { Moment(nanoseconds: 0) }
}
