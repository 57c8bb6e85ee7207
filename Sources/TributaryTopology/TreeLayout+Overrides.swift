// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

extension TreeLayout {
    /// Applies the moves of `nodes:` and checks that each entry names a node to which it can apply.
    mutating func applyOverrides(_ issues: inout [TopologyIssue]) {
        for (name, override) in topology.nodes.sorted(by: { $0.key < $1.key }) {
            let path = "nodes.\(name)"
            if let position = positions[NodeName(name)] {
                applyOverride(override, toAggregator: position, path, &issues)
            } else if let device = topology.deviceIndex(named: name, deviceCount: deviceCount) {
                applyOverride(override, toDevice: device, path, &issues)
            } else {
                issues.append(
                    TopologyIssue(
                        .unknownNode, at: path, "there is no node '\(name)' in any tier",
                        suggestion: suggestion(for: name)))
            }
        }
        checkCycles(&issues)
    }

    private mutating func applyOverride(
        _ override: NodeOverride, toAggregator position: Int, _ path: String, _ issues: inout [TopologyIssue]
    ) {
        let node = aggregators[position]
        if override.children != nil {
            guard case .perParent = topology.tiers[node.tier + 1].fanOut else {
                issues.append(
                    TopologyIssue(
                        .misplaced, at: "\(path).children",
                        "only a tier with 'per-parent' lets a parent choose its children; "
                            + "tier '\(topology.tiers[node.tier + 1].name)' has a fixed number of nodes"))
                return
            }
        }
        guard let parent = override.parent else { return }
        guard node.tier > 0 else {
            issues.append(
                TopologyIssue(.parent, at: "\(path).parent", "'\(node.name)' is the root, which has no parent"))
            return
        }
        if let parent = checkedParent(parent, ofTier: node.tier, "\(path).parent", &issues) {
            aggregators[position].parent = parent
        }
    }

    private mutating func applyOverride(
        _ override: NodeOverride, toDevice device: UInt64, _ path: String, _ issues: inout [TopologyIssue]
    ) {
        let given = [
            ("listen", override.listen != nil), ("advertise", override.advertise != nil),
            ("join", override.join != nil),
            ("children", override.children != nil), ("quorum", override.quorum != nil),
        ]
        for (key, isGiven) in given where isGiven {
            issues.append(
                TopologyIssue(
                    .misplaced, at: "\(path).\(key)",
                    "a device has no '\(key)'; only 'parent' and 'failover' can differ for it"))
        }
        guard let parent = override.parent else { return }
        let tier = topology.tiers.count - 1
        if let parent = checkedParent(parent, ofTier: tier, "\(path).parent", &issues) {
            movedDevices[device] = parent
        }
    }

    /// The position of a parent that stands in the tier right above; reports why it cannot be one otherwise.
    func checkedParent(
        _ name: String, ofTier tier: Int, _ path: String, _ issues: inout [TopologyIssue]
    ) -> Int? {
        let above = topology.tiers[tier - 1].name
        guard let position = positions[NodeName(name)] else {
            let isDevice = topology.deviceIndex(named: name, deviceCount: deviceCount) != nil
            let text =
                isDevice
                ? "'\(name)' is a device and has no children; name a node of tier '\(above)'"
                : "there is no node '\(name)'; name a node of tier '\(above)'"
            let suggestion = isDevice ? nil : suggestion(for: name, inTier: tier - 1)
            issues.append(TopologyIssue(.parent, at: path, text, suggestion: suggestion))
            return nil
        }
        guard aggregators[position].tier != tier - 1 else { return position }
        issues.append(
            TopologyIssue(
                cyclic(name, path) ? .cycle : .parent, at: path,
                "'\(name)' stands in tier '\(topology.tiers[aggregators[position].tier].name)', "
                    + "a parent here must be a node of tier '\(above)'"))
        return nil
    }

    /// Whether a chain of wished parents, followed from `name`, comes back to the node whose `parent` is at `path`.
    private func cyclic(_ name: String, _ path: String) -> Bool {
        var visited: Set<String> = []
        var next: String? = name
        while let current = next, visited.insert(current).inserted {
            if path == "nodes.\(current).parent" { return true }
            next = topology.nodes[current]?.parent
        }
        return false
    }

    /// Says which parents lead back to themselves, beside the errors that each link of such a chain has.
    private func checkCycles(_ issues: inout [TopologyIssue]) {
        for index in issues.indices where issues[index].code == .cycle {
            issues[index].message += "; following the parents from here leads back here"
        }
    }

    /// A node's name that is close to one that does not exist.
    func suggestion(for name: String, inTier tier: Int? = nil) -> String? {
        let candidates = aggregators.lazy.filter { tier == nil || $0.tier == tier }.prefix(10_000).map(\.name.value)
        var names = Array(candidates)
        if tier == nil, case .names(let devices)? = topology.tiers.last?.fanOut {
            names += devices.prefix(10_000)
        }
        return Spelling.closest(to: name, among: names)
    }
}
