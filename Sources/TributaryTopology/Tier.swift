// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// A depth of the tree and the policy that its nodes share.
package struct Tier: Hashable, Sendable {
    /// Letters a-z, digits and `-`; also the name of a single root, and the stem of counted nodes' names.
    package var name: String
    package var fanOut: FanOut
    package var rule: AggregationRule
    /// The step at the nodes of the tier; `nil` in inner tiers passes sums through; at the root it means FedAvg.
    package var optimizer: ServerOptimizer?
    /// The share of the clients chosen below a node that must report, in (0, 1].
    package var quorum: Double
    /// The root's deadline for a round; inner deadlines are derived from it, and `nil` here.
    package var deadline: Duration?
    /// Rounds that a node of the tier runs with its members inside one round of its parent, at least 1.
    package var edgeRounds: UInt32
    /// Rounds that a node of the tier opens on its own while its parent is gone; what they collect is dropped when the
    /// parent returns.
    package var islandRounds: UInt32
    /// Who of the devices takes part; in the last tier only.
    package var cohort: Selection
    /// How the devices train; in the last tier only.
    package var training: Training
    /// How the tier's nodes encode what they send to their parents; `nil` is the tier's natural one.
    package var uplink: UplinkEncoding?
    /// Where the tier's first node accepts children; node `k` of the tier listens `k` ports higher.
    package var listen: Endpoint?
    /// Where children reach the tier's first node when that differs from `listen`; ports count up as in `listen`.
    package var advertise: Endpoint?
    /// Where the tier's first node takes join requests; ports count up as in `listen`.
    ///
    /// `nil` where nobody can join.
    package var join: Endpoint?
    /// Whether updates must be signed; at the root only, for the whole tree.
    package var signatures: SignatureRule
    /// Whom its nodes turn to when their parent is gone; `nil` is nobody.
    package var failover: Failover?

    /// The quorum where a file gives none: half of the chosen clients, so that a round survives losses but a minority
    /// never speaks for all.
    package static let quorumDefault = 0.5
    /// The root's deadline where a file gives none.
    package static let deadlineDefault = Duration.seconds(60)

    package init(
        name: String, fanOut: FanOut, rule: AggregationRule = .mean, optimizer: ServerOptimizer? = nil,
        quorum: Double = Tier.quorumDefault, deadline: Duration? = nil, edgeRounds: UInt32 = 1,
        cohort: Selection = .all, training: Training = Training(), uplink: UplinkEncoding? = nil,
        listen: Endpoint? = nil, advertise: Endpoint? = nil, join: Endpoint? = nil,
        signatures: SignatureRule = .checked, islandRounds: UInt32 = 0, failover: Failover? = nil
    ) {
        self.name = name
        self.fanOut = fanOut
        self.rule = rule
        self.optimizer = optimizer
        self.quorum = quorum
        self.deadline = deadline
        self.edgeRounds = edgeRounds
        self.islandRounds = islandRounds
        self.cohort = cohort
        self.training = training
        self.uplink = uplink
        self.listen = listen
        self.advertise = advertise
        self.join = join
        self.signatures = signatures
        self.failover = failover
    }
}

/// What is demanded of the signatures of updates.
package enum SignatureRule: String, Hashable, Sendable, CaseIterable {
    /// Where a signing key is on file, its updates must be signed with it.
    case checked
    /// Everybody signs, and every sum shows the signatures of what it adds up.
    case required
}

/// Whom a node turns to when its parent is gone.
package enum Failover: Hashable, Sendable {
    /// Every other node of the tier above, each child beginning with another one, so that they spread.
    case any
    /// These nodes of the tier above, in this order; nobody when there are none.
    case nodes([String])
}

/// How many nodes a tier has and what they are called.
package enum FanOut: Hashable, Sendable {
    /// One node, named as its tier: a root.
    case one
    /// Nodes by name, spread evenly and contiguously over the parents in depth-first order.
    case names([String])
    /// So many nodes, named tier-0, tier-1 ..., spread evenly and contiguously over the parents.
    case count(UInt64)
    /// So many nodes below each parent, named tier-0, tier-1 ... in depth-first order.
    case perParent(UInt64)
}

/// The mathematics that turns a tier's updates into one.
package enum AggregationRule: String, Hashable, Sendable, CaseIterable {
    /// The mean, weighted by the number of examples.
    case mean
}

/// How a node encodes what it sends to its parent.
package enum UplinkEncoding: String, Hashable, Sendable, CaseIterable {
    /// Dense float32 deltas: devices, and the single voice of a stepping aggregator.
    case float32
    /// Ring sums, exactly: pass-through aggregators.
    case exact
}

/// How devices train, and the bounds within which their deltas enter the ring.
package struct Training: Hashable, Sendable {
    /// What a device does with a delta beyond the bound.
    package enum OnExcess: String, Hashable, Sendable, CaseIterable {
        /// Scales the whole group onto the bound and counts it.
        case scale
        /// Sends nothing and says so.
        case refuse
    }

    package var settings: TrainSettings
    /// The largest magnitude of a delta's value, positive.
    package var deltaBound: Float
    /// The largest number of examples that one device counts for, at least 1.
    package var weightMax: UInt64
    package var onExcess: OnExcess

    /// The settings where a file gives none: one local epoch of SGD with learning rate 0.05 in batches of 32.
    package static let settingsDefault = TrainSettings(
        work: .epochs(1), batch: 32, optimizer: .sgd(learningRate: 0.05, momentum: 0))
    /// The bound where a file gives none: far beyond what a round of sane training moves a parameter.
    package static let deltaBoundDefault: Float = 8
    /// The weight bound where a file gives none: a million examples on one device.
    package static let weightMaxDefault: UInt64 = 1 << 20

    /// Devices do not train: each sends a seeded pseudo-delta, for studies of the protocol and of capacity.
    package static let none = Training(settings: .noTraining)

    package init(
        settings: TrainSettings = Training.settingsDefault, deltaBound: Float = Training.deltaBoundDefault,
        weightMax: UInt64 = Training.weightMaxDefault, onExcess: OnExcess = .scale
    ) {
        self.settings = settings
        self.deltaBound = deltaBound
        self.weightMax = weightMax
        self.onExcess = onExcess
    }
}

/// What one node does differently from its tier; `nil` keeps the tier's.
package struct NodeOverride: Hashable, Sendable {
    /// Another parent in the tier above; a device keeps its client index.
    package var parent: String?
    package var listen: Endpoint?
    package var advertise: Endpoint?
    package var join: Endpoint?
    /// How many children the node has in place of the next tier's `per-parent`.
    package var children: UInt64?
    package var quorum: Double?
    /// Whom the node turns to when its parent is gone.
    package var failover: Failover?

    package init(
        parent: String? = nil, listen: Endpoint? = nil, advertise: Endpoint? = nil, join: Endpoint? = nil,
        children: UInt64? = nil, quorum: Double? = nil, failover: Failover? = nil
    ) {
        self.parent = parent
        self.listen = listen
        self.advertise = advertise
        self.join = join
        self.children = children
        self.quorum = quorum
        self.failover = failover
    }
}
