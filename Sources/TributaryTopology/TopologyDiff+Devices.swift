// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

// Devices of two trees, matched by name; counted devices are never listed one by one.

extension TopologyDiff {
    static func devices(from old: Tree, to new: Tree) -> [DeviceChange] {
        guard let before = DeviceNames(old), let after = DeviceNames(new) else { return [] }
        var runs = Runs()
        switch (before, after) {
        case (.counted(let stem), .counted(let other)) where stem == other: sameNumbers(old, new, &runs)
        case (.counted, .counted):
            ranges(of: new) { runs.append(new, $0, .added(parent: $1), shift: 0) }
            ranges(of: old) { runs.append(old, $0, .removed(parent: $1), shift: 0) }
        case (.listed, _), (_, .listed): listed(old, new, &runs)
        }
        return runs.changes
    }

    /// How a tree names its devices.
    private enum DeviceNames {
        /// `camera-17`: by a stem and the client index.
        case counted(stem: String)
        case listed

        init?(_ tree: Tree) {
            guard let tier = tree.topology.tiers.last else { return nil }
            if case .names = tier.fanOut { self = .listed } else { self = .counted(stem: tier.name) }
        }
    }

    /// Runs of devices with one parent each, in order of client index.
    private static func ranges(of tree: Tree, _ body: (Range<UInt64>, NodeName) -> Void) {
        let all = tree.aggregators.flatMap { node in node.devices.ranges.map { (range: $0, parent: node.name) } }
        for entry in all.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) { body(entry.range, entry.parent) }
    }

    /// Walks two trees that call their devices alike, stretch by stretch.
    private static func sameNumbers(_ old: Tree, _ new: Tree, _ runs: inout Runs) {
        var ends: Set<UInt64> = [old.deviceCount, new.deviceCount]
        for tree in [old, new] { ranges(of: tree) { range, _ in ends.insert(range.upperBound) } }
        var start: UInt64 = 0
        for end in ends.sorted() where end > start {
            let client = ClientIndex(start)
            let from = old.parent(of: client).map { old.aggregators[$0].name }
            let to = new.parent(of: client).map { new.aggregators[$0].name }
            switch (from, to) {
            case (nil, let to?): runs.append(new, start..<end, .added(parent: to), shift: 0)
            case (let from?, nil): runs.append(old, start..<end, .removed(parent: from), shift: 0)
            case (let from?, let to?) where from != to:
                runs.append(new, start..<end, .moved(from: from, to: to), shift: 0)
            case (_?, _?), (nil, nil): break
            }
            start = end
        }
    }

    /// Matches devices by name where one of the trees lists them.
    private static func listed(_ old: Tree, _ new: Tree, _ runs: inout Runs) {
        let known = matches(old, new)
        for match in known {
            let from = old.parent(of: ClientIndex(match.old)).map { old.aggregators[$0].name }
            let to = new.parent(of: ClientIndex(match.new)).map { new.aggregators[$0].name }
            if from != to || match.old != match.new {
                let shift = Int64(match.new) - Int64(match.old)
                runs.append(new, match.new..<match.new + 1, .moved(from: from, to: to), shift: shift)
            }
        }
        let added = ClientSet(0..<new.deviceCount).removing(known.map(\.new))
        append(new, added, { .added(parent: $0) }, &runs)
        let removed = ClientSet(0..<old.deviceCount).removing(known.map(\.old).sorted())
        append(old, removed, { .removed(parent: $0) }, &runs)
    }

    /// The devices that both trees have, by their numbers, ascending in the new one.
    private static func matches(_ old: Tree, _ new: Tree) -> [(old: UInt64, new: UInt64)] {
        func walk(_ listing: Tree, _ other: Tree) -> [(UInt64, UInt64)] {
            (0..<listing.deviceCount).compactMap { index in
                other.client(named: listing.deviceName(ClientIndex(index))).map { (index, $0.value) }
            }
        }
        if case .listed? = DeviceNames(new) { return walk(new, old).map { (old: $0.1, new: $0.0) } }
        return walk(old, new).map { (old: $0.0, new: $0.1) }.sorted { $0.new < $1.new }
    }

    /// Devices that the other tree does not have, split by parent.
    private static func append(
        _ tree: Tree, _ clients: ClientSet, _ change: (NodeName?) -> NodeChange, _ runs: inout Runs
    ) {
        var rest = clients.ranges[...]
        ranges(of: tree) { stretch, parent in
            while let range = rest.first, range.lowerBound < stretch.upperBound {
                let part = range.clamped(to: stretch)
                if !part.isEmpty { runs.append(tree, part, change(parent), shift: 0) }
                guard range.upperBound <= stretch.upperBound else { break }
                rest = rest.dropFirst()
            }
        }
    }

    /// Runs that grow while what follows fares alike.
    private struct Runs {
        private(set) var changes: [DeviceChange] = []
        private var end: UInt64?

        mutating func append(_ tree: Tree, _ range: Range<UInt64>, _ change: NodeChange, shift: Int64) {
            let last = tree.deviceName(ClientIndex(range.upperBound - 1))
            if let run = changes.last, run.change == change, run.shift == shift, end == range.lowerBound {
                changes[changes.count - 1] = DeviceChange(
                    first: run.first, last: last, count: run.count + UInt64(range.count), change: change,
                    client: run.client, shift: shift)
            } else {
                let first = ClientIndex(range.lowerBound)
                changes.append(
                    DeviceChange(
                        first: tree.deviceName(first), last: last, count: UInt64(range.count), change: change,
                        client: first, shift: shift))
            }
            end = range.upperBound
        }
    }
}
