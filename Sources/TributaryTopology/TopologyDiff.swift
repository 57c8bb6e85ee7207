// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// What is different between two topologies: settings key by key, and nodes by name.
///
/// A node is its name: one that has another parent has moved, one that has another name is another node. Devices are
/// told in runs, so that a diff costs what the aggregators and the differences cost, not what the devices do.
package struct TopologyDiff: Hashable, Sendable {
    /// A value of the canonical file that differs.
    package struct Setting: Hashable, Sendable {
        /// Where it stands, tiers by name: `tiers.region.quorum`.
        package let path: String
        /// As it is written in a file; `nil` where there is none.
        package let before: String?
        package let after: String?
    }

    /// A tier that only one of the two has.
    package struct TierChange: Hashable, Sendable {
        package let name: String
        package let nodeCount: UInt64
        package let isAdded: Bool
    }

    /// What happens to a node.
    package enum NodeChange: Hashable, Sendable {
        case added(parent: NodeName?)
        case removed(parent: NodeName?)
        case moved(from: NodeName?, to: NodeName?)
    }

    /// An aggregator that comes, goes or moves.
    package struct AggregatorChange: Hashable, Sendable {
        package let name: NodeName
        /// The node's tier; the new one of a node that has moved between tiers.
        package let tier: String
        package let change: NodeChange
    }

    /// Devices that fare alike, one after the other.
    package struct DeviceChange: Hashable, Sendable {
        package let first: NodeName
        package let last: NodeName
        package let count: UInt64
        package let change: NodeChange
        /// Where the first of them stands now (before, when removed) among the federation's clients.
        package let client: ClientIndex
        /// How far its number has moved, in a list of names that has changed: it then holds another share of the data.
        package let shift: Int64
    }

    /// In the order of the canonical file.
    package let settings: [Setting]
    package let tiers: [TierChange]
    /// In the order of the new tree, then what is gone in the order of the old one.
    package let aggregators: [AggregatorChange]
    package let devices: [DeviceChange]
    /// Whether the number of devices decides who holds which examples, and it changes: then all shares change.
    package let dealsDataAnew: Bool

    /// Compares two resolved topologies.
    package init(from old: Tree, to new: Tree) {
        settings = Self.settings(from: old.topology, to: new.topology)
        tiers = Self.tiers(from: old, to: new)
        aggregators = Self.aggregators(from: old, to: new)
        devices = Self.devices(from: old, to: new)
        let isDealt = new.topology.data.shard == nil && new.topology.data.partition != .naturalID
        dealsDataAnew = isDealt && old.deviceCount != new.deviceCount && !new.topology.training.settings.isNone
    }

    /// Whether both describe the same federation.
    package var isEmpty: Bool { settings.isEmpty && tiers.isEmpty && aggregators.isEmpty && devices.isEmpty }

    /// How many devices fare as `matches` says.
    package func deviceCount(_ matches: (NodeChange) -> Bool) -> UInt64 {
        devices.reduce(0) { matches($1.change) ? $0 + $1.count : $0 }
    }

    private static func tiers(from old: Tree, to new: Tree) -> [TierChange] {
        func missing(_ tree: Tree, in other: Tree, isAdded: Bool) -> [TierChange] {
            let names = Set(other.topology.tiers.map(\.name))
            return tree.topology.tiers.enumerated().filter { !names.contains($1.name) }.map {
                TierChange(name: $1.name, nodeCount: tree.count(ofTier: $0), isAdded: isAdded)
            }
        }
        return missing(new, in: old, isAdded: true) + missing(old, in: new, isAdded: false)
    }

    private static func aggregators(from old: Tree, to new: Tree) -> [AggregatorChange] {
        var changes: [AggregatorChange] = []
        for node in new.aggregators {
            let parent = node.parent.map { new.aggregators[$0].name }
            let tier = new.topology.tiers[node.tier].name
            guard case .aggregator(let position)? = old.node(named: node.name) else {
                changes.append(AggregatorChange(name: node.name, tier: tier, change: .added(parent: parent)))
                continue
            }
            let before = old.aggregators[position].parent.map { old.aggregators[$0].name }
            if before != parent || old.topology.tiers[old.aggregators[position].tier].name != tier {
                changes.append(
                    AggregatorChange(name: node.name, tier: tier, change: .moved(from: before, to: parent)))
            }
        }
        for node in old.aggregators {
            if case .aggregator? = new.node(named: node.name) { continue }
            let parent = node.parent.map { old.aggregators[$0].name }
            changes.append(
                AggregatorChange(
                    name: node.name, tier: old.topology.tiers[node.tier].name, change: .removed(parent: parent)))
        }
        return changes
    }
}
