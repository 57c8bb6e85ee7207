// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// What stands in two canonical files, value by value.

extension TopologyDiff {
    /// The values that differ; tiers are matched by name, and the order of tiers is told when it differs.
    static func settings(from old: Topology, to new: Topology) -> [Setting] {
        let before = Leaves(old)
        let after = Leaves(new)
        var changes: [Setting] = []
        for path in after.paths {
            let value = after.values[path]
            if before.values[path] != value {
                changes.append(Setting(path: path, before: before.values[path], after: value))
            }
        }
        for path in before.paths where after.values[path] == nil {
            changes.append(Setting(path: path, before: before.values[path], after: nil))
        }
        let common = Set(old.tiers.map(\.name)).intersection(new.tiers.map(\.name))
        let order = (old.tiers.map(\.name).filter(common.contains), new.tiers.map(\.name).filter(common.contains))
        if order.0 != order.1 {
            changes.append(
                Setting(
                    path: "tiers", before: order.0.joined(separator: ", "), after: order.1.joined(separator: ", ")))
        }
        // A tier that comes or goes is told as a whole.
        return changes.filter { change in tierName(in: change.path).map(common.contains) ?? true }
    }

    /// The tier that a path is about: `tiers.region.quorum`, `simulate.links.region.latency`.
    static func tierName(in path: String) -> String? {
        let parts = path.split(separator: ".")
        if parts.count > 1, parts[0] == "tiers" { return String(parts[1]) }
        if parts.count > 2, parts[0] == "simulate", parts[1] == "links" { return String(parts[2]) }
        return nil
    }

    /// The canonical file's values by path.
    struct Leaves {
        private(set) var paths: [String] = []
        private(set) var values: [String: String] = [:]

        init(_ topology: Topology) {
            if case .mapping(let fields) = topology.canonical { for field in fields { add(field.value, field.key) } }
        }

        private mutating func add(_ value: PlainValue, _ path: String) {
            switch value {
            case .mapping(let fields) where !fields.isEmpty:
                for field in fields where path != "tiers" || field.key != "name" {
                    add(field.value, "\(path).\(field.key)")
                }
            case .list(let items) where path == "tiers":
                for item in items { addTier(item) }
            case .list(let items) where items.contains(where: { if case .mapping = $0 { true } else { false } }):
                for (index, item) in items.enumerated() { add(item, "\(path)[\(index)]") }
            case .text, .number, .flag, .null, .list, .mapping:
                paths.append(path)
                values[path] = value.yamlScalar
            }
        }

        private mutating func addTier(_ tier: PlainValue) {
            guard case .mapping(let fields) = tier, let name = fields.first(where: { $0.key == "name" })?.value,
                case .text(let text) = name
            else { return }
            for field in fields where field.key != "name" { add(field.value, "tiers.\(text).\(field.key)") }
        }
    }
}
