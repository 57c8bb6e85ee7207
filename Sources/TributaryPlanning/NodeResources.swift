// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// What one node takes. An aggregator: the sum, 8 bytes a parameter, is its only large anonymous memory; models and
// bodies are files, mapped while they are used. A connected child costs less than 64 KiB. Bytes under way are at most a
// window for each transfer at a time, and bounded over all. A body stays on disk until its round is closed. A device:
// the parameters, their gradient and the optimizer's state, and its examples; activations are not counted.

import TributaryCore
import TributaryRing
import TributaryTopology

/// Memory, disk and open files of one node.
package struct NodeResources: Hashable, Sendable {
    /// Anonymous memory in bytes, at most.
    package var memoryByteCount = 0.0
    /// Bytes of files that are mapped while they are used; the kernel may drop them.
    package var mappedByteCount = 0.0
    /// Bytes on disk, at most.
    package var diskByteCount = 0.0
    /// Open files that a process of the node should be allowed.
    package var descriptorCount: UInt64 = 0

    /// What a process of this program takes before it does anything: measured 4 to 5 MB, and room to breathe.
    package static let processByteCount = 16.0 * 1024 * 1024
    /// What one connected child costs at most.
    package static let childByteCount = 64.0 * 1024
    /// What a device with a part in a round costs a simulation, beside its vectors.
    package static let sessionByteCount = 4.0 * 1024

    /// Open files that an aggregator with so many children should be allowed.
    ///
    /// A quarter more than connections, because those that break overlap with new ones, and 256 for sockets, files and
    /// threads; measured: 23, and one a child.
    package static func aggregatorDescriptors(childCount: UInt64) -> UInt64 { 256 + childCount + (childCount + 3) / 4 }
    /// Open files of a process with one device; measured 18.
    package static let deviceDescriptors: UInt64 = 32
    /// Open files of a process that starts and watches nodes: two pipes each.
    package static func supervisorDescriptors(nodeCount: UInt64) -> UInt64 { 16 + 2 * nodeCount }
}

/// Works out what the nodes of a tree take.
struct NodeSizes {
    private let tree: Tree
    private let workload: Workload
    private let classes: NodeClasses
    /// Bytes of a model or a dense delta.
    private let model: Double

    init(_ tree: Tree, _ workload: Workload, _ classes: NodeClasses) {
        self.tree = tree
        self.workload = workload
        self.classes = classes
        model = Double(workload.layout.byteCount)
    }

    /// The largest of each figure over the nodes of a tier.
    func resources(tier: Int) -> NodeResources {
        if tier == tree.topology.tiers.count - 1 { return device }
        return classes.inTier(tier).reduce(NodeResources()) { largest, one in
            let own = aggregator(one)
            return NodeResources(
                memoryByteCount: max(largest.memoryByteCount, own.memoryByteCount),
                mappedByteCount: max(largest.mappedByteCount, own.mappedByteCount),
                diskByteCount: max(largest.diskByteCount, own.diskByteCount),
                descriptorCount: max(largest.descriptorCount, own.descriptorCount))
        }
    }

    private func aggregator(_ one: NodeClasses.Class) -> NodeResources {
        let children = tree.fanIn(one.position)
        let connected = Double(min(children, UInt64(Limits.childCountMax)))
        let transfers = min(connected, Double(Limits.transferCountMax))
        let inFlight = min(transfers * Double(Limits.transferWindowByteCount), Double(Limits.inFlightByteCountMax))
        let isStepping = tree.topology.isStepping(tier: one.tier)
        let state = isStepping ? Self.stateFactor(tree.topology.tiers[one.tier].optimizer) * model : 0
        // The base, the next model, and the last one until nobody needs it; a voice or a sum of its own.
        let models = 3 * model + (one.tier > 0 ? isStepping ? model : bodyMax(one) : model)
        return NodeResources(
            memoryByteCount: NodeResources.processByteCount + 8 * Double(workload.parameterCount) + inFlight
                + connected * NodeResources.childByteCount,
            mappedByteCount: 2 * model + state,
            diskByteCount: models + state + spool(one),
            descriptorCount: NodeResources.aggregatorDescriptors(childCount: UInt64(connected)))
    }

    /// Bodies of children's answers, kept until the round is closed.
    private func spool(_ one: NodeClasses.Class) -> Double {
        one.children.reduce(one.children.isEmpty ? one.chosen * model : 0) { sum, child in
            let isVoice = tree.topology.isStepping(tier: classes.all[child.key].tier)
            return sum + Double(child.value) * (isVoice ? model : bodyMax(classes.all[child.key]))
        }
    }

    /// The most bytes of a node's sum and its names.
    private func bodyMax(_ one: NodeClasses.Class) -> Double {
        Double(SumSize.byteCountMax(parameterCount: workload.parameterCount))
            + one.reporting * Double(ContributionName.byteCount)
    }

    private var device: NodeResources {
        let optimizer: Double =
            switch tree.topology.training.settings.optimizer {
            case .sgd(_, let momentum): momentum == 0 ? 0 : 1
            case .adam: 2
            }
        let trains = tree.topology.training.settings.work != .none
        let examples = Double(workload.exampleCounts.last?.count ?? 0) * Double(workload.featureCount + 1) * 4
        return NodeResources(
            memoryByteCount: NodeResources.processByteCount + model + (trains ? (1 + optimizer) * model + examples : 0),
            mappedByteCount: model, diskByteCount: 2 * model, descriptorCount: NodeResources.deviceDescriptors)
    }

    /// Vectors of state that an optimizer keeps, in models.
    private static func stateFactor(_ optimizer: ServerOptimizer?) -> Double {
        switch optimizer {
        case .fedAvg, nil: 0
        case .fedAvgM, .fedAdagrad: 1
        case .fedAdam, .fedYogi: 2
        }
    }

    /// How far sums may exceed what is expected, for one plan of a tier.
    func sumSlack(tier: Int) -> Double {
        classes.inTier(tier).reduce(0) { sum, one in
            let expected = one.dialogue?.steps.last?.byteCount ?? 0
            let most = Double(SumSize.byteCountMax(parameterCount: workload.parameterCount))
            return sum + Double(one.count) * one.chance * max(0, most - expected)
        }
    }

    /// A simulation: a sum and a body for each aggregator, models for each that steps, every chosen device's delta.
    func simulation(chosen: Double) -> Double {
        let aggregators = classes.all.reduce(0) { sum, one in
            let isStepping = tree.topology.isStepping(tier: one.tier)
            return sum + Double(one.count) * (16 * Double(workload.parameterCount) + (isStepping ? 3 * model : 0))
        }
        return NodeResources.processByteCount + aggregators + chosen * (model + NodeResources.sessionByteCount)
    }
}
