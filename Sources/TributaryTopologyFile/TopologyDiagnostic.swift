// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryTopology

/// A place in a file; lines and columns start at 1, columns count Unicode scalars.
package struct FilePosition: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let line: Int
    package let column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    package var description: String { "\(line):\(column)" }

    package static func < (left: FilePosition, right: FilePosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// One thing wrong, or worth knowing, in a topology file.
package struct TopologyDiagnostic: Hashable, Sendable, CustomStringConvertible {
    package let severity: TopologyIssue.Severity
    /// A stable word for scripts, like `topology.unknown_key`.
    package let code: String
    package let file: String
    /// `nil` when the file as a whole is meant.
    package let position: FilePosition?
    /// What is meant: `tiers[1].quorum`; empty for the whole.
    package let path: String
    package let message: String
    package let suggestion: String?
    /// The setting of the command line that is meant, in place of a position.
    let setting: FileOrigins.Setting?

    /// `file:line:column`, the file alone, or the option: `--set tiers.camera.quorum`.
    package var location: String {
        if let setting { return "--set \(setting.given)" }
        return position.map { "\(file):\($0)" } ?? file
    }

    /// `path: message (did you mean "...")`; without the path where the location names it.
    package var text: String {
        let isNamed = path.isEmpty || path == setting?.path
        let text = isNamed ? message : "\(path): \(message)"
        guard let suggestion else { return text }
        return text + " (did you mean \"\(suggestion)\"?)"
    }

    /// `file:line:column: path: message (did you mean "...")`.
    package var description: String { "\(location): \(text)" }
}

/// A topology file that cannot be used, with everything that is wrong in it, in the order of the file.
package struct TopologyFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// At least one; errors only.
    package let diagnostics: [TopologyDiagnostic]

    package init(diagnostics: [TopologyDiagnostic]) { self.diagnostics = diagnostics }

    /// The code of the first error.
    package var code: String { diagnostics.first?.code ?? "topology.invalid" }

    package var description: String { diagnostics.map(\.description).joined(separator: "\n") }
}

/// What can be wrong with a file before its meaning is looked at; beside `TopologyIssue.Code`.
enum FileCode: String {
    case unreadable = "topology.unreadable"
    case size = "topology.size"
    case encoding = "topology.encoding"
    case empty = "topology.empty"
    case syntax = "topology.syntax"
    case alias = "topology.alias"
    case document = "topology.document"
    case duplicateKey = "topology.duplicate_key"
    case unknownKey = "topology.unknown_key"
    case missingKey = "topology.missing_key"
    case exclusiveKeys = "topology.exclusive_keys"
    case misplaced = "topology.misplaced"
    case type = "topology.type"
    case choice = "topology.choice"
    case range = "topology.range"
}

/// Collects diagnostics of one file.
struct Diagnostics {
    var origins: FileOrigins
    private(set) var all: [TopologyDiagnostic] = []
    /// Paths with errors: their values are not known.
    private(set) var broken: Set<String> = []

    init(file: String) { origins = FileOrigins(file: file) }

    /// More than this many errors help nobody; the rest is left out.
    static let countMax = 200

    /// Whether further errors would be left out.
    var isFull: Bool { all.count >= Self.countMax }

    var hasErrors: Bool { all.contains { $0.severity == .error } }

    mutating func add(
        _ code: FileCode, at position: FilePosition?, _ path: String, _ message: String, suggestion: String? = nil
    ) {
        add(
            origins.diagnostic(.error, code.rawValue, at: position, path, message, suggestion: suggestion))
    }

    mutating func add(_ diagnostic: TopologyDiagnostic) {
        if diagnostic.severity == .error, !diagnostic.path.isEmpty { broken.insert(diagnostic.path) }
        if all.count < Self.countMax { all.append(diagnostic) }
    }

    /// Treats a path as wrong without saying anything about it.
    mutating func distrust(_ path: String) { broken.insert(path) }

    func isBroken(_ path: String) -> Bool { broken.contains(path) }

    /// In the order of the file.
    var sorted: [TopologyDiagnostic] {
        all.enumerated().sorted { left, right in
            let places = [left, right].map { $0.element.position ?? FilePosition(line: 0, column: 0) }
            return places[0] == places[1] ? left.offset < right.offset : places[0] < places[1]
        }.map(\.element)
    }
}
