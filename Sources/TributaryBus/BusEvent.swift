// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// The other end of a connection: a parent link of ours, or one session of a child.
///
/// A link keeps its peer while it reconnects; a child that connects anew is a new peer, and its old one is `gone`.
package struct Peer: Hashable, Sendable, CustomStringConvertible {
    /// Which side of a link the other end is.
    package enum Kind: UInt8, Hashable, Sendable {
        case parent
        case child
        /// A stranger on a join bind.
        case joiner
    }
    package let kind: Kind
    /// Counts up in the bus that made it; never used twice.
    package let number: UInt64

    package var description: String { "\(kind) \(number)" }
}

/// Where a parent listens, and the key that it proves.
package struct ParentAddress: Hashable, Sendable {
    package var endpoint: String
    package var key: CurvePublicKey
    package init(endpoint: String, key: CurvePublicKey) {
        self.endpoint = endpoint
        self.key = key
    }
}

/// What a bus tells its owner.
package enum BusEvent: Sendable {
    /// A link is up, or up again after a break: say Hello (again), and fetch again what was under way.
    case connected(Peer)
    /// The connection broke. A link tries again by itself; a child's peer never comes back.
    case gone(Peer)
    /// The parent did not admit our key (or it is not the parent whose key we know); the link keeps trying, slowly.
    case refused(Peer, ReasonCode)
    /// A stranger who proved the key asks to be admitted; answer with `welcome` or `turnAway`.
    case joining(Peer, CurvePublicKey, Join)
    /// The parent's answer to a link's join.
    case joined(Peer, Joined)
    /// A message; `node` is the child that its key stands for, `nil` on a link.
    case message(Peer, node: NodeName?, Envelope)
    /// An object is in the store, whole and with the right digest.
    case fetched(Peer, ObjectReference)
    /// An object will not come from this peer.
    case fetchFailed(Peer, ObjectReference, ReasonCode)
    /// A peer broke the protocol, or a stranger knocked; it was refused and counted.
    case violation(Peer?, node: NodeName?, ReasonCode, String)
    /// Another thread called `wake()`.
    case woken
}

/// Bytes and frames over one peer, link or bind, as protobuf frames before encryption.
package struct Traffic: Hashable, Sendable {
    package var bytesSent: UInt64 = 0
    package var bytesReceived: UInt64 = 0
    package var framesSent: UInt64 = 0
    package var framesReceived: UInt64 = 0
    package init() {}
}
