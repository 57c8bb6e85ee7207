// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
package import TributaryRing

/// A topology resolved: every aggregator with its parent, children and clients.
///
/// Aggregators are held tier by tier, root first, at positions `0..<aggregators.count`. Devices are not held: they are
/// ranges of client indices, so a tree costs what its aggregators cost.
package struct Tree: Hashable, Sendable {
    /// An inner node.
    package struct Aggregator: Hashable, Sendable {
        package let name: NodeName
        /// The position of the node's tier.
        package let tier: Int
        /// The position of the node in its tier, in declared (depth-first) order.
        package let positionInTier: Int
        /// The position of the parent; `nil` for the root.
        package internal(set) var parent: Int?
        /// The positions of child aggregators, ascending; empty in the last tier of aggregators.
        package internal(set) var children: [Int] = []
        /// The devices directly below; empty above the last tier of aggregators.
        package internal(set) var devices = ClientSet()
        /// All the clients below.
        package internal(set) var clients = ClientSet()
        /// The ring of the plans that the node issues itself; `nil` where it passes its parent's plans through.
        package internal(set) var ring: RingParameters?
        /// Where the node accepts children; `nil` when no port is left for it and the file gives none.
        package internal(set) var listen: Endpoint?
        /// Where children reach the node.
        package internal(set) var advertise: Endpoint?
        /// Where the node takes join requests; `nil` when it takes none.
        package internal(set) var join: Endpoint?
    }

    /// A node of either kind.
    package enum Node: Hashable, Sendable {
        /// The aggregator at a position.
        case aggregator(Int)
        case device(ClientIndex)
    }

    package let topology: Topology
    /// Tier by tier, root first.
    package let aggregators: [Aggregator]
    /// The number of devices; their client indices are `0..<deviceCount`.
    package let deviceCount: UInt64

    let positions: [NodeName: Int]
    let tierRanges: [Range<Int>]
    /// Where the devices of each aggregator of the last tier start, before any device is moved.
    let deviceStarts: [UInt64]
    /// The parents of the devices that `nodes:` moves.
    let movedDevices: [UInt64: Int]

    /// Resolves a topology.
    ///
    /// - Throws: all errors that `Topology.issues()` finds.
    package init(_ topology: Topology) throws(TopologyError) {
        var check = TopologyCheck(topology)
        let tree = check.run()
        let errors = check.issues.filter { $0.severity == .error }
        guard errors.isEmpty, let tree else { throw TopologyError(issues: errors) }
        self = tree
    }

    init(
        topology: Topology, aggregators: [Aggregator], deviceCount: UInt64, positions: [NodeName: Int],
        tierRanges: [Range<Int>], deviceStarts: [UInt64], movedDevices: [UInt64: Int]
    ) {
        self.topology = topology
        self.aggregators = aggregators
        self.deviceCount = deviceCount
        self.positions = positions
        self.tierRanges = tierRanges
        self.deviceStarts = deviceStarts
        self.movedDevices = movedDevices
    }

    /// The root's position.
    package static let root = 0

    /// The aggregators of a tier, as positions; empty for the device tier.
    package func aggregators(inTier tier: Int) -> Range<Int> {
        tierRanges.indices.contains(tier) ? tierRanges[tier] : 0..<0
    }

    /// The number of nodes in a tier.
    package func count(ofTier tier: Int) -> UInt64 {
        tier == topology.tiers.count - 1 ? deviceCount : UInt64(aggregators(inTier: tier).count)
    }

    /// The name of a device: `camera-17`, or the one that the file lists.
    package func deviceName(_ client: ClientIndex) -> NodeName {
        guard let tier = topology.tiers.last else { return NodeName(client.description) }
        if case .names(let names) = tier.fanOut, let index = Int(exactly: client.value), index < names.count {
            return NodeName(names[index])
        }
        return NodeName("\(tier.name)-\(client.value)")
    }

    /// The client index behind a device's name; `nil` when there is none; O(1) for counted devices.
    package func client(named name: NodeName) -> ClientIndex? {
        topology.deviceIndex(named: name.value, deviceCount: deviceCount).map { ClientIndex($0) }
    }

    /// The node with a name; `nil` when there is none.
    package func node(named name: NodeName) -> Node? {
        if let position = positions[name] { return .aggregator(position) }
        return client(named: name).map { .device($0) }
    }

    /// The position of the aggregator that a device reports to; `nil` when there is no such device.
    package func parent(of client: ClientIndex) -> Int? {
        guard client.value < deviceCount, let tier = tierRanges.last else { return nil }
        if let moved = movedDevices[client.value] { return moved }
        return tier.lowerBound + TreeLayout.parentOffset(of: client.value, starts: deviceStarts)
    }

    /// Whether an aggregator steps a model of its own and sends one voice upward; the root does.
    package func isStepping(_ position: Int) -> Bool { topology.isStepping(tier: aggregators[position].tier) }
}
