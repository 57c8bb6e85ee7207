// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TributaryCore
import TributaryFiles
import TributaryReport
import TributaryRuntime
import TributaryTopology

/// `tributary compare RUN RUN...`: what several runs came to, and in which settings they differ.
struct Compare: Verb {
    static let configuration = CommandConfiguration(
        abstract: "Compare runs: what each came to, what differs in their settings, their curves.",
        discussion: "Runs are named as for `report`. -o writes a page with the curves one over the other.")

    @Argument(help: "Directories of runs, or their run.json.", completion: .file())
    var runs: [String]

    @Option(
        name: [.customShort("o"), .customLong("output")], help: "Also write the comparison as HTML to this file.",
        completion: .file(extensions: ["html"]))
    var file: String?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        let limit = RunComparison.runCountMax
        guard (2...limit).contains(runs.count) else {
            throw ValidationError("compare takes 2 to \(limit) runs, not \(runs.count)")
        }
    }

    func execute(_ output: CommandOutput) throws {
        let entries = try runs.map { try RunComparison.Entry(name: Self.name(of: $0), run: RunFile.read($0)) }
        let comparison = RunComparison(entries)
        if let file { try AtomicFile.write(Array(comparison.html.utf8), to: file) }
        guard case .mapping(let fields) = comparison.document else { return }
        let report = PlainValue.Field("report", file.map { .text($0) } ?? .null)
        output.finish(.mapping(fields + [report]), text: text(of: comparison))
    }

    private func text(of comparison: RunComparison) -> String {
        var text = TextTable.text(titles: RunComparison.titles, rows: comparison.finals)
        let differences = comparison.differences.map { [$0.key] + $0.values }
        if !differences.isEmpty {
            text += "\n" + TextTable.text(titles: ["setting"] + comparison.entries.map(\.name), rows: differences)
        }
        return text + (file.map { "\n\($0)\n" } ?? "")
    }

    /// A run's name: its directory's, or its file's when that has a name of its own.
    private static func name(of path: String) -> String {
        var path = path
        while path.hasSuffix("/"), path.count > 1 { path.removeLast() }
        let name = Directory.name(of: path)
        guard name.hasSuffix(".json") else { return name }
        if name == RunWriter.Name.record, path.contains("/") { return Directory.name(of: Directory.parent(of: path)) }
        return String(name.dropLast(5))
    }
}
