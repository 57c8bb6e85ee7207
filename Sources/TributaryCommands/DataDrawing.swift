// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryPlanning
import TributaryTopology

/// A summary of data as tables, and as a heat map of classes by nodes.
struct DataDrawing {
    /// Nodes drawn at most; the rest are counted.
    static let nodeCountMax = 40
    /// Classes in a table of numbers at most.
    static let classCountMax = 16

    let summary: DataSummary
    let deviceCount: UInt64
    let classNames: [String]

    func text(heatMapWidth: Int?) -> String {
        var text = tiers() + "\n" + matrix()
        if summary.isEstimate {
            let counted = "estimated from \(summary.sampleCount) of \(deviceCount) devices"
            text = counted + "; --sample \(deviceCount) counts all\n\n" + text
        }
        if let heatMapWidth, let map = heatMap(width: heatMapWidth) { text += "\n" + map }
        return text
    }

    private func tiers() -> String {
        let rows = summary.tiers.map { tier in
            [
                tier.name, String(tier.nodeCount), String(tier.examplesPerNode.min),
                String(tier.examplesPerNode.median), String(tier.examplesPerNode.max),
            ]
        }
        return TextTable.text(titles: ["tier", "nodes", "examples: min", "median", "max"], rows: rows)
    }

    private struct Row {
        let name: String
        let devices: String
        let labels: [UInt64]
    }

    private var rows: [Row] {
        summary.nodes.map { Row(name: $0.name.value, devices: String($0.deviceCount), labels: $0.labels) }
            + summary.devices.map { Row(name: $0.name.value, devices: "-", labels: $0.labels) }
    }

    private func matrix() -> String {
        let classes = classNames.prefix(Self.classCountMax)
        let cells = rows.prefix(Self.nodeCountMax).map { row in
            [row.name, row.devices, String(row.labels.reduce(0, +))]
                + row.labels.prefix(classes.count).map { String($0) }
        }
        var text = TextTable.text(
            titles: ["node", "devices", "examples"] + classes.map { "class " + $0 }, rows: cells)
        if rows.count > cells.count { text += "... and \(rows.count - cells.count) more nodes\n" }
        if classNames.count > classes.count { text += "... and \(classNames.count - classes.count) more classes\n" }
        if rows.count > cells.count || classNames.count > classes.count { text += "--format json has them all\n" }
        return text
    }

    /// One line per node, one cell per class: the darker, the larger the class's share of the node's examples; `nil`
    /// where the cells do not fit the width.
    private func heatMap(width: Int) -> String? {
        let shown = rows.prefix(Self.nodeCountMax)
        let nameWidth = shown.map(\.name.count).max() ?? 0
        let cellWidth = nameWidth + 2 + 2 * classNames.count <= width ? 2 : 1
        guard nameWidth + 2 + cellWidth * classNames.count <= width else { return nil }
        let shares = shown.map { row in
            let total = Double(max(1, row.labels.reduce(0, +)))
            return row.labels.map { Double($0) / total }
        }
        let largest = shares.joined().max() ?? 0
        let shades = ["·", "░", "▒", "▓", "█"]
        let lines = zip(shown, shares).map { row, shares in
            let cells = shares.map { share in
                let level = share == 0 || largest == 0 ? 0 : min(4, 1 + Int(share / largest * 4))
                return String(repeating: shades[level], count: cellWidth)
            }
            let padding = String(repeating: " ", count: nameWidth - row.name.count + 2)
            return row.name + padding + cells.joined() + "\n"
        }
        let percent = Int((largest * 100).rounded())
        return "classes by nodes, darkest: \(percent) % of a node's examples\n" + lines.joined()
    }
}
