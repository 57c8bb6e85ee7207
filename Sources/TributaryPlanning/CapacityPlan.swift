// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
package import TributaryTopology

/// What a topology costs, before anything runs: bytes, time, memory, disk, descriptors and energy, tier by tier.
///
/// Links, computing and availability are those of the file's `simulate` section. A fleet of any size costs the same to
/// plan: devices are counted by kind, aggregators by likeness.
package struct CapacityPlan: Sendable {
    /// One tier; rows are in the order of the file.
    package struct Tier: Sendable {
        package let name: String
        package let mode: Forecast.Mode
        package let nodeCount: UInt64
        /// How many of its nodes contribute to a round on average.
        package let nodesExpected: Double
        /// The most children of one node; 0 for devices.
        package let fanIn: UInt64
        /// Plans to each node in one round of the root.
        package let plansPerRound: UInt64
        /// Bytes of all frames from parents to the tier's nodes in one round of the root.
        package let bytesDown: Double
        /// Bytes of all frames from the tier's nodes to their parents in one round of the root.
        package let bytesUp: Double
        /// The most that sums can make of `bytesUp`; the same where no sums travel.
        package let bytesUpMax: Double
        /// How long a round (or edge round) of the tier's nodes stays open; for devices, what they have at most.
        package let timeOpen: Duration
        /// One round (or edge round) of the slowest kind of the tier's nodes; for devices, one device.
        package let time: RoundTime.Quantiles
        /// What one node takes, the largest of its tier.
        package let resources: NodeResources
        /// Nodes without any of which alone every round fails.
        package let criticalNodes: CriticalNodes

        /// Bytes to one node that takes part, in one round of the root.
        package var bytesDownPerNode: Double { mode == .root ? 0 : bytesDown / max(1e-9, reached) }
        /// Bytes from one node that takes part, in one round of the root.
        package var bytesUpPerNode: Double { mode == .root ? 0 : bytesUp / max(1e-9, nodesExpected) }
        /// Every aggregator hears of a round, devices only when they are chosen.
        private var reached: Double { mode == .devices ? nodesExpected : Double(nodeCount) }
    }

    /// Nodes whose loss alone costs a round its quorum.
    package struct CriticalNodes: Sendable {
        package var count = 0
        /// The first of them.
        package var names: [NodeName] = []
    }

    /// Joules of one chosen device in one round of the root, on average over the kinds of devices.
    package struct Energy: Hashable, Sendable {
        package var compute = 0.0
        package var transmit = 0.0
        package var receive = 0.0
        package var total: Double { compute + transmit + receive }
    }

    /// Root first.
    package let tiers: [Tier]
    package let parameterCount: Int
    /// Devices that a round asks, and those it waits for, on average.
    package let chosen: Double
    package let reporting: Double
    /// The root's deadline.
    package let deadline: Duration
    /// How long a round takes when no deadline cuts it short.
    package let round: RoundTime.Quantiles
    /// What a round of median length is made of, the largest part first.
    package let parts: [RoundTime.Part]
    package let energy: Energy
    /// Memory of a simulation of the whole, in bytes, at most.
    package let simulationByteCount: Double
    /// Open files that `up` needs to watch over all nodes on one host.
    package let hostDescriptorCount: UInt64
    /// What will go wrong.
    package let warnings: [TopologyIssue]
    /// What the figures rest on.
    package let assumptions: [String]

    /// Works a topology out.
    ///
    /// - Parameters:
    ///   - tree: the topology, resolved.
    ///   - workload: what the data says.
    ///   - descriptorMax: how many files a process may open here (RLIMIT_NOFILE); `nil` is not checked.
    package init(_ tree: Tree, workload: Workload, descriptorMax: UInt64? = nil) {
        let topology = tree.topology
        let kinds = DeviceKind.all(of: topology, workload)
        let availability = kinds.reduce(0) { $0 + $1.share * $1.availability }
        let classes = NodeClasses(tree, workload: workload, availability: availability)
        let time = RoundTime(tree, workload, classes, Choice(tree, availability: availability))
        let forecast = Forecast(tree, workload, classes)
        let sizes = NodeSizes(tree, workload, classes)
        let critical = Self.criticalNodes(tree)
        tiers = forecast.tiers.enumerated().map { index, tier in
            let isDevices = tier.mode == .devices
            let surplus = isDevices ? Self.surplus(classes, time.uploadShare) * Double(tier.plansPerRound) : 0
            let nodes = tree.aggregators(inTier: index)
            let bytesUp = (tier.bytesUp ?? 0) - surplus
            return Tier(
                name: tier.name, mode: tier.mode, nodeCount: tier.nodeCount, nodesExpected: tier.nodesExpected,
                fanIn: nodes.map { tree.fanIn($0) }.max() ?? 0, plansPerRound: tier.plansPerRound,
                bytesDown: tier.bytesDown ?? 0, bytesUp: bytesUp,
                bytesUpMax: tier.mode == .passThrough
                    ? bytesUp + sizes.sumSlack(tier: index) * Double(tier.plansPerRound) : bytesUp,
                timeOpen: tier.timeOpen, time: time.tiers[index], resources: sizes.resources(tier: index),
                criticalNodes: critical[index])
        }
        parameterCount = workload.parameterCount
        let root = classes.all[classes.all.count - 1]
        (chosen, reporting) = (root.chosen, root.reporting)
        deadline = forecast.tiers[0].timeOpen
        round = time.round
        parts = time.parts
        energy = Self.energy(classes, kinds, plans: forecast.tiers.last?.plansPerRound ?? 1, time.uploadShare)
        simulationByteCount = sizes.simulation(chosen: chosen)
        hostDescriptorCount = NodeResources.supervisorDescriptors(
            nodeCount: UInt64(tree.aggregators.count) + tree.deviceCount)
        warnings =
            CapacityCheck(
                tree: tree, tiers: tiers, classes: classes, onTimeShare: time.onTimeShare, availability: availability,
                descriptorMax: descriptorMax
            ).issues
        assumptions = CapacityCheck.assumptions(topology)
    }

    /// Bytes that over-selected devices do not send any more, for one plan.
    private static func surplus(_ classes: NodeClasses, _ uploadShare: Double) -> Double {
        classes.all.reduce(0) { sum, one in
            let body = one.deviceDialogue?.steps.last?.byteCount ?? 0
            return sum + one.chosen * Double(one.count) * body * (1 - uploadShare)
                * (one.children.isEmpty ? 1 : 0)
        }
    }

    private static func energy(
        _ classes: NodeClasses, _ kinds: [DeviceKind], plans: UInt64, _ uploadShare: Double
    ) -> Energy {
        let parents = classes.all.filter { $0.children.isEmpty }
        guard let dialogue = parents.max(by: { $0.chosen < $1.chosen })?.deviceDialogue else { return Energy() }
        let total = kinds.reduce(0) { $0 + $1.share * $1.availability }
        var energy = Energy()
        for kind in kinds where total > 0 {
            let share = kind.share * kind.availability / total * Double(plans)
            let link = LinkTime(dialogue, over: kind.link)
            energy.compute += share * kind.energy.compute.watts * kind.compute.mean(kind.work)
            energy.transmit += share * kind.energy.transmitPower * link.airUp * uploadShare
            energy.receive += share * kind.energy.receivePower * link.airDown
        }
        return energy
    }

    /// By tier: nodes below which so many clients are that the root misses its quorum without them.
    private static func criticalNodes(_ tree: Tree) -> [CriticalNodes] {
        var tiers = [CriticalNodes](repeating: CriticalNodes(), count: tree.topology.tiers.count)
        let root = tree.aggregators[Tree.root]
        let quorum = tree.topology.nodes[root.name.value]?.quorum ?? tree.topology.tiers[0].quorum
        let spare = Double(tree.deviceCount) * (1 - quorum)
        for node in tree.aggregators where node.parent == nil || Double(node.clients.count) > spare {
            tiers[node.tier].count += 1
            if tiers[node.tier].names.count < 8 { tiers[node.tier].names.append(node.name) }
        }
        return tiers
    }

    // MARK: In a sentence

    /// Seconds of all parts of a typical round.
    private var partSeconds: Double { parts.reduce(0) { $0 + $1.seconds } }

    /// The share of a typical round that a part takes, in 0...1.
    package func share(of part: RoundTime.Part) -> Double { partSeconds > 0 ? part.seconds / partSeconds : 0 }

    /// What costs most, in one sentence.
    package var dominant: String {
        guard let part = parts.first, partSeconds > 0 else {
            return "nothing takes time: the links are perfect and the work costs none"
        }
        let percent = Int((share(of: part) * 100).rounded())
        let what =
            switch part.kind {
            case .downlink: "downlink of \(part.tier)"
            case .uplink: "uplink of \(part.tier)"
            case .latency: "latency of the links of \(part.tier)"
            case .jitter: "jitter and losses on the links of \(part.tier)"
            case .training: "training on \(part.tier)"
            }
        return "\(what): \(percent) % of the round"
    }
}

extension Tree {
    /// How many children a node has.
    func fanIn(_ position: Int) -> UInt64 {
        UInt64(aggregators[position].children.count) + aggregators[position].devices.count
    }
}
