// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

extension RunRecord {
    /// One line of a run's settings, for example `rounds` and `40`.
    package struct Setting: Hashable, Sendable, Decodable {
        package var key: String
        package var value: String

        package init(_ key: String, _ value: String) {
            self.key = key
            self.value = value
        }
    }

    /// A depth of the run's tree.
    package struct Tier: Hashable, Sendable, Decodable {
        /// What the tier's nodes do with what they receive.
        package enum Mode: String, Hashable, Sendable, Decodable {
            /// Steps the federation's model.
            case root
            /// Adds ring integers only.
            case passThrough = "pass-through"
            /// Steps a model of its own and sends one voice.
            case stepping
            /// Trains.
            case devices
        }

        package var name: String
        package var mode: Mode
        package var nodeCount: UInt64

        package init(name: String, mode: Mode, nodeCount: UInt64) {
            self.name = name
            self.mode = mode
            self.nodeCount = nodeCount
        }

        private enum CodingKeys: String, CodingKey {
            case name, mode
            case nodeCount = "nodes"
        }
    }

    /// An aggregator of the run's tree.
    package struct Node: Hashable, Sendable, Decodable {
        package var name: String
        /// `nil` for the root.
        package var parent: String?
        /// The name of its tier.
        package var tier: String
        /// All the clients below.
        package var clientCount: UInt64

        package init(name: String, parent: String?, tier: String, clientCount: UInt64) {
            self.name = name
            self.parent = parent
            self.tier = tier
            self.clientCount = clientCount
        }

        private enum CodingKeys: String, CodingKey {
            case name, parent, tier
            case clientCount = "clients"
        }
    }

    /// What the devices below each node hold of each label.
    package struct LabelMap: Hashable, Sendable, Decodable {
        /// Names of rows: nodes, or groups of devices.
        package var nodes: [String]
        /// Names of columns.
        package var labels: [String]
        /// Numbers of examples, `[nodes][labels]`.
        package var counts: [[UInt64]]

        package init(nodes: [String], labels: [String], counts: [[UInt64]]) {
            precondition(counts.count == nodes.count && counts.allSatisfy { $0.count == labels.count })
            self.nodes = nodes
            self.labels = labels
            self.counts = counts
        }
    }

    /// A fault that was played, and when on the clock of the run.
    package struct FaultNote: Hashable, Sendable, Decodable {
        /// What went wrong, for people: `eu-west is cut off`.
        package var text: String
        package var fromSeconds: Double
        /// `nil` for a moment, or for what never ended.
        package var untilSeconds: Double?

        package init(text: String, fromSeconds: Double, untilSeconds: Double?) {
            self.text = text
            self.fromSeconds = fromSeconds
            self.untilSeconds = untilSeconds
        }

        private enum CodingKeys: String, CodingKey {
            case text
            case fromSeconds = "from_seconds"
            case untilSeconds = "until_seconds"
        }
    }
}
