// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import TributaryClient
import TributaryCore
import TributaryReport
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
        let overrides = Federation.Overrides(rounds: rounds, seed: seed)
        let draft = try Federation(path: topology, keys: "", overrides: overrides)
        // What every node would stumble over is said once, before anything is started.
        let data = try draft.data()
        _ = try data.architecture()
        let directory = try RunDirectory(new: draft.topology.federation, below: runs)
        let federation = try Federation(path: topology, keys: directory.keys, overrides: overrides)
        try federation.createKeys()
        output.note(
            "\(federation.topology.federation): \(federation.tree.aggregators.count) aggregators and "
                + "\(federation.tree.deviceCount) devices, seed \(federation.topology.seed), "
                + "run directory \(directory.path)")
        let writer = try RunWriter(directory: directory.path)
        var record = Self.record(federation, directory)
        record.labels = try .init(federation.tree, data)
        try writer.begin(record)
        let supervisor = Supervisor(
            topology: topology, tree: federation.tree, record: record, overrides: overrideWords, directory: directory,
            shutdown: shutdown)
        do {
            try follow(supervisor, writer, output)
        } catch {
            // What there is of a run is worth keeping; why it ended matters more than whether that worked.
            try? writer.finish(supervisor.record)
            output.note("what there is of the run is in \(directory.path)/\(RunWriter.Name.report)")
            throw error
        }
        let whole = supervisor.record
        try writer.finish(whole)
        output.finish(whole.document, text: Self.closing(whole, directory))
    }

    private var overrideWords: [String] {
        (rounds.map { ["--rounds", "\($0)"] } ?? []) + (seed.map { ["--seed", "\($0)"] } ?? [])
    }

    private static func record(_ federation: Federation, _ directory: RunDirectory) -> RunRecord {
        var record = RunRecord(command: "up", version: Version.current, tree: federation.tree)
        let root = federation.tree.aggregators[Tree.root].name.value
        record.topologySHA256 = "\(federation.digest)"
        record.startedAt = Clock.secondsSince1970()
        record.modelPath = directory.state(of: root) + "/model.safetensors"
        record.directory = directory.path
        return record
    }

    /// Follows a run to its end: rounds are shown when they can be, and written when nothing changes them any more.
    private func follow(_ supervisor: Supervisor, _ writer: RunWriter, _ output: CommandOutput) throws {
        var view = RunView(isTerminal: Terminal.isInteractive(STDERR_FILENO))
        defer { view.clearStatus() }
        var written: UInt32 = 0
        try supervisor.run { tracker, row in
            view.show(tracker, row)
            guard let row else { return }
            output.event("round", row.fields)
            for round in tracker.settledRounds where round.round > written {
                try writer.round(round)
                written = round.round
            }
        }
    }

    private static func closing(_ record: RunRecord, _ directory: RunDirectory) -> String {
        """
        accuracy \(NumberText.fixed(record.final.accuracy, 4)), loss \(NumberText.fixed(record.final.loss, 4)) \
        after \(NumberText.count(UInt64(record.rounds.count), of: "round")) \
        in \(NumberText.fixed(record.wallSeconds, 1)) s, \
        \(NumberText.bytes(record.peakResidentBytes)) resident in all processes, seed \(record.seed)
        model \(record.modelPath ?? "-")
        report \(directory.path)/\(RunWriter.Name.report)

        """
    }
}
