// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
package import TributaryTopology

extension RunRecord {
    /// The record of a run that is about to begin: what its topology says, and nothing of rounds.
    ///
    /// - Parameters:
    ///   - command: the verb, `up` or `simulate`.
    ///   - version: the version of the program.
    ///   - tree: the topology, resolved, with everything that the command line overrides.
    package init(command: String, version: String, tree: Tree) {
        let topology = tree.topology
        self.init(
            command: command, federation: topology.federation, seed: topology.seed, version: version,
            devices: tree.deviceCount, aggregators: UInt64(tree.aggregators.count))
        isComplete = false
        settings = Self.settings(of: topology)
        tiers = topology.tiers.indices.map { index in
            let isDevices = index == topology.tiers.count - 1
            return Tier(
                name: topology.tiers[index].name,
                mode: isDevices
                    ? .devices : index == 0 ? .root : topology.isStepping(tier: index) ? .stepping : .passThrough,
                nodeCount: tree.count(ofTier: index))
        }
        // Tier by tier: what is cut are whole lower tiers, and a part of the last one that is named.
        nodes = tree.aggregators.prefix(Self.nodeCountMax).map { node in
            Node(
                name: node.name.value, parent: node.parent.map { tree.aggregators[$0].name.value },
                tier: topology.tiers[node.tier].name, clientCount: node.clients.count)
        }
    }

    /// The canonical topology as lines: `model.hidden`, `tiers.camera.train.batch`.
    private static func settings(of topology: Topology) -> [Setting] {
        guard case .mapping(let fields) = topology.canonical else { return [] }
        let shown = fields.filter { !["tributary", "federation", "seed"].contains($0.key) }
        return shown.flatMap { flattened($0.value, $0.key) }
    }

    private static func flattened(_ value: PlainValue, _ path: String) -> [Setting] {
        switch value {
        case .mapping(let fields): return fields.flatMap { flattened($0.value, "\(path).\($0.key)") }
        case .list(let items) where items.contains(where: \.isMapping):
            return items.enumerated().flatMap { position, item in
                flattened(item.without("name"), "\(path).\(item.name ?? String(position))")
            }
        case .list(let items): return [Setting(path, items.map(\.plainText).joined(separator: ", "))]
        case .text, .number, .flag, .null: return [Setting(path, value.plainText)]
        }
    }
}

extension PlainValue {
    fileprivate var isMapping: Bool {
        if case .mapping = self { return true }
        return false
    }

    fileprivate var name: String? {
        guard case .mapping(let fields) = self else { return nil }
        return fields.first { $0.key == "name" }?.value.plainText
    }

    fileprivate func without(_ key: String) -> PlainValue {
        guard case .mapping(let fields) = self else { return self }
        return .mapping(fields.filter { $0.key != key })
    }

    /// A scalar as people read it.
    fileprivate var plainText: String {
        if case .text(let text) = self { return text }
        return json()
    }
}
