// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryProtocol
import TributaryTopology

/// An aggregator in virtual time: its machine, its vectors, and its link to the parent.
final class SimulatedNode {
    let position: Int
    let name: NodeName
    /// The position of the node's tier; its children's traffic is counted to the next one.
    let tier: Int
    let tierName: String
    /// `nil` at the root.
    let parent: SimulatedNode?
    /// Bytes of one chunk on the links below.
    let chunkByteCount: Int
    var machine: AggregatorMachine
    var bench: NodeBench
    var link: SimulatedLink
    var children: [NodeName: SimulatedNode] = [:]
    /// The devices that have a part in a round now.
    var sessions: [NodeName: DeviceSession] = [:]
    var isAlive = true
    /// How often the node was started; each start of the root is a run of its own.
    var starts = 0
    /// Whether the connection to the parent was ever made.
    var isConnected = false
    /// How far the node's clock is ahead, and how much faster it runs, in parts per million.
    var clockOffset = Duration.zero
    var clockRate = 0.0
    /// The next alarm that is scheduled, in true time.
    var alarm: (moment: Moment, ticket: EventQueue<SimulationEvent>.Ticket)?
    /// Objects on their way from the parent: asked for again when the link comes back.
    var wanted: [Digest: (object: ObjectReference, run: RunID)] = [:]

    init(
        position: Int, tree: Tree, parent: SimulatedNode?, machine: AggregatorMachine, bench: NodeBench,
        link: SimulatedLink
    ) {
        let node = tree.aggregators[position]
        self.position = position
        name = node.name
        tier = node.tier
        tierName = tree.topology.tiers[node.tier].name
        chunkByteCount =
            node.children.isEmpty ? Limits.deviceChunkByteCount : Limits.aggregatorChunkByteCount
        self.parent = parent
        self.machine = machine
        self.bench = bench
        self.link = link
    }

    /// What the node's clock shows at a moment.
    func clock(at moment: Moment) -> Moment {
        clockRate == 0 ? moment + clockOffset : moment + clockOffset + .nanoseconds(Int64(drift(moment)))
    }

    /// When the node's clock will show a moment.
    func trueTime(of shown: Moment) -> Moment {
        guard clockRate != 0 else { return shown + (.zero - clockOffset) }
        let nanoseconds = Double((shown + (.zero - clockOffset)).nanoseconds) / (1 + clockRate * 1e-6)
        return Moment(nanoseconds: Int64(nanoseconds.rounded(.up)) + 1)
    }

    private func drift(_ moment: Moment) -> Double { Double(moment.nanoseconds) * clockRate * 1e-6 }
}
