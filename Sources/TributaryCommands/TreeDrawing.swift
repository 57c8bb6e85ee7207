// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryTopology

/// A tree in box characters; devices stand as ranges.
struct TreeDrawing {
    let tree: Tree
    /// Further children of one node are counted, not drawn.
    let childCountMax: Int

    func text() -> String {
        var lines: [String] = []
        draw(Tree.root, prefix: "", childPrefix: "", &lines)
        return lines.joined(separator: "\n") + "\n"
    }

    private func draw(_ position: Int, prefix: String, childPrefix: String, _ lines: inout [String]) {
        lines.append(prefix + label(position))
        let node = tree.aggregators[position]
        let shown = node.children.prefix(childCountMax)
        var leaves = deviceLabels(node.devices)
        if node.children.count > shown.count {
            leaves.append("... and \(node.children.count - shown.count) more (--all draws them)")
        }
        for (offset, child) in shown.enumerated() {
            let isLast = offset == shown.count - 1 && leaves.isEmpty
            draw(
                child, prefix: childPrefix + (isLast ? "└── " : "├── "),
                childPrefix: childPrefix + (isLast ? "    " : "│   "), &lines)
        }
        for (offset, leaf) in leaves.enumerated() {
            lines.append(childPrefix + (offset == leaves.count - 1 ? "└── " : "├── ") + leaf)
        }
    }

    private func label(_ position: Int) -> String {
        let node = tree.aggregators[position]
        let mode = node.parent == nil ? "root" : tree.isStepping(position) ? "stepping" : "pass-through"
        let tier = tree.topology.tiers[node.tier].name
        var parts = [tier == node.name.value ? mode : "\(tier), \(mode)", "\(node.clients.count) clients"]
        if let listen = node.listen { parts.append(listen.description) }
        return "\(node.name) (\(parts.joined(separator: "; ")))"
    }

    private func deviceLabels(_ devices: ClientSet) -> [String] {
        let tier = tree.topology.tiers.last?.name ?? ""
        let ranges = devices.ranges.prefix(childCountMax)
        var labels = ranges.map { range in
            let first = tree.deviceName(ClientIndex(range.lowerBound)).value
            if range.count == 1 { return first }
            let last = tree.deviceName(ClientIndex(range.upperBound - 1)).value
            let isCounted = first == "\(tier)-\(range.lowerBound)"
            let names = isCounted ? "\(tier) \(range.lowerBound)-\(range.upperBound - 1)" : "\(first) ... \(last)"
            return "\(names) (\(range.count))"
        }
        if devices.ranges.count > ranges.count {
            labels.append("... and \(devices.ranges.count - ranges.count) more ranges (--all draws them)")
        }
        return labels
    }
}
