// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

/// The tree from the root on the left to the devices on the right; lower tiers are counted when there are too many.
struct TreePicture {
    /// So many nodes are drawn at most.
    static let nodeCountMax = 60

    private struct Place {
        var x: Double
        var y: Double
    }

    private let run: RunRecord
    /// Names of the tiers that are drawn node by node, root first.
    private let drawnTiers: [String]
    private let children: [String: [RunRecord.Node]]

    init(_ run: RunRecord) {
        self.run = run
        var drawn: [String] = []
        var count: UInt64 = 0
        for tier in run.tiers where tier.mode != .devices {
            let named = run.nodes.filter { $0.tier == tier.name }.count
            count += tier.nodeCount
            guard count <= UInt64(Self.nodeCountMax), UInt64(named) == tier.nodeCount else { break }
            drawn.append(tier.name)
        }
        drawnTiers = drawn
        children = Dictionary(grouping: run.nodes.filter { drawn.contains($0.tier) }, by: { $0.parent ?? "" })
    }

    /// Whether the record says enough to draw anything.
    var isEmpty: Bool { run.tiers.isEmpty }

    /// Whether the picture is much higher than a plot.
    var isTall: Bool { run.nodes.filter { drawnTiers.contains($0.tier) && children[$0.name] == nil }.count > 14 }

    func markup(id: String) -> Markup {
        let columns = max(drawnTiers.count + 1, run.tiers.count)
        let columnWidth = max(160, 880 / Double(max(columns, 1)))
        var places: [String: Place] = [:]
        var row = 0
        for root in children[""] ?? [] { place(root, depth: 0, columnWidth, &row, &places) }
        let rowHeight = row > 20 ? Self.denseRowHeight : Self.rowHeight
        for name in places.keys { places[name]?.y *= rowHeight }
        let headHeight = 52.0
        let height = headHeight + Double(max(row, 1)) * rowHeight + 8
        var content = heads(columnWidth)
        for place in places.keys.sorted() { content.append(links(of: place, places, headHeight)) }
        for node in run.nodes {
            guard let place = places[node.name] else { continue }
            content.append(dot(node, place, headHeight, columnWidth))
        }
        return .element(
            "div", ["class": "tree", "style": "--tree-width:\(Int(Double(columns) * columnWidth))px"],
            [
                .picture(
                    id: id, title: "The tree of \(run.federation)", description: description,
                    width: Double(columns) * columnWidth, height: height, content)
            ])
    }

    private static let rowHeight = 26.0
    private static let denseRowHeight = 20.0

    /// Gives a node the middle of its children, and a leaf the next row; heights are in rows.
    @discardableResult
    private func place(
        _ node: RunRecord.Node, depth: Int, _ columnWidth: Double, _ row: inout Int, _ places: inout [String: Place]
    ) -> Double {
        // A foreign record may hold a cycle, or one name twice.
        guard depth < 32, places[node.name] == nil else { return Double(row) }
        places[node.name] = Place(x: 0, y: 0)
        let rows = (children[node.name] ?? []).map { place($0, depth: depth + 1, columnWidth, &row, &places) }
        let y: Double
        if let first = rows.first, let last = rows.last {
            y = (first + last) / 2
        } else {
            y = Double(row)
            row += 1
        }
        places[node.name] = Place(x: Double(depth) * columnWidth + 8, y: y)
        return y
    }

    private func heads(_ columnWidth: Double) -> [Markup] {
        run.tiers.enumerated().flatMap { column, tier -> [Markup] in
            let x = Double(column) * columnWidth
            let count = NumberText.count(tier.nodeCount)
            let mode = tier.mode == .devices ? "" : ", \(tier.mode.rawValue)"
            return [
                Frame.text("tier-name", x, 14, anchor: "start", tier.name),
                Frame.text("tick", x, 31, anchor: "start", "\(count) \(tier.nodeCount == 1 ? "node" : "nodes")\(mode)"),
            ]
        }
    }

    private func links(of name: String, _ places: [String: Place], _ top: Double) -> Markup {
        guard let from = places[name] else { return .empty }
        let paths = (children[name] ?? []).compactMap { child -> Markup? in
            guard let to = places[child.name], to.x > from.x else { return nil }
            let middle = (from.x + to.x) / 2
            let n = Frame.number
            let (start, end) = (from.y + top + 8, to.y + top + 8)
            let d = "M\(n(from.x)) \(n(start))C\(n(middle)) \(n(start)) \(n(middle)) \(n(end)) \(n(to.x)) \(n(end))"
            return .element("path", ["class": "link", "d": d], [])
        }
        return .join(paths)
    }

    private func dot(_ node: RunRecord.Node, _ place: Place, _ top: Double, _ columnWidth: Double) -> Markup {
        let y = place.y + top + 8
        let isLeaf = children[node.name]?.isEmpty ?? true
        let mode = run.tiers.first { $0.name == node.tier }?.mode ?? .passThrough
        let name = "node \(mode == .passThrough ? "passing" : "stepping")"
        var parts = [
            Markup.element(
                "circle", ["class": name, "cx": Frame.number(place.x), "cy": Frame.number(y), "r": "5"],
                [.element("title", text: "\(node.name): \(node.clientCount) clients below")]),
            Frame.text("node-name", place.x + 10, y - (isLeaf ? -4 : 8), anchor: "start", node.name),
        ]
        if isLeaf {
            let end = place.x + columnWidth
            let start = place.x + 18 + Double(node.name.count) * 7.2
            if start < end - 14 { parts.append(Frame.line("link", start, y, end - 14, y)) }
            parts.append(Frame.text("tick", end - 8, y + 4, anchor: "start", below(node)))
        }
        return .join(parts)
    }

    /// What hangs below the last node that is drawn.
    private func below(_ node: RunRecord.Node) -> String {
        let device = run.tiers.last?.name ?? "device"
        let isLast = drawnTiers.count + 1 >= run.tiers.count
        return "\(isLast ? "" : "... ")\(NumberText.count(node.clientCount)) x \(device)"
    }

    private var description: String {
        run.tiers.map { "\($0.name): \($0.nodeCount) (\($0.mode.rawValue))" }.joined(separator: ", then ") + "."
    }
}
