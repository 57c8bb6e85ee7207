// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// A partial sum's identity: which node summed which round, and how often it has revised the sum.
package struct SumKey: Hashable, Sendable {
    package var node: NodeName
    package var number: RoundNumber
    package var revision: UInt32
    package init(node: NodeName, number: RoundNumber, revision: UInt32) {
        self.node = node
        self.number = number
        self.revision = revision
    }
}

/// A 16-byte pseudonym of one contribution to a round, made of the name of the node that sends the update.
///
/// Above a stepping tier it stands for a voice: one contribution with as many contributors as clients spoke in it.
package struct ContributionName: Hashable, Comparable, Sendable {
    /// Bytes of a name, on the wire and in name lists.
    package static let byteCount = 16
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The pseudonym of `node` in a round: a keyed Philox absorption of the name, eight bytes at a time.
    package init(node: NodeName, number: RoundNumber, seed: UInt64) {
        var state: (UInt64, UInt64) = (
            UInt64(number.round) << 32 | UInt64(number.edgeRound), UInt64(node.value.utf8.count)
        )
        var word: UInt64 = 0
        for (position, byte) in node.value.utf8.enumerated() {
            word |= UInt64(byte) << UInt64(8 * (position % 8))
            if position % 8 == 7 || position == node.value.utf8.count - 1 {
                let mixed = Philox.block(
                    counter: (state.0, state.1, word, UInt64(position)),
                    key: (seed, RandomPurpose.contributionName.rawValue))
                state = (mixed.0, mixed.1)
                word = 0
            }
        }
        self.init(high: state.0, low: state.1)
    }

    package static func < (left: ContributionName, right: ContributionName) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

/// What a sum stands for, before its body: names go first, so that two granted sums never share an update.
package struct SumOffer: Hashable, Sendable {
    package var key: SumKey
    /// The sorted names of the contributions, 16 bytes each (big-endian high word, then low word); `nil` when empty.
    package var names: ObjectReference?
    /// Clients chosen below the node in this round.
    package var chosenCount: UInt64
    /// Clients whose work is in the sum: what a quorum counts.
    package var contributorCount: UInt64
    /// Updates in the sum, a name for each: of clients, or of stepping nodes with many contributors.
    package var contributionCount: UInt64
    /// Set when the node closed below its own quorum.
    package var reason: ReasonCode?

    package init(
        key: SumKey, names: ObjectReference?, chosenCount: UInt64, contributorCount: UInt64,
        contributionCount: UInt64, reason: ReasonCode?
    ) {
        self.key = key
        self.names = names
        self.chosenCount = chosenCount
        self.contributorCount = contributorCount
        self.contributionCount = contributionCount
        self.reason = reason
    }
}

/// A granted sum: ring integers and total weights per group, and metric counters.
package struct Sum: Hashable, Sendable {
    /// What a sum says about one group of parameters.
    package struct Group: Hashable, Sendable {
        /// The contributors' total weight, below the ring's `weightTotalMax`.
        package var totalWeight: UInt64
        package var byteCount: UInt64
        package init(totalWeight: UInt64, byteCount: UInt64) {
            self.totalWeight = totalWeight
            self.byteCount = byteCount
        }
    }

    package var key: SumKey
    package var base: Digest
    /// Clients whose work is in the sum.
    package var contributorCount: UInt64
    /// Updates in the sum: what its vectors, weights and rounding are bounded by.
    package var contributionCount: UInt64
    package var groups: [Group]
    package var metrics: [MetricCounter]
    /// The groups' ring integers, encoded as `UpdateEncoding.ring`, one after another; `nil` for `evaluate`.
    package var body: ObjectReference?
    /// The part of the body behind the groups: the contributions with their signatures; 0 where nobody demands them.
    package var attestationByteCount: UInt64

    package init(
        key: SumKey, base: Digest, contributorCount: UInt64, contributionCount: UInt64, groups: [Group],
        metrics: [MetricCounter], body: ObjectReference?, attestationByteCount: UInt64 = 0
    ) {
        self.key = key
        self.base = base
        self.contributorCount = contributorCount
        self.contributionCount = contributionCount
        self.groups = groups
        self.metrics = metrics
        self.body = body
        self.attestationByteCount = attestationByteCount
    }
}
