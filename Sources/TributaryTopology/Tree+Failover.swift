// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

// Whom a node turns to when its parent is gone, and who turns to a node.

extension Tree {
    /// The parents that a node turns to at most: one after the other they take a minute when none answers.
    package static let fallbackCountMax = 8

    /// The nodes of the tier above that an aggregator turns to, as positions, in their order.
    package func fallbacks(ofAggregator position: Int) -> [Int] {
        let node = aggregators[position]
        guard let parent = node.parent else { return [] }
        return fallbacks(
            failover(ofNode: node.name.value, inTier: node.tier), below: parent, number: UInt64(node.positionInTier))
    }

    /// The aggregators that a device turns to, as positions, in their order; nobody for one that does not exist.
    package func fallbacks(of client: ClientIndex) -> [Int] {
        guard let parent = parent(of: client) else { return [] }
        let tier = topology.tiers.count - 1
        // Most files say nothing of single devices, whose names then need not be made.
        let name = topology.nodes.isEmpty ? "" : deviceName(client).value
        return fallbacks(failover(ofNode: name, inTier: tier), below: parent, number: client.value)
    }

    private func failover(ofNode name: String, inTier tier: Int) -> Failover? {
        topology.nodes[name]?.failover ?? topology.tiers[tier].failover
    }

    private func fallbacks(_ failover: Failover?, below parent: Int, number: UInt64) -> [Int] {
        switch failover {
        case nil: return []
        case .nodes(let names)?:
            return names.compactMap { positions[NodeName($0)] }.filter { $0 != parent }.prefix(Self.fallbackCountMax)
                .map { $0 }
        case .any?:
            let tier = aggregators(inTier: aggregators[parent].tier)
            let others = tier.count - 1
            guard others > 0 else { return [] }
            let first = Int(number % UInt64(others))
            return (0..<min(others, Self.fallbackCountMax)).map { step in
                let place = tier.lowerBound + (first + step) % others
                return place < parent ? place : place + 1
            }
        }
    }

    /// The children of other nodes that turn to an aggregator; O(nodes of the tier below) where there may be any.
    package func fallbackChildren(of position: Int) -> (aggregators: [Int], devices: ClientSet) {
        let tier = aggregators[position].tier + 1
        guard topology.tiers[tier].failover != nil || topology.nodes.values.contains(where: { $0.failover != nil })
        else { return ([], ClientSet()) }
        guard tier == topology.tiers.count - 1 else {
            return (aggregators(inTier: tier).filter { fallbacks(ofAggregator: $0).contains(position) }, ClientSet())
        }
        let devices = (0..<deviceCount).lazy.filter { fallbacks(of: ClientIndex($0)).contains(position) }
        return ([], ClientSet(union: devices.map { $0..<($0 + 1) }))
    }
}

extension TreeLayout {
    /// Checks whom tiers and nodes name for the time when a parent is gone.
    func checkFailover(_ issues: inout [TopologyIssue]) {
        for (index, tier) in topology.tiers.enumerated() {
            guard let failover = tier.failover else { continue }
            let path = "tiers[\(index)].failover"
            guard index > 0 else {
                issues.append(TopologyIssue(.misplaced, at: path, "the root has no parent, so it needs no other"))
                continue
            }
            check(failover, ofTier: index, besides: nil, path, &issues)
            if tierRanges[index - 1].count == 1, failover != .nodes([]) {
                let only = topology.tiers[index - 1].name
                issues.append(
                    TopologyIssue(
                        .parent, at: path, "tier '\(only)' above has one node, so there is no other to turn to",
                        severity: .warning))
            }
        }
        for (name, override) in topology.nodes.sorted(by: { $0.key < $1.key }) {
            guard let failover = override.failover, let place = place(of: name) else { continue }
            let path = "nodes.\(name).failover"
            guard place.tier > 0, let parent = place.parent else {
                issues.append(TopologyIssue(.misplaced, at: path, "'\(name)' is the root, which has no parent"))
                continue
            }
            check(failover, ofTier: place.tier, besides: (name, parent), path, &issues)
        }
    }

    /// The tier and the parent of a node that exists.
    private func place(of name: String) -> (tier: Int, parent: Int?)? {
        if let position = positions[NodeName(name)] {
            return (aggregators[position].tier, aggregators[position].parent)
        }
        guard let device = topology.deviceIndex(named: name, deviceCount: deviceCount), let above = tierRanges.last
        else { return nil }
        let first = above.lowerBound + Self.parentOffset(of: device, starts: deviceStarts)
        return (topology.tiers.count - 1, movedDevices[device] ?? first)
    }

    private func check(
        _ failover: Failover, ofTier tier: Int, besides node: (name: String, parent: Int)?, _ path: String,
        _ issues: inout [TopologyIssue]
    ) {
        guard case .nodes(let names) = failover else { return }
        var seen: Set<String> = []
        for (place, name) in names.enumerated() {
            let path = "\(path)[\(place)]"
            if !seen.insert(name).inserted {
                issues.append(TopologyIssue(.duplicateName, at: path, "'\(name)' is listed twice"))
            } else if name == node?.name {
                issues.append(TopologyIssue(.cycle, at: path, "'\(name)' cannot be its own parent"))
            } else if let position = checkedParent(name, ofTier: tier, path, &issues), position == node?.parent {
                issues.append(
                    TopologyIssue(.parent, at: path, "'\(name)' is the parent already; list whom to turn to without it")
                )
            }
        }
        if names.count > Tree.fallbackCountMax {
            issues.append(
                TopologyIssue(
                    .limit, at: path, "at most \(Tree.fallbackCountMax) nodes can be listed; keep the nearest"))
        }
    }
}
