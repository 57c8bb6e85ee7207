// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

extension TreeLayout {
    /// The port of the root where a file gives none; the aggregator at position `k` of the tree listens `k` higher.
    static let portDefault: UInt16 = 7100

    /// Gives every aggregator the addresses at which it listens and is reached.
    ///
    /// A node's own `listen` wins, then its tier's (counting ports up), then 127.0.0.1 with a port of its own. Where
    /// nothing else is advertised, children connect to `listen`, with 127.0.0.1 for a wildcard host.
    mutating func assignEndpoints(_ issues: inout [TopologyIssue]) {
        var holders: [Endpoint: Int] = [:]
        for position in aggregators.indices {
            let node = aggregators[position]
            let override = topology.nodes[node.name.value]
            let listen = listenEndpoint(of: position, override, &issues)
            let fallback = listen.map { $0.isWildcard ? Endpoint(host: "127.0.0.1", port: $0.port) : $0 }
            let tiers = topology.tiers[node.tier].advertise?.advanced(by: node.positionInTier)
            let advertise = override?.advertise ?? (override?.listen == nil ? tiers : nil) ?? fallback
            aggregators[position].listen = listen
            aggregators[position].advertise = advertise
            aggregators[position].join =
                override?.join ?? topology.tiers[node.tier].join?.advanced(by: node.positionInTier)
            guard let advertise, advertise.port != 0 else { continue }
            if let holder = holders.updateValue(position, forKey: advertise) {
                issues.append(
                    TopologyIssue(
                        .endpoint, at: endpointPath(of: position, otherwise: holder),
                        "'\(node.name)' and '\(aggregators[holder].name)' would both be reached at \(advertise); "
                            + "give each a port of its own"))
            }
            if issues.count >= Self.issueCountMax { return }
        }
    }

    private func listenEndpoint(
        of position: Int, _ override: NodeOverride?, _ issues: inout [TopologyIssue]
    ) -> Endpoint? {
        let node = aggregators[position]
        if let listen = override?.listen { return listen }
        guard let listen = topology.tiers[node.tier].listen else {
            return Endpoint(host: "127.0.0.1", port: Self.portDefault).advanced(by: position)
        }
        if let own = listen.advanced(by: node.positionInTier) { return own }
        issues.append(
            TopologyIssue(
                .endpoint, at: "tiers[\(node.tier)].listen",
                "no port is left for '\(node.name)': node k of a tier listens k ports higher; start lower"))
        return nil
    }

    /// Where the file gives the endpoint of one of two nodes that collide.
    private func endpointPath(of position: Int, otherwise other: Int) -> String {
        for position in [position, other] {
            let node = aggregators[position]
            if topology.nodes[node.name.value]?.advertise != nil { return "nodes.\(node.name).advertise" }
            if topology.nodes[node.name.value]?.listen != nil { return "nodes.\(node.name).listen" }
        }
        for position in [position, other] {
            let tier = aggregators[position].tier
            if topology.tiers[tier].advertise != nil { return "tiers[\(tier)].advertise" }
            if topology.tiers[tier].listen != nil { return "tiers[\(tier)].listen" }
        }
        return "tiers[\(aggregators[position].tier)]"
    }
}
