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
        /// How many of its nodes contribute to a round on average.
        package let nodesExpected: Double
        /// Bytes of all frames to the tier's nodes in one round of the root on average; `nil` when the model's size
        /// depends on the data, 0 at the root.
        package let bytesDown: Double?
        /// Bytes of all frames from the tier's nodes in one round of the root on average.
        ///
        /// Sums are estimated (`SumSize`); over-selected devices count with their whole update.
        package let bytesUp: Double?
    }

    /// Root first.
    package let tiers: [Tier]
    /// The number of the model's parameters; `nil` when it depends on the data.
    package let parameterCount: Int?

    /// Works a tree out.
    ///
    /// Every aggregator hears of every plan, whether or not anybody below it is chosen.
    ///
    /// - Parameters:
    ///   - tree: the topology, resolved.
    ///   - workload: what the data says, where the caller knows it; otherwise what the file tells.
    package init(_ tree: Tree, workload: Workload? = nil) {
        let workload = workload ?? Workload(tree.topology, deviceCount: tree.deviceCount)
        self.init(tree, workload, NodeClasses(tree, workload: workload, availability: 1))
    }

    init(_ tree: Tree, _ workload: Workload?, _ classes: NodeClasses) {
        let topology = tree.topology
        let times = topology.timesOpen
        var plans: UInt64 = 1
        var tiers: [Tier] = []
        for index in topology.tiers.indices {
            let isDevices = index == topology.tiers.count - 1
            let nodes = tree.aggregators(inTier: index)
            let counts = isDevices ? [1] : nodes.map { tree.aggregators[$0].clients.count }
            let mode: Mode =
                isDevices ? .devices : index == 0 ? .root : topology.isStepping(tier: index) ? .stepping : .passThrough
            let traffic = isDevices ? Traffic(ofDevices: classes) : Traffic(classes.inTier(index))
            tiers.append(
                Tier(
                    name: topology.tiers[index].name, mode: mode, nodeCount: tree.count(ofTier: index),
                    clientCounts: (counts.min() ?? 0)...(counts.max() ?? 0),
                    timeOpen: times[min(index, times.count - 1)],
                    ringExponent: nodes.compactMap { tree.aggregators[$0].ring?.exponent }.min(),
                    plansPerRound: plans, nodesExpected: index == 0 ? 1 : traffic.nodesExpected,
                    bytesDown: index == 0 ? 0 : traffic.down.map { $0 * Double(plans) },
                    bytesUp: index == 0 ? 0 : traffic.up.map { $0 * Double(plans) }))
            plans = plans.multipliedReportingOverflow(by: UInt64(topology.tiers[index].edgeRounds)).partialValue
        }
        self.tiers = tiers
        parameterCount = workload?.parameterCount
    }

    /// What a tier's nodes and their parents say about one plan, all together.
    private struct Traffic {
        var nodesExpected = 0.0
        var down: Double?
        var up: Double?

        init(_ classes: [NodeClasses.Class]) {
            for one in classes {
                nodesExpected += one.chance * Double(one.count)
                guard let dialogue = one.dialogue else { continue }
                down = (down ?? 0) + Double(one.count) * dialogue.bytesDown
                up = (up ?? 0) + Double(one.count) * one.chance * dialogue.bytesUp
            }
        }

        init(ofDevices classes: NodeClasses) {
            for parent in classes.all where parent.children.isEmpty {
                nodesExpected += parent.chosen * Double(parent.count)
                guard let dialogue = parent.deviceDialogue else { continue }
                down = (down ?? 0) + Double(parent.count) * parent.chosen * dialogue.bytesDown
                up = (up ?? 0) + Double(parent.count) * parent.chosen * dialogue.bytesUp
            }
        }
    }
}
