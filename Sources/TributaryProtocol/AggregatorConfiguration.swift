// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
package import TributaryRing
package import TributaryTopology

/// What the topology says about one aggregator, as its machines need it.
package struct AggregatorConfiguration: Sendable {
    /// The share of a node that steps: how often, and with which optimizer.
    package struct Stepping: Hashable, Sendable {
        package var optimizer: ServerOptimizer
        /// Rounds inside one round of the parent, at least 1; 1 at the root.
        package var edgeRounds: UInt32
        /// The ring of the plans that the node issues.
        package var ring: RingParameters

        package init(optimizer: ServerOptimizer, edgeRounds: UInt32, ring: RingParameters) {
            self.optimizer = optimizer
            self.edgeRounds = edgeRounds
            self.ring = ring
        }
    }

    /// What only the root decides.
    package struct Root: Hashable, Sendable {
        package var roundCount: UInt32
        /// The time that a round may take.
        package var deadline: Duration
        package var seed: UInt64
        package var selection: Selection
        package var train: TrainSettings
        package var stop: StopRule?
        package var evaluation: EvaluationSettings

        package init(
            roundCount: UInt32, deadline: Duration, seed: UInt64, selection: Selection, train: TrainSettings,
            stop: StopRule? = nil, evaluation: EvaluationSettings = EvaluationSettings()
        ) {
            self.roundCount = roundCount
            self.deadline = deadline
            self.seed = seed
            self.selection = selection
            self.train = train
            self.stop = stop
            self.evaluation = evaluation
        }
    }

    package var node: NodeName
    package var root: Root?
    /// Set at the root and at stepping tiers.
    package var stepping: Stepping?
    /// The fraction of the clients chosen below the node that must report, in (0, 1].
    package var quorum: Double
    /// Clients declared below the node.
    package var expectedClientCount: UInt64
    /// The children that may connect: aggregators by name, devices by name and index.
    package var children: any ChildDirectory
    package var topology: Digest?
    /// Rounds that the node opens on its own while its parent is gone.
    package var islandRounds: UInt32

    package init(
        node: NodeName, root: Root?, stepping: Stepping?, quorum: Double, expectedClientCount: UInt64,
        children: any ChildDirectory, topology: Digest?, islandRounds: UInt32 = 0
    ) {
        self.node = node
        self.root = root
        self.stepping = stepping
        self.quorum = quorum
        self.expectedClientCount = expectedClientCount
        self.children = children
        self.topology = topology
        self.islandRounds = islandRounds
    }
}

/// Who may be a node's child, as the topology declares it.
package protocol ChildDirectory: Sendable {
    /// The role of the child called `name`; `nil` when the topology gives this node no such child.
    func role(of name: NodeName) -> Hello.Role?
}
