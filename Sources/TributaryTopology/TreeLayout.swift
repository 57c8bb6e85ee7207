// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

/// Places the nodes of a topology whose fields have been checked: counts first, then parents, then what was moved.
///
/// Every tier is spread over its parents evenly and contiguously in depth-first order, which makes a tier's own order
/// the depth-first one and gives every device its client index. Only then do `nodes:` move single nodes to other
/// parents, so that a move never changes an index.
struct TreeLayout {
    /// The most aggregators that a tree may have: each costs memory here, unlike devices.
    static let aggregatorCountMax: UInt64 = 1 << 20
    /// The most devices: client indices stay far from overflow in every product.
    static let deviceCountMax: UInt64 = 1 << 40

    let topology: Topology
    var aggregators: [Tree.Aggregator] = []
    var tierRanges: [Range<Int>] = []
    var positions: [NodeName: Int] = [:]
    var deviceStarts: [UInt64] = []
    var deviceCount: UInt64 = 0
    var movedDevices: [UInt64: Int] = [:]

    /// Places every node on its first parent; `nil` when a tier cannot be placed.
    init?(_ topology: Topology, issues: inout [TopologyIssue]) {
        self.topology = topology
        for tier in topology.tiers.indices {
            guard let starts = childStarts(ofTier: tier, issues: &issues) else { return nil }
            if tier == topology.tiers.count - 1 {
                deviceStarts = starts.dropLast()
                deviceCount = starts.last ?? 0
            } else {
                place(tier, starts: starts)
            }
        }
        checkNames(&issues)
    }

    /// The number of the first child of each parent in the tier above, and the total at the end.
    private func childStarts(ofTier tier: Int, issues: inout [TopologyIssue]) -> [UInt64]? {
        let path = "tiers[\(tier)]"
        let name = topology.tiers[tier].name
        let parents = tierRanges.last.map { aggregators[$0] } ?? []
        var starts: [UInt64] = [0]
        switch topology.tiers[tier].fanOut {
        case .one:
            starts.append(1)
        case .names(let names):
            starts = Self.spread(UInt64(names.count), over: UInt64(max(1, parents.count)))
        case .count(let count):
            starts = Self.spread(count, over: UInt64(max(1, parents.count)))
        case .perParent(let count):
            for parent in parents {
                let children = topology.nodes[parent.name.value]?.children ?? count
                let (total, overflow) = (starts.last ?? 0).addingReportingOverflow(children)
                guard !overflow, total <= Self.deviceCountMax else {
                    issues.append(Self.tooMany(at: "\(path).per-parent", name, limit: Self.deviceCountMax))
                    return nil
                }
                starts.append(total)
            }
        }
        let limit = tier == topology.tiers.count - 1 ? Self.deviceCountMax : Self.aggregatorCountMax
        guard let total = starts.last, total <= limit else {
            issues.append(Self.tooMany(at: path, name, limit: limit))
            return nil
        }
        return starts
    }

    private static func tooMany(at path: String, _ name: String, limit: UInt64) -> TopologyIssue {
        TopologyIssue(.limit, at: path, "tier '\(name)' has more than \(limit) nodes; lower the counts")
    }

    /// Where the children of each of `parents` start when `count` children are spread, with the total at the end.
    static func spread(_ count: UInt64, over parents: UInt64) -> [UInt64] {
        guard count <= deviceCountMax, parents <= aggregatorCountMax else { return [0, count] }
        return (0...parents).map { ($0 * count + parents - 1) / parents }
    }

    private mutating func place(_ tier: Int, starts: [UInt64]) {
        let first = aggregators.count
        let above = tierRanges.last ?? 0..<0
        for (offset, start) in starts.dropLast().enumerated() {
            for number in start..<starts[offset + 1] {
                let name = topology.aggregatorName(tier: tier, number: Int(number))
                var node = Tree.Aggregator(name: NodeName(name), tier: tier, positionInTier: Int(number))
                node.parent = above.isEmpty ? nil : above.lowerBound + offset
                aggregators.append(node)
            }
        }
        tierRanges.append(first..<aggregators.count)
    }

    private mutating func checkNames(_ issues: inout [TopologyIssue]) {
        for (position, node) in aggregators.enumerated() {
            let isDevice = topology.deviceIndex(named: node.name.value, deviceCount: deviceCount) != nil
            if positions.updateValue(position, forKey: node.name) != nil || isDevice {
                issues.append(
                    TopologyIssue(
                        .duplicateName, at: topology.namePath(tier: node.tier, number: node.positionInTier),
                        "the name '\(node.name)' is taken by another node; every node needs its own"))
            }
        }
    }

