// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
package import TributaryTopology

extension AggregatorConfiguration {
    /// What a resolved topology says about the aggregator at a position.
    ///
    /// Nodes compare `digest`, so that those which read different files do not talk to each other.
    package init(_ tree: Tree, position: Int, digest: Digest?) {
        let policy = tree.policy(ofAggregator: position)
        let topology = tree.topology
        var root: Root?
        if case .fixed(let deadline) = policy.deadline {
            root = Root(
                roundCount: topology.rounds, deadline: deadline, seed: topology.seed, selection: policy.selection,
                train: policy.training.settings, stop: topology.stop, evaluation: topology.evaluation)
        }
        var stepping: Stepping?
        if let optimizer = policy.optimizer, let ring = policy.ring {
            stepping = Stepping(optimizer: optimizer, edgeRounds: policy.edgeRounds, ring: ring)
        }
        self.init(
            node: policy.name, root: root, stepping: stepping, quorum: policy.quorum,
            expectedClientCount: policy.clientCount,
            children: TreeChildren(tree: tree, policy: policy, position: position),
            topology: digest, islandRounds: policy.islandRounds)
    }
}

/// The children that a resolved tree gives a node, those included that may turn to it when their parent is gone.
private struct TreeChildren: ChildDirectory {
    private let tree: Tree
    private let devices: ClientSet
    private let aggregators: Set<NodeName>
    private let position: Int

    init(tree: Tree, policy: AggregatorPolicy, position: Int) {
        self.tree = tree
        devices = policy.devices
        aggregators = Set(policy.children.map(\.name))
        self.position = position
    }

    func role(of name: NodeName) -> Hello.Role? {
        if aggregators.contains(name) { return .aggregator }
        switch tree.node(named: name) {
        case .device(let client)?:
            return devices.contains(client) || tree.fallbacks(of: client).contains(position) ? .client(client) : nil
        case .aggregator(let other)?:
            return tree.fallbacks(ofAggregator: other).contains(position) ? .aggregator : nil
        case nil: return nil
        }
    }
}
