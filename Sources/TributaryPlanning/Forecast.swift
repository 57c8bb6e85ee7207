// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryRing
package import TributaryTopology

/// What a topology will do, tier by tier, as far as the file alone tells.
package struct Forecast: Hashable, Sendable {
    /// What the nodes of a tier do with what they receive.
    package enum Mode: String, Hashable, Sendable {
        /// Steps the federation's model.
        case root
        /// Adds ring integers only.
        case passThrough = "pass-through"
        /// Steps a model of its own and sends one voice.
        case stepping
        /// Trains.
        case devices
    }

    /// One tier.
    package struct Tier: Hashable, Sendable {
        package let name: String
        package let mode: Mode
        package let nodeCount: UInt64
        /// The fewest and the most clients below one node; 1 for devices.
        package let clientCounts: ClosedRange<UInt64>
        /// How long a round (or edge round) of the tier's nodes stays open; for devices, what they have at most.
        package let timeOpen: Duration
        /// The smallest exponent of the rings of the plans that the tier issues; `nil` for tiers that issue none.
        package let ringExponent: Int?
        /// How often a node of the tier is asked in one round of the root: the product of the edge rounds above.
        package let plansPerRound: UInt64
        /// How many of its nodes take part in a round on average.
        package let nodesExpected: Double
        /// Bytes to the tier's nodes in one round of the root on average: models, dense float32; `nil` when the
        /// model's size depends on the data, 0 at the root.
        package let bytesDown: Double?
        /// Bytes from the tier's nodes in one round of the root on average, at most: float32 deltas, or ring sums of
        /// 8 bytes a value.
        package let bytesUp: Double?
    }

    /// Root first.
    package let tiers: [Tier]
    /// The number of the model's parameters; `nil` when it depends on the data.
    package let parameterCount: Int?

    /// Works a tree out.
    ///
    /// - Parameters:
    ///   - tree: the topology, resolved.
    ///   - parameterCount: the model's size where the caller knows the data; otherwise what the file tells.
    package init(_ tree: Tree, parameterCount: Int? = nil) {
        let topology = tree.topology
        let parameterCount = parameterCount ?? CrossCheck.parameterCount(of: topology)
        let times = topology.timesOpen
        var plans: UInt64 = 1
        var tiers: [Tier] = []
        for index in topology.tiers.indices {
            let isDevices = index == topology.tiers.count - 1
            let nodes = tree.aggregators(inTier: index)
            let counts = isDevices ? [1] : nodes.map { tree.aggregators[$0].clients.count }
            let expected =
                isDevices
                ? topology.cohortExpected(among: tree.deviceCount)
                : index == 0 ? 1 : counts.reduce(0) { $0 + Self.chanceOfAny(among: $1, topology) }
            let mode: Mode =
                isDevices ? .devices : index == 0 ? .root : topology.isStepping(tier: index) ? .stepping : .passThrough
            let traffic = parameterCount.map { Double($0) * expected * Double(plans) }
            let perValueUp: Double = mode == .passThrough ? 8 : 4
            tiers.append(
                Tier(
                    name: topology.tiers[index].name, mode: mode, nodeCount: tree.count(ofTier: index),
                    clientCounts: (counts.min() ?? 0)...(counts.max() ?? 0),
                    timeOpen: times[min(index, times.count - 1)],
                    ringExponent: nodes.compactMap { tree.aggregators[$0].ring?.exponent }.min(),
                    plansPerRound: plans, nodesExpected: expected,
                    bytesDown: index == 0 ? 0 : traffic.map { $0 * 4 },
                    bytesUp: index == 0 ? 0 : traffic.map { $0 * perValueUp }))
            plans = plans.multipliedReportingOverflow(by: UInt64(topology.tiers[index].edgeRounds)).partialValue
        }
        self.tiers = tiers
        self.parameterCount = parameterCount
    }

    /// The chance that a round chooses any of `clientCount` clients, for choices that are independent.
    private static func chanceOfAny(among clientCount: UInt64, _ topology: Topology) -> Double {
        guard case .fraction(let fraction, let overSelect) = topology.selection else { return 1 }
        let missing = 1 - min(1, fraction * overSelect)
        var chance = 1.0
        var base = missing
        var exponent = clientCount
        while exponent > 0 {
            if exponent & 1 == 1 { chance *= base }
            base *= base
            exponent >>= 1
        }
        return 1 - chance
    }
}
