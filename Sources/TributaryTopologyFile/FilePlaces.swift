// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryTopology

/// Where keys and values stand in a file, by path.
struct FilePlaces: Sendable {
    var origins: FileOrigins
    var values: [String: FilePosition] = [:]
    var keys: [String: FilePosition] = [:]

    init(_ origins: FileOrigins) { self.origins = origins }

    /// Where a path's value stands, or the nearest thing around it that the file has.
    func place(of path: String) -> FilePosition? {
        var path = path
        while !path.isEmpty {
            if let place = values[path] ?? keys[path] { return place }
            guard let end = path.lastIndex(where: { $0 == "." || $0 == "[" }) else { break }
            path = String(path[..<end])
        }
        return values[""]
    }

    /// An issue of the topology with its place in the file: the key where the key is wrong, else the value.
    func diagnostic(of issue: TopologyIssue) -> TopologyDiagnostic {
        let name = [.unknownNode, .unknownTier, .misplaced].contains(issue.code) ? keys[issue.path] : nil
        return origins.diagnostic(
            issue.severity, issue.code.rawValue, at: name ?? place(of: issue.path), issue.path, issue.message,
            suggestion: issue.suggestion)
    }
}
