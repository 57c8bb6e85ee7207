// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// Something wrong, or worth knowing, in a topology, and where.
package struct TopologyIssue: Hashable, Sendable, CustomStringConvertible {
    /// What kind of issue it is; stable words for scripts, each with the prefix `topology.`.
    package enum Code: String, Hashable, Sendable, CaseIterable {
        case name = "topology.name"
        case duplicateName = "topology.duplicate_name"
        case unknownNode = "topology.unknown_node"
        case unknownTier = "topology.unknown_tier"
        case parent = "topology.parent"
        case cycle = "topology.cycle"
        case tiers = "topology.tiers"
        case count = "topology.count"
        case range = "topology.range"
        case misplaced = "topology.misplaced"
        case quorum = "topology.quorum"
        case deadline = "topology.deadline"
        case ring = "topology.ring"
        case endpoint = "topology.endpoint"
        case limit = "topology.limit"
        case data = "topology.data"
        case fault = "topology.fault"
    }
    /// Whether the topology can run with the issue.
    package enum Severity: Hashable, Sendable {
        /// The topology cannot run.
        case error
        /// It can, but probably not as its author thinks.
        case warning
    }

    package var severity: Severity
    package var code: Code
    /// Where: `tiers[1].quorum`, `nodes.eu-west.parent`; empty for the whole.
    package var path: String
    /// What is wrong and what to do.
    package var message: String
    /// A name that exists and looks like the one that does not.
    package var suggestion: String?

    package init(
        _ code: Code, at path: String, _ message: String, suggestion: String? = nil, severity: Severity = .error
    ) {
        self.severity = severity
        self.code = code
        self.path = path
        self.message = message
        self.suggestion = suggestion
    }

    package var description: String {
        let text = path.isEmpty ? message : "\(path): \(message)"
        guard let suggestion else { return text }
        return text + " (did you mean \"\(suggestion)\"?)"
    }
}

/// A topology that has errors, with all of them.
package struct TopologyError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The errors, at least one; no warnings.
    package let issues: [TopologyIssue]

    package init(issues: [TopologyIssue]) { self.issues = issues }

    package var description: String { issues.map(\.description).joined(separator: "\n") }
}
