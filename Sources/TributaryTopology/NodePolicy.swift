// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
package import TributaryRing

/// Everything that an aggregator's machine needs to know from the topology.
package struct AggregatorPolicy: Hashable, Sendable {
    /// An aggregator below.
    package struct Child: Hashable, Sendable {
        package let name: NodeName
        /// How many clients the topology puts below it.
        package let clientCount: UInt64
    }

    package let name: NodeName
    /// The position of the node's tier, 0 for the root, and its name.
    package let tier: Int
    package let tierName: String
    /// `nil` for the root.
    package let parent: NodeName?
    /// Whether the node steps a model of its own (the root does) or passes ring sums through.
    package let isStepping: Bool
    package let rule: AggregationRule
    /// The node's step; `nil` exactly where it passes sums through.
    package let optimizer: ServerOptimizer?
    /// Rounds with its members inside one round of its parent; 1 at the root and in pass-through tiers.
    package let edgeRounds: UInt32
    /// Rounds that the node opens on its own while its parent is gone.
    package let islandRounds: UInt32
    /// The share of the clients chosen below that must report, in (0, 1].
    package let quorum: Double
    package let deadline: DeadlineRule
    /// Aggregators directly below, in the topology's order.
    package let children: [Child]
    /// Devices directly below.
    package let devices: ClientSet
    /// All the clients below.
    package let clients: ClientSet
    /// The ring of the plans that the node issues itself, the same for every group; `nil` in pass-through tiers, which
    /// hand their parent's down.
    package let ring: RingParameters?
    /// Who of the clients takes part in a round.
    package let selection: Selection
    /// How the clients train, and their bounds.
    package let training: Training
    /// What the node sends to its parent.
    package let uplink: UplinkEncoding

    package var isRoot: Bool { parent == nil }
    /// How many clients the topology puts below the node.
    package var clientCount: UInt64 { clients.count }
}

/// Everything that a device's machine needs to know from the topology; the rest comes with each plan.
package struct ClientPolicy: Hashable, Sendable {
    package let name: NodeName
    package let client: ClientIndex
    package let parent: NodeName
    /// The bounds of the device's deltas (`deltaBound`, `weightMax`, `onExcess`) and its training.
    package let training: Training
    package let uplink: UplinkEncoding
    /// The share of its examples that the device keeps for evaluation, in [0, 1).
    package let holdOut: Double
}

/// When a node closes a round: the root at the file's deadline, every other node within its share of what is left.
///
/// An inner node that receives a plan with `timeLeft` closes after nine tenths of it, so that its sum has the last
/// tenth to travel; a node that runs edge rounds divides what is left of that by the edge rounds still to come. The
/// plan that the node hands down says how long its own round stays open.
package enum DeadlineRule: Hashable, Sendable {
    /// The root's own deadline.
    case fixed(Duration)
    /// Nine tenths of the time left in the parent's plan.
    case derived

    /// How long the node's whole part of a round may take.
    ///
    /// - Parameter timeLeft: what the parent's plan says; the root has none.
    /// - Returns: the root's deadline, or the node's share of what is left, never negative.
    package func timeOpen(timeLeft: Duration?) -> Duration {
        switch self {
        case .fixed(let deadline): deadline
        case .derived: max(.zero, (timeLeft ?? .zero) / 10 * 9)
        }
    }

    /// How long the next of the edge rounds may take, when `timeOpen` is left for `edgeRoundsLeft` of them.
    package static func edgeRound(of timeOpen: Duration, edgeRoundsLeft: UInt32) -> Duration {
        max(.zero, timeOpen) / Int(max(1, edgeRoundsLeft))
    }
}

extension Tree {
    /// The policy of the aggregator at a position.
    package func policy(ofAggregator position: Int) -> AggregatorPolicy {
        let node = aggregators[position]
        let tier = topology.tiers[node.tier]
        let isStepping = topology.isStepping(tier: node.tier)
        let optimizer: ServerOptimizer? = isStepping ? tier.optimizer ?? .fedAvg(learningRate: 1) : nil
        return AggregatorPolicy(
            name: node.name, tier: node.tier, tierName: tier.name,
            parent: node.parent.map { aggregators[$0].name }, isStepping: isStepping, rule: tier.rule,
            optimizer: optimizer, edgeRounds: tier.edgeRounds, islandRounds: tier.islandRounds,
            quorum: topology.nodes[node.name.value]?.quorum ?? tier.quorum,
            deadline: node.parent == nil ? .fixed(tier.deadline ?? Tier.deadlineDefault) : .derived,
            children: node.children.map {
                AggregatorPolicy.Child(name: aggregators[$0].name, clientCount: aggregators[$0].clients.count)
            },
            devices: node.devices, clients: node.clients, ring: node.ring, selection: topology.selection,
            training: topology.training, uplink: topology.uplink(ofTier: node.tier))
    }

    /// The policy of a device; `nil` when there is no such device.
    package func policy(of client: ClientIndex) -> ClientPolicy? {
        guard let parent = parent(of: client) else { return nil }
        return ClientPolicy(
            name: deviceName(client), client: client, parent: aggregators[parent].name, training: topology.training,
            uplink: .float32, holdOut: topology.evaluation.onDevices?.holdOut ?? 0)
    }

    /// The ring that sums at an aggregator are in: the one of the plans issued by the nearest stepping node at or
    /// above it.
    package func ringParameters(forSegmentOf position: Int) -> RingParameters? {
        aggregators[segmentHead(of: position)].ring
    }

    /// The nearest stepping aggregator at or above a position; the root at the latest.
    package func segmentHead(of position: Int) -> Int {
        var head = position
        while !isStepping(head), let parent = aggregators[head].parent { head = parent }
        return head
    }
}

extension Topology {
    /// What the nodes of a tier send to their parents.
    package func uplink(ofTier tier: Int) -> UplinkEncoding {
        tier == tiers.count - 1 || isStepping(tier: tier) ? .float32 : .exact
    }
}
