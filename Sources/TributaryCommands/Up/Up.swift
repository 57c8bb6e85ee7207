// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import TributaryClient
import TributaryCore
import TributaryRuntime
import TributaryTopology

/// `tributary up`: a topology as real processes on this machine.
struct Up: Verb {
    static let configuration = CommandConfiguration(
        abstract: "Run a whole topology on this machine, one process for each node.",
        discussion: """
            Keys are made for the run, all links are encrypted and on loopback, and everything that belongs to the \
            run lies in one directory. Ctrl-C ends all nodes cleanly, a second one at once; `tributary down` does so \
            from elsewhere.
            """)

    @Argument(help: "The topology file.", completion: .file(extensions: ["yaml", "yml"]))
    var topology: String

    @Option(help: "Run so many rounds instead of the file's.")
    var rounds: UInt32?

    @Option(help: "Use this seed instead of the file's.")
    var seed: UInt64?

    @Option(help: "The directory in which runs are kept.", completion: .directory)
    var runs: String = "runs"

    @OptionGroup var output: OutputOptions

    func execute(_ output: CommandOutput) throws {
        let shutdown = Shutdown()
        Signals.endCleanly(shutdown)
        let summary = try follow(shutdown, output)
        output.finish(summary.document, text: Self.closing(summary))
    }

    private func follow(_ shutdown: Shutdown, _ output: CommandOutput) throws -> RunSummary {
        let overrides = Federation.Overrides(rounds: rounds, seed: seed)
        let draft = try Federation(path: topology, keys: "", overrides: overrides)
        // What every node would stumble over is said once, before anything is started.
        _ = try draft.data().architecture()
        let directory = try RunDirectory(new: draft.topology.federation, below: runs)
        let federation = try Federation(path: topology, keys: directory.keys, overrides: overrides)
        try federation.createKeys()
        var words: [String] = []
        if let rounds { words += ["--rounds", "\(rounds)"] }
        if let seed { words += ["--seed", "\(seed)"] }
        let tree = federation.tree
        output.note(
            "\(federation.topology.federation): \(tree.aggregators.count) aggregators and \(tree.deviceCount) devices, "
                + "seed \(federation.topology.seed), run directory \(directory.path)")
        let supervisor = Supervisor(
            topology: topology, tree: tree, overrides: words, directory: directory, shutdown: shutdown)
        var view = RunView(isTerminal: Terminal.isInteractive(STDERR_FILENO))
        defer { view.clearStatus() }
        return try supervisor.run { tracker, row in
            view.show(tracker, row)
            if let row { output.event("round", row.fields) }
        }
    }

    private static func closing(_ summary: RunSummary) -> String {
        """
        accuracy \(RunView.fixed(summary.final.accuracy, 4)), loss \(RunView.fixed(summary.final.loss, 4)) \
        after \(summary.rounds.count) rounds in \(RunView.fixed(summary.wallSeconds, 1)) s, \
        \(RunView.bytes(summary.peakResidentBytes)) resident in all processes, seed \(summary.seed)
        model \(summary.model)

        """
    }
}
