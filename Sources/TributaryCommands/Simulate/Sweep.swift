// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import TributaryBus
import TributaryClient
import TributaryCore
import TributaryFiles
import TributaryReport
import TributaryRuntime
import TributaryTopology

/// Runs a grid of simulations, each as a process of its own, so many at a time.
///
/// A point that fails does not hold up the others. Whatever happens, no process is left: each ends when its standard
/// input does, and at once when it has been asked to end before.
final class Sweep {
    /// Where the files of a grid lie, relative to its directory.
    enum Name {
        static let record = "sweep.json"
        static let report = "compare.html"
    }

    /// How often the record is saved while the grid runs.
    private static let saveInterval = Duration.seconds(10)

    private let plan: SweepPlan
    private let jobCount: Int
    private let roundCount: UInt32
    /// The arguments of every point, but for its directory and settings.
    private let arguments: [String]
    private let shutdown: Shutdown
    private let output: CommandOutput
    private(set) var summary: SweepSummary
    private var view: SweepView
    private var processes: [SweepProcess] = []
    private var nextIndex = 0
    private var isEnding = false
    private var nextSave = Bus.now()

    /// A grid that has not begun; `roundCount` is how long a point is where it does not say so, for the progress alone.
    init(
        _ plan: SweepPlan, _ summary: SweepSummary, jobCount: Int, roundCount: UInt32, arguments: [String],
        _ shutdown: Shutdown, _ output: CommandOutput
    ) {
        self.plan = plan
        self.summary = summary
        self.jobCount = jobCount
        self.roundCount = roundCount
        self.arguments = arguments
        self.shutdown = shutdown
        self.output = output
        view = SweepView(summary)
    }

    /// Runs all points, or those that there is time for until somebody asks for the end.
    ///
    /// - Throws: `FilesError` when the grid's own files cannot be written; all processes have ended then, too.
    func run() throws {
        do {
            try save()
            while true {
                if shutdown.isRequested { askAll() }
                while !isEnding, processes.count < jobCount, nextIndex < plan.pointCount { startNext() }
                guard !processes.isEmpty else { break }
                wait()
                try reap()
                view.look(doneCount: nextIndex - processes.count, parts: parts, isEnding: isEnding)
            }
        } catch {
            askAll()
            while !processes.isEmpty {
                wait()
                try? reap()
            }
            throw error
        }
        view.clearStatus()
    }

    private var parts: [(number: Int, share: Double)] {
        processes.map { running in
            let own = summary.points[running.index].settings.first { $0.key == "rounds" }.flatMap { Double($0.value) }
            return (running.index + 1, min(1, Double(running.round) / max(1, own ?? Double(roundCount))))
        }
    }

    // MARK: Processes

    private func startNext() {
        let index = nextIndex
        nextIndex += 1
        let point = summary.points[index]
        let settings = plan.settings(of: index).flatMap { ["--set", "\($0)"] }
        do {
            try Directory.create(point.directory)
            let words = arguments + ["--directory", point.directory] + settings
            processes.append(try SweepProcess(index: index, directory: point.directory, arguments: words))
            summary.points[index].state = .running
        } catch {
            summary.points[index].state = .failed
            summary.points[index].failure = .init(code: "simulate.not_started", message: "\(error)")
            tell(index)
        }
    }

    private func askAll() {
        guard !isEnding else { return }
        isEnding = true
        for running in processes { running.process.signal(SIGTERM) }
    }

    private func wait() {
        var descriptors = processes.map { pollfd(fd: $0.process.output, events: Int16(POLLIN), revents: 0) }
        _ = poll(&descriptors, nfds_t(descriptors.count), 100)
        // A process that has closed its output and not ended yet would be polled without a pause.
        let hasNews = descriptors.contains { $0.revents & Int16(POLLIN) != 0 }
        if !hasNews, descriptors.contains(where: { $0.revents & Int16(POLLHUP) != 0 }) { usleep(1000) }
    }

    /// Reads what the processes say, and takes the results of those that have ended.
    private func reap() throws {
        var running: [SweepProcess] = []
        var ended: [SweepProcess] = []
        for var process in processes {
            // The status first: what a process said before its end is then complete.
            let hasEnded = process.process.hasEnded()
            process.takeLines()
            if hasEnded { ended.append(process) } else { running.append(process) }
        }
        processes = running
        for process in ended {
            take(process)
            tell(process.index)
        }
        if !ended.isEmpty, Bus.now() >= nextSave { try save() }
    }

    private func take(_ process: SweepProcess) {
        var point = summary.points[process.index]
        point.failure = process.reason
        do {
            let run = try RunFile.read(point.directory)
            point.take(run)
            point.state = run.isComplete && point.failure == nil ? .complete : .failed
        } catch {
            point.state = .failed
            if point.failure == nil { point.failure = .init(code: "file.failed", message: "\(error)") }
        }
        // One that had hardly begun was ended by the signal itself.
        if point.failure?.code == "run.stopped" || (isEnding && process.process.status == SIGTERM) {
            point.state = .stopped
            point.failure = nil
        }
        summary.points[process.index] = point
    }

    private func tell(_ index: Int) {
        let point = summary.points[index]
        view.show(point)
        guard case .mapping(let fields) = point.document else { return }
        output.event("point", fields)
    }

    // MARK: Files

    private func save(report: String? = nil) throws {
        nextSave = Bus.now() + Self.saveInterval
        let text = summary.document(report: report).json(indent: 1) + "\n"
        try AtomicFile.write(Array(text.utf8), to: "\(summary.directory)/\(Name.record)")
    }

    /// Writes the page that compares the points and the whole record.
    ///
    /// - Returns: the page, when there are two points to compare, and how many are on it.
    /// - Throws: `FilesError` when a file cannot be written or a run's record is gone.
    func finish() throws -> (path: String, count: Int)? {
        let entries = try summary.representatives(max: RunComparison.runCountMax).map { point in
            RunComparison.Entry(
                name: "\(point.number): \(view.label(point))", run: try RunFile.read(point.directory))
        }
        guard entries.count > 1 else {
            try save()
            return nil
        }
        let path = "\(summary.directory)/\(Name.report)"
        try AtomicFile.write(Array(RunComparison(entries).html.utf8), to: path)
        try save(report: path)
        return (path, entries.count)
    }
}
