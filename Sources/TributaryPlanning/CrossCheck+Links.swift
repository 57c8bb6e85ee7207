// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
package import TributaryTopology

extension CrossCheck {
    /// A deadline that the links of the `simulate` section make impossible, where the model's size is known.
    ///
    /// Counts what the links take at least, for the fastest node of each kind: no jitter, no lost packet, no work.
    package static func deadlineIssues(_ tree: Tree, _ workload: Workload?) -> [TopologyIssue] {
        guard let workload, !tree.topology.hasPerfectLinks else { return [] }
        let topology = tree.topology
        let classes = NodeClasses(tree, workload: workload, availability: 1)
        let kinds = DeviceKind.all(of: topology, workload)
        var fastest: [Double] = []
        var issue: TopologyIssue?
        for one in classes.all {
            var time = Double.infinity
            if let dialogue = one.deviceDialogue {
                let links = kinds.map(\.link) + one.deviceLinks.keys
                time = links.map { LinkTime(dialogue, over: $0).fixed }.min() ?? 0
            }
            for child in one.children.keys {
                let node = classes.all[child]
                let rounds = Double(topology.tiers[node.tier].edgeRounds)
                let link = node.dialogue.map { LinkTime($0, over: node.link).fixed } ?? 0
                time = min(time, link + rounds * fastest[child])
            }
            let open = topology.timesOpen[one.tier].seconds
            if time > open, time < .infinity, issue == nil {
                issue = impossible(topology.tiers[one.tier].name, time, open)
            }
            fastest.append(time > open ? .infinity : time)
        }
        return fastest.last == .infinity ? [issue].compactMap(\.self) : []
    }

    private static func impossible(_ tier: String, _ time: Double, _ open: Double) -> TopologyIssue {
        TopologyIssue(
            .deadline, at: "tiers[0].deadline",
            "nobody can answer in time: at '\(tier)' the links of 'simulate' take at least \(time.secondsText), and a "
                + "round there is closed after \(open.secondsText); raise the deadline, or their bandwidth"
        )
    }
}

extension Topology {
    /// Whether the file says nothing of links that take time.
    var hasPerfectLinks: Bool {
        let links =
            Array(simulation.links.values) + simulation.nodeLinks.values + simulation.classes.compactMap(\.link)
        return links.allSatisfy { $0 == .default }
    }
}