    /// Moves what `nodes:` moves, then derives children, clients and endpoints.
    mutating func finish(_ issues: inout [TopologyIssue]) {
        applyOverrides(&issues)
        checkFailover(&issues)
        guard issues.allSatisfy({ $0.severity != .error }) else { return }
        linkChildren()
        checkChildren(&issues)
        assignEndpoints(&issues)
    }

    /// The tree, after `finish` and `assignRings`.
    func tree() -> Tree {
        Tree(
            topology: topology, aggregators: aggregators, deviceCount: deviceCount, positions: positions,
            tierRanges: tierRanges, deviceStarts: deviceStarts, movedDevices: movedDevices)
    }
}

// MARK: - Children and clients

extension TreeLayout {
    private mutating func linkChildren() {
        for (position, node) in aggregators.enumerated() {
            if let parent = node.parent { aggregators[parent].children.append(position) }
        }
        linkDevices()
        for position in aggregators.indices.reversed() {
            let node = aggregators[position]
            aggregators[position].clients = ClientSet(
                union: node.devices.ranges + node.children.flatMap { aggregators[$0].clients.ranges })
        }
    }

    private mutating func linkDevices() {
        guard let tier = tierRanges.last else { return }
        var leaving: [Int: [UInt64]] = [:]
        var arriving: [Int: [UInt64]] = [:]
        for (device, parent) in movedDevices.sorted(by: { $0.key < $1.key }) {
            arriving[parent, default: []].append(device)
            let first = tier.lowerBound + Self.parentOffset(of: device, starts: deviceStarts)
            leaving[first, default: []].append(device)
        }
        for (offset, position) in tier.enumerated() {
            let end = offset + 1 < deviceStarts.count ? deviceStarts[offset + 1] : deviceCount
            let devices = ClientSet(deviceStarts[offset]..<end)
            aggregators[position].devices =
                devices.removing(leaving[position] ?? []).inserting(arriving[position] ?? [])
        }
    }

    /// The last of `starts` at or before a device, as an offset; O(log starts).
    static func parentOffset(of device: UInt64, starts: [UInt64]) -> Int {
        var low = 0
        var high = starts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= device { low = middle } else { high = middle }
        }
        return low
    }

    private func checkChildren(_ issues: inout [TopologyIssue]) {
        let last = topology.tiers.count - 1
        for node in aggregators {
            let isAboveDevices = node.tier == last - 1
            let count = isAboveDevices ? node.devices.count : UInt64(node.children.count)
            let path = topology.fanOutPath(tier: node.tier + 1)
            let below = topology.tiers[node.tier + 1].name
            if count == 0 {
                issues.append(
                    TopologyIssue(
                        .count, at: path,
                        "'\(node.name)' has no node of tier '\(below)' below it; "
                            + "raise the count or remove '\(node.name)'"
                    ))
            } else if !isAboveDevices && count > UInt64(Limits.childCountMax) {
                issues.append(
                    TopologyIssue(
                        .limit, at: path,
                        "'\(node.name)' has \(count) children; "
                            + "at most \(Limits.childCountMax) can be connected: add a tier"
                    ))
            } else if isAboveDevices && count > UInt64(Limits.childCountMax) {
                issues.append(
                    TopologyIssue(
                        .limit, at: path,
                        "'\(node.name)' has \(count) devices; "
                            + "at most \(Limits.childCountMax) can be connected at a time",
                        severity: .warning))
            } else {
                continue
            }
            if issues.count >= Self.issueCountMax { return }
        }
    }

    /// Issues of one kind beyond this many are left out; nobody reads a thousand of them.
    static let issueCountMax = 100
}

extension Topology {
    /// The name of an aggregator by its number in its tier.
    func aggregatorName(tier: Int, number: Int) -> String {
        switch tiers[tier].fanOut {
        case .one: tiers[tier].name
        case .names(let names): number < names.count ? names[number] : "\(tiers[tier].name)-\(number)"
        case .count, .perParent: "\(tiers[tier].name)-\(number)"
        }
    }

    /// Where the file says how an aggregator is called.
    func namePath(tier: Int, number: Int) -> String {
        if case .names = tiers[tier].fanOut { return "tiers[\(tier)].nodes[\(number)]" }
        return "tiers[\(tier)].name"
    }

    /// Where the file says how many nodes a tier has.
    func fanOutPath(tier: Int) -> String {
        switch tiers[tier].fanOut {
        case .one: "tiers[\(tier)]"
        case .names: "tiers[\(tier)].nodes"
        case .count: "tiers[\(tier)].count"
        case .perParent: "tiers[\(tier)].per-parent"
        }
    }
}
