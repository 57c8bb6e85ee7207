// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser
import Glibc
import TributaryPlanning
import TributaryTopology
import TributaryTopologyFile

/// `tributary plan OLD NEW`: what an edit of a topology file changes.
package struct Plan: Verb {
    package static let configuration = CommandConfiguration(
        abstract: "Say what an edit of a topology file changes: settings, nodes, keys, bytes and memory.",
        discussion: """
            Ends with 0 when both files describe the same federation, 2 when something changes, 78 when a file is \
            wrong. Devices are told in runs; a device is its name, and keeps its share of the data while its number \
            stays the same.
            """)

    @Argument(help: "The topology file as it was.")
    package var old: String

    @Argument(help: "The topology file as it is to be.")
    package var new: String

    @OptionGroup package var output: OutputOptions

    package init() {}

    /// Loads both files and tells what is different.
    package func execute(_ output: CommandOutput) throws {
        let before = try TopologyLoading.load(old).document
        let after = try TopologyLoading.load(new, output)
        let diff = TopologyDiff(from: before.tree, to: after.tree)
        let view = PlanView(
            diff: diff, before: try PlanView.Cost(before), after: try PlanView.Cost(after),
            isColoured: Terminal.usesColour(STDOUT_FILENO))
        output.finish(view.document(old: old, new: new), text: view.text(old: old, new: new))
        if !diff.isEmpty { throw ExitCode(CommandExit.changes.rawValue) }
    }
}
