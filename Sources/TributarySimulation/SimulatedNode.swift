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
    /// Whether the connection to the parent was ever made.
    var isConnected = false
    /// What is wrong with the node's clock.
    var skews: [ClockSkew] = [] { didSet { isClockTrue = skews.isEmpty } }
    private var isClockTrue = true
    /// When the machine wants to hear that time has passed, as it said last, on its own clock.
    var nextAlarm: Moment?
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
        if isClockTrue { return moment }
        return skews.reduce(moment) { shown, skew in
            shown + skew.offset + .nanoseconds(Int64(Double((moment - skew.begin).nanoseconds) * skew.rate * 1e-6))
        }
    }

    /// When the node's clock will show a moment, or a nanosecond later.
    func trueTime(of shown: Moment) -> Moment {
        if isClockTrue { return shown }
        // Clock = pace x time + ahead.
        let pace = skews.reduce(1) { $0 + $1.rate * 1e-6 }
        let ahead = skews.reduce(0.0) {
            $0 + Double($1.offset.nanoseconds) - Double($1.begin.nanoseconds) * $1.rate * 1e-6
        }
        var moment = Moment(nanoseconds: Int64(((Double(shown.nanoseconds) - ahead) / pace).rounded(.up)))
        while clock(at: moment) < shown { moment = moment + .nanoseconds(1) }
        return moment
    }
}
