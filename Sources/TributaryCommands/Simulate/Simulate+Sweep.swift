// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import TributaryClient
import TributaryReport
import TributaryRuntime
import TributaryTopology
import TributaryTopologyFile

// A grid of runs: what its options mean, and what is told at its end.

/// Options of a grid of runs.
struct SweepOptions: ParsableArguments {
    @Option(help: "Run so many points of a grid at a time; one for each processor by default.")
    var jobs: Int?

    // A grid starts its points with these.
    @Option(help: .hidden)
    var directory: String?

    @Flag(help: .hidden)
    var endWithStandardInput = false

    func validate() throws {
        if let jobs, !(1...256).contains(jobs) { throw ValidationError("--jobs takes 1 to 256") }
    }
}

extension Simulate {
    /// Several failures of which no more than this many are told in full; all are in the record.
    private static let failureCountMax = 20
    /// Points that are looked at to find one whose topology can be read.
    private static let draftCountMax = 64

    /// What is wrong with options that do not go together.
    func validateSweep() throws {
        let axes = try settings.axes()
        for (option, isGiven) in [("rounds", rounds != nil), ("seed", seed != nil)] where isGiven {
            guard !axes.contains(where: { $0.path == option }) else {
                throw ValidationError("--\(option) and --set \(option) say the same; give one of them")
            }
        }
        let count = axes.reduce(1.0) { $0 * Double($1.settings.count) }
        guard count <= Double(SweepPlan.pointCountMax) else {
            throw ValidationError("the grid has \(UInt64(count)) points, at most \(SweepPlan.pointCountMax) are run")
        }
        if resume != nil, count > 1 {
            throw ValidationError("--resume goes on with one run; give each --set the value of that run")
        }
    }

    func execute(_ plan: SweepPlan, _ shutdown: Shutdown, _ output: CommandOutput) throws {
        let draft = try draft(plan)
        let jobCount = min(sweep.jobs ?? Machine.processorCount, plan.pointCount)
        let threadCount = threads ?? max(1, Machine.processorCount / jobCount)
        let name = "\(draft.topology.federation)-sweep"
        let summary = plan.summary(
            federation: draft.topology.federation, directory: RunDirectory.unusedPath(of: name, below: runs))
        output.note(
            "\(draft.topology.federation): \(plan.pointCount) runs, \(jobCount) at a time with "
                + "\(threadCount == 1 ? "1 thread" : "\(threadCount) threads") each, directory \(summary.directory)")
        let sweep = Sweep(
            plan, summary, jobCount: jobCount, roundCount: draft.topology.rounds,
            arguments: arguments(threadCount: threadCount), shutdown, output)
        try sweep.run()
        let report = try sweep.finish()
        let text = Self.text(sweep.summary, report)
        let data = sweep.summary.document(report: report?.path)
        guard let failure = failure(sweep.summary, isStopped: shutdown.isRequested) else {
            return output.finish(data, text: text)
        }
        output.finish(data, text: text, failing: failure)
        throw ExitCode(failure.exit.rawValue)
    }

    /// The first point whose topology can be read; where none of those that are tried can, nothing is started.
    private func draft(_ plan: SweepPlan) throws -> Federation {
        let stride = max(1, plan.pointCount / Self.draftCountMax)
        var first: (any Error)?
        for index in Swift.stride(from: 0, to: plan.pointCount, by: stride) {
            do {
                let overrides = Federation.Overrides(rounds: rounds, seed: seed, settings: plan.settings(of: index))
                return try Federation(path: topology, keys: "", overrides: overrides)
            } catch {
                first = first ?? error
            }
        }
        throw first ?? CommandError("usage", "the grid has no points", exit: .usage)
    }

    private func arguments(threadCount: Int) -> [String] {
        ["simulate", topology, "--format", "jsonl", "--end-with-standard-input", "--threads", "\(threadCount)"]
            + (rounds.map { ["--rounds", "\($0)"] } ?? []) + (seed.map { ["--seed", "\($0)"] } ?? [])
            + (force ? ["--force"] : [])
    }

    private func failure(_ summary: SweepSummary, isStopped: Bool) -> CommandError? {
        let complete = "\(summary.count(.complete)) of \(summary.points.count) points are complete"
        if isStopped {
            return CommandError(
                "run.stopped", "the grid was stopped; \(complete)",
                hint: "what there is lies in \(summary.directory)")
        }
        let failed = summary.count(.failed)
        guard failed > 0 else { return nil }
        return CommandError(
            "sweep.failed", "\(failed == 1 ? "1 point" : "\(failed) points") failed; \(complete)",
            hint: "each point's directory in \(summary.directory) has a log")
    }

    // MARK: Text

    private static func text(_ summary: SweepSummary, _ report: (path: String, count: Int)?) -> String {
        let width = Terminal.isInteractive(STDOUT_FILENO) ? Terminal.width(STDOUT_FILENO) : nil
        var text = table(summary, width: width)
        let failed = summary.points.filter { $0.failure != nil }
        if !failed.isEmpty { text += "\n" }
        for point in failed.prefix(failureCountMax) {
            text += "point \(point.number) \(point.state.rawValue): \(point.failure?.message ?? "")\n"
        }
        if failed.count > failureCountMax { text += "and \(failed.count - failureCountMax) more\n" }
        text += "\nrecord \(summary.directory)/\(Sweep.Name.record)\n"
        guard let report else { return text }
        let part = report.count == summary.points.count ? "" : ", \(report.count) of \(summary.points.count) points"
        return text + "report \(report.path)\(part)\n"
    }

    /// The table with whole paths as titles, or with their last words where the terminal is too narrow for those.
    private static func table(_ summary: SweepSummary, width: Int?) -> String {
        let (titles, rows) = summary.table(areShort: false)
        let text = TextTable.text(titles: titles, rows: rows)
        guard let width, text.split(separator: "\n").contains(where: { $0.count > width }) else { return text }
        let short = summary.table(areShort: true)
        return TextTable.text(titles: short.titles, rows: short.rows)
    }
}
