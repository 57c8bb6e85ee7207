// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// One training run of one federation; chosen by the root, at most `Limits.nameByteCountMax` bytes.
package struct RunID: Hashable, Sendable, CustomStringConvertible {
    package let value: String
    package init(_ value: String) { self.value = value }
    package var description: String { value }
}

/// A node's name in the topology, unique in its federation: `cloud`, `eu-west`, `camera-17`.
package struct NodeName: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let value: String
    package init(_ value: String) { self.value = value }
    package var description: String { value }
    package static func < (left: NodeName, right: NodeName) -> Bool { left.value < right.value }

    /// Whether a text is fit for host names, labels and file names: a-z, 0-9, and `-` between them.
    package static func isValid(_ text: String) -> Bool {
        let bytes = text.utf8
        guard let first = bytes.first, let last = bytes.last, bytes.count <= Limits.nameByteCountMax,
            first != UInt8(ascii: "-"), last != UInt8(ascii: "-")
        else { return false }
        return bytes.allSatisfy { ($0 >= 97 && $0 <= 122) || ($0 >= 48 && $0 <= 57) || $0 == UInt8(ascii: "-") }
    }
}

/// A device's declared, stable number, whatever the tree's shape; keys its shard, its randomness and its choice.
package struct ClientIndex: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let value: UInt64
    package init(_ value: UInt64) { self.value = value }
    package var description: String { String(value) }
    package static func < (left: ClientIndex, right: ClientIndex) -> Bool { left.value < right.value }
}

/// A version of the topology; starts at 1 and increases with each change that a running tree applies.
package struct TopologyEpoch: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let value: UInt64
    package init(_ value: UInt64) { self.value = value }
    package var description: String { String(value) }
    package static func < (left: TopologyEpoch, right: TopologyEpoch) -> Bool { left.value < right.value }
}

/// Where in a run something happens: the root's round and the edge round inside it.
///
/// Round 0 is the initial model; training starts at 1. A node counts the edge rounds of the stepping tiers inside a
/// round as a single number that starts at 1.
package struct RoundNumber: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The root's round.
    package let round: UInt32
    /// The edge round of the nearest stepping tier above; 1 where no stepping tier lies between.
    package let edgeRound: UInt32

    package init(round: UInt32, edgeRound: UInt32 = 1) {
        self.round = round
        self.edgeRound = edgeRound
    }

    package var description: String { edgeRound == 1 ? "\(round)" : "\(round).\(edgeRound)" }

    package static func < (left: RoundNumber, right: RoundNumber) -> Bool {
        (left.round, left.edgeRound) < (right.round, right.edgeRound)
    }
}

/// A moment on a node's monotonic (or virtual) clock, in nanoseconds since that clock's origin.
package struct Moment: Hashable, Comparable, Sendable {
    package let nanoseconds: Int64
    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
    package static func < (left: Moment, right: Moment) -> Bool { left.nanoseconds < right.nanoseconds }
    /// Seconds since the clock's origin.
    package var seconds: Double { Double(nanoseconds) / 1e9 }
    package static func + (moment: Moment, duration: Duration) -> Moment {
        Moment(nanoseconds: moment.nanoseconds + duration.nanoseconds)
    }
    package static func - (later: Moment, earlier: Moment) -> Duration {
        .nanoseconds(later.nanoseconds - earlier.nanoseconds)
    }
}

extension Duration {
    /// The whole nanoseconds of the duration (exact below 292 years).
    package var nanoseconds: Int64 {
        components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
    }
    /// The whole milliseconds of the duration, rounded down.
    package var milliseconds: Int64 { nanoseconds / 1_000_000 }
    /// The duration in seconds.
    package var seconds: Double { Double(nanoseconds) / 1e9 }
}
