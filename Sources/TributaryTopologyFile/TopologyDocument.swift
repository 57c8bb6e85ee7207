// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryTopology

/// A topology file that was read: its tree, where everything stands in it, and what is worth knowing.
package struct TopologyDocument: Sendable {
    /// The file's name as it was given.
    package let file: String
    package let tree: Tree
    /// Nothing that stops a run.
    package let warnings: [TopologyDiagnostic]
    private let places: FilePlaces

    package var topology: Topology { tree.topology }

    init(file: String, tree: Tree, warnings: [TopologyDiagnostic], places: FilePlaces) {
        self.file = file
        self.tree = tree
        self.warnings = warnings
        self.places = places
    }

    /// Where the file gives a path; `nil` when it does not and a default stands in.
    package func position(of path: String) -> FilePosition? {
        let position = places.keys[path] ?? places.values[path]
        return places.origins.setting(at: position) == nil ? position : nil
    }

    /// An issue of the topology with its place in the file.
    package func diagnostic(of issue: TopologyIssue) -> TopologyDiagnostic {
        places.diagnostic(of: issue)
    }

    /// The whole file written out, with every default.
    package var canonical: PlainValue { topology.canonical }

    /// The whole file as YAML, each value with where it comes from: `# factory.yaml:14` or `# default`.
    ///
    /// - Parameter notes: comments for blocks by path, for example `tiers[1]`.
    /// - Returns: a topology file that means the same.
    package func annotatedText(notes: [String: String] = [:]) -> String {
        let lines = canonical.yamlLines()
        let width = min(60, lines.filter(\.isLeaf).map(\.text.count).max() ?? 0)
        let name = file.split(separator: "/").last.map(String.init) ?? file
        var text = ""
        var noted: Set<String> = []
        for line in lines {
            let block = line.path.split(separator: ".").first.map(String.init) ?? ""
            if let note = notes[block], noted.insert(block).inserted { text += "  # \(note)\n" }
            let padding = String(repeating: " ", count: max(0, width - line.text.count))
            text += line.isLeaf ? "\(line.text)\(padding)  # \(origin(of: line.path, name))\n" : "\(line.text)\n"
        }
        return text
    }

    /// Where every value comes from, by path: `factory.yaml:14`, `--set rounds` or `default`.
    package var origins: [(path: String, origin: String)] {
        canonical.yamlLines().filter(\.isLeaf).map { ($0.path, origin(of: $0.path, file)) }
    }

    private func origin(of path: String, _ name: String) -> String {
        let position = places.keys[path] ?? places.values[path]
        if let setting = places.origins.setting(at: position) { return "--set \(setting.given)" }
        return position.map { "\(name):\($0.line)" } ?? "default"
    }

    /// A path of a data file as the topology means it: relative ones start at the topology's folder.
    package func resolving(_ path: String) -> String {
        guard !path.hasPrefix("/"), let end = file.lastIndex(of: "/") else { return path }
        return String(file[...end]) + path
    }
}
