// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryRing

/// What goes down the tree when a round opens: the base model, what to do with it, and until when.
package struct RoundPlan: Hashable, Sendable {
    /// What a cohort is asked for.
    package enum Kind: Hashable, Sendable {
        /// Train on the local shard and send an update.
        case train(TrainSettings)
        /// Evaluate the model on the local hold-out examples and send metrics only.
        case evaluate
    }

    package var number: RoundNumber
    package var kind: Kind
    /// The base model; a train plan's deltas are relative to it.
    package var model: ModelReference
    /// The groups that an update must carry, in layout order; empty for `evaluate`.
    package var groups: [GroupPlan]
    package var selection: Selection
    /// The time left until the round's deadline, from the moment of sending.
    package var timeLeft: Duration
    /// The run's seed: keys every random choice of the round.
    package var seed: UInt64
    /// Whether the sender steps a model of its own, which answers cannot be taken out of: none goes to another parent.
    package var isStepping: Bool

    package init(
        number: RoundNumber, kind: Kind, model: ModelReference, groups: [GroupPlan], selection: Selection,
        timeLeft: Duration, seed: UInt64, isStepping: Bool = false
    ) {
        self.number = number
        self.kind = kind
        self.model = model
        self.groups = groups
        self.selection = selection
        self.timeLeft = timeLeft
        self.seed = seed
        self.isStepping = isStepping
    }
}

extension RoundPlan {
    /// The smallest bound of its groups' values; 0 without groups.
    package var deltaBound: Float { groups.map(\.ring.deltaBound).min() ?? 0 }
}

/// A model version and the ways to obtain it.
package struct ModelReference: Hashable, Sendable {
    /// One way to obtain the model: an object and how it is encoded.
    package struct Source: Hashable, Sendable {
        /// The object to fetch.
        package var object: ObjectReference
        package var encoding: UpdateEncoding
        package init(object: ObjectReference, encoding: UpdateEncoding) {
            self.object = object
            self.encoding = encoding
        }
    }

    /// The digest of the decoded model, dense little-endian float32: the base that an update names.
    package var digest: Digest
    package var sources: [Source]

    package init(digest: Digest, sources: [Source]) {
        self.digest = digest
        self.sources = sources
    }
}

/// A content-addressed object: its digest and size.
package struct ObjectReference: Hashable, Sendable {
    package var digest: Digest
    package var byteCount: UInt64
    package init(digest: Digest, byteCount: UInt64) {
        self.digest = digest
        self.byteCount = byteCount
    }
}

/// How one group travels and enters the ring in a round.
package struct GroupPlan: Hashable, Sendable {
    /// What a group's sum is divided by.
    package enum Normaliser: UInt8, Hashable, Sendable {
        /// The total weight of the contributors.
        case weight = 1
        /// The number of contributors (each counts once, whatever its weight).
        case count = 2
    }

    package var name: String
    package var parameterCount: UInt64
    package var ring: RingParameters
    package var encoding: UpdateEncoding
    package var normaliser: Normaliser

    package init(
        name: String, parameterCount: UInt64, ring: RingParameters, encoding: UpdateEncoding, normaliser: Normaliser
    ) {
        self.name = name
        self.parameterCount = parameterCount
        self.ring = ring
        self.encoding = encoding
        self.normaliser = normaliser
    }
}

/// How the values of one group are written in an object.
package enum UpdateEncoding: UInt8, Hashable, Sendable, CaseIterable {
    /// Little-endian IEEE 754 single precision, 4 bytes a value.
    case float32 = 1
    /// Ring integers, bit-packed per block of values: what links between pass-through tiers carry.
    case ring = 2
}

/// Which of the clients below a node take part in a round.
package enum Selection: Hashable, Sendable {
    /// A client is chosen when PRF(seed, round, client index) < fraction x overSelect; the round closes at the
    /// chosen count divided by `overSelect`. `fraction` lies in (0, 1], `overSelect` is at least 1.
    case fraction(Double, overSelect: Double)
    /// So many clients below the node that receives the plan: the first that are connected in a pseudo-random order of
    /// its clients, keyed by (seed, round); parents apportion the count.
    case count(UInt64, overSelect: Double)

    /// Everybody.
    package static let all = Selection.fraction(1, overSelect: 1)

    /// How many more clients are asked than are waited for.
    package var overSelect: Double {
        switch self {
        case .fraction(_, let overSelect), .count(_, let overSelect): overSelect
        }
    }
}
