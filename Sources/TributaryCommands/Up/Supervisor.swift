// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import TributaryBus
import TributaryClient
import TributaryCore
import TributaryFiles
import TributaryRuntime
import TributaryTopology

/// Runs a whole topology on this machine: one process for each node, from the root down.
///
/// A node is started when its parent listens, and told where; one that is killed is started again, and goes on where
/// its journal ends. The run ends when the root says so or somebody asks.
final class Supervisor {
    private let tree: Tree
    private let directory: RunDirectory
    private let arguments: [String]
    private let overrides: [String]
    private let topology: String
    private let shutdown: Shutdown
    private var processes: [NodeProcess] = []
    private(set) var tracker: RunTracker
    private var peakResidentBytes: UInt64 = 0
    /// When there was nothing left to wait for.
    private var end: Moment?
    private var nextLook = Bus.now()
    private var restarts = Restarts()
    /// The errors that nodes ended with, by name.
    private var failures: [String: FailureLine] = [:]

    /// A supervisor that gives the root the options in `overrides`, such as `--rounds 3`; other nodes follow its plans.
    init(
        topology: String, tree: Tree, record: RunRecord, overrides: [String], directory: RunDirectory,
        shutdown: Shutdown
    ) {
        self.topology = topology
        self.tree = tree
        self.directory = directory
        self.shutdown = shutdown
        arguments = ["--keys", directory.keys, "--format", "jsonl", "--end-with-standard-input"]
        self.overrides = overrides
        tracker = RunTracker(tree: tree, record: record, start: Bus.now())
    }

    /// Starts everything and follows the run to its end; `show` hears of each completed round and of each look.
    ///
    /// - Throws: `CommandError` when the root ends early or the run is stopped; whatever happens, no process is left.
    func run(_ show: (RunTracker, RunRecord.Round?) throws -> Void) throws {
        defer {
            end = Bus.now()
            endAll()
        }
        try start(node: tree.aggregators[Tree.root].name.value, connect: nil)
        while !tracker.isFinished {
            waitForOutput()
            for process in processes {
                for line in process.takeLines() { try take(line, of: process.name, show) }
            }
            try lookAround(show)
            try show(tracker, nil)
        }
        let end = Bus.now() + .seconds(10)
        while Bus.now() < end, processes.contains(where: { !$0.hasEnded() }), !shutdown.isRequested {
            waitForOutput()
            for process in processes {
                for line in process.takeLines() { try take(line, of: process.name, show) }
            }
        }
        while let row = tracker.takeWaiting() { try show(tracker, row) }
    }

    /// What there is of the run, whole or cut short.
    var record: RunRecord { tracker.record(at: end ?? Bus.now(), peakResidentBytes: peakResidentBytes) }

    private func take(
        _ line: String, of name: String, _ show: (RunTracker, RunRecord.Round?) throws -> Void
    ) throws {
        guard let event = EventLine(line) else {
            if let failure = FailureLine(line) { failures[name] = failure }
            return
        }
        if event.event == "listening", let endpoint = event.endpoint,
            restarts.listens(event.node, at: endpoint)
        {
            try startChildren(of: event.node, at: endpoint)
        }
        if let row = tracker.take(event, at: Bus.now()) { try show(tracker, row) }
    }

    // MARK: Starting

    private func startChildren(of name: String, at endpoint: String) throws {
        guard case .aggregator(let position)? = tree.node(named: NodeName(name)) else { return }
        let node = tree.aggregators[position]
        for child in node.children { try start(node: tree.aggregators[child].name.value, connect: endpoint) }
        for (place, client) in node.devices.indices.enumerated() {
            let device = tree.deviceName(client).value
            try spawn(
                device, ["device", topology, "--parent", name, "--first", "\(place)", "--connect", endpoint])
        }
        try writeProcesses()
    }

    private func writeProcesses() throws {
        try directory.write(processes: [(getpid(), "up")] + processes.map { ($0.pid, $0.name) })
    }

    private func start(node name: String, connect: String?) throws {
        let link = connect.map { ["--connect", $0] } ?? overrides
        try spawn(name, ["node", topology, "--name", name, "--listen", "tcp://127.0.0.1:*"] + link)
    }

    private func spawn(_ name: String, _ verb: [String]) throws {
        let words = verb + arguments + ["--state", directory.state(of: name)]
        restarts.started(name, words)
        processes.append(try NodeProcess(name: name, arguments: words, log: directory.log(of: name)))
    }

    /// Starts nodes that were killed again, when their time has come; fail points have done their work by then.
    private func startAgain(at now: Moment) throws {
        let due = restarts.takeDue(at: now)
        for (name, words) in due {
            let process = try NodeProcess(
                name: name, arguments: words, log: directory.log(of: name), unset: [FailPoints.variable])
            processes.removeAll { $0.name == name }
            processes.append(process)
            tracker.restarted(name)
        }
        if !due.isEmpty { try writeProcesses() }
    }

    /// Takes the last lines of nodes that were killed, and has them started again unless that happens too often.
    private func noteKilled(
        at now: Moment, _ show: (RunTracker, RunRecord.Round?) throws -> Void
    ) throws {
        let killed = processes.filter { $0.hasEnded() && $0.wasKilled && !restarts.isWaiting($0.name) }
        for process in killed {
            for line in process.takeLines() { try take(line, of: process.name, show) }
            if tracker.isFinished { return }
            guard !restarts.died(process.name, at: now) else { continue }
            throw CommandError(
                "run.node_ended",
                "'\(process.name)' was killed \(Restarts.countMax + 1) times within a minute; it is not started again",
                hint: "its log is \(directory.log(of: process.name))")
        }
    }

    // MARK: Watching

    private func waitForOutput() {
        var descriptors = processes.filter { $0.status == nil }.map {
            pollfd(fd: $0.output, events: Int16(POLLIN), revents: 0)
        }
        _ = poll(&descriptors, nfds_t(descriptors.count), 100)
    }

    private func lookAround(_ show: (RunTracker, RunRecord.Round?) throws -> Void) throws {
        if shutdown.isRequested { throw CommandError("run.stopped", "the run was stopped before its last round") }
        let now = Bus.now()
        try noteKilled(at: now, show)
        try startAgain(at: now)
        guard now >= nextLook else { return }
        nextLook = now + .milliseconds(500)
        peakResidentBytes = max(peakResidentBytes, processes.reduce(0) { $0 + $1.residentBytes })
        let root = tree.aggregators[Tree.root].name.value
        for process in processes where process.hasEnded() && !process.wasKilled {
            // Devices and regions may end: their rounds close by quorum. Nothing goes on without the root.
            guard process.name == root, !tracker.isFinished else { continue }
            for line in process.takeLines() { try take(line, of: process.name) { _, _ in } }
            if tracker.isFinished { return }
            throw ended(process)
        }
        if let failed = processes.first(where: { $0.hasEnded() && !$0.wasKilled && !$0.endedWell }),
            tracker.now.round == 0
        {
            for line in failed.takeLines() { try take(line, of: failed.name) { _, _ in } }
            throw ended(failed)
        }
    }

    private func ended(_ process: NodeProcess) -> CommandError {
        let log = directory.log(of: process.name)
        if let failure = failures[process.name] {
            let exit = process.exitCode.flatMap { CommandExit(rawValue: $0) } ?? .failed
            return CommandError(
                failure.code, "'\(process.name)': \(failure.message)", hint: failure.hint ?? "its log is \(log)",
                at: failure.at, exit: exit)
        }
        let lines = lastLogLines(of: process.name).map { "\n  \($0)" }.joined()
        return CommandError(
            "run.node_ended", "'\(process.name)' ended before the run was over\(lines)", hint: "its log is \(log)")
    }

    private func lastLogLines(of name: String) -> [String] {
        guard let file = fopen(directory.log(of: name), "r") else { return [] }
        defer { fclose(file) }
        var lines: [String] = []
        var buffer = [CChar](repeating: 0, count: 2048)
        while fgets(&buffer, Int32(buffer.count), file) != nil {
            let bytes = buffer.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }
            lines.append(String(decoding: bytes, as: UTF8.self))
        }
        return Array(lines.suffix(3))
    }

    // MARK: Ending

    /// Ends every process: asks, waits, and kills what does not listen.
    private func endAll() {
        for (signal, patience) in [(SIGTERM, Duration.seconds(8)), (SIGKILL, .seconds(5))] {
            for process in processes where !process.hasEnded() { process.signal(signal) }
            let end = Bus.now() + patience
            while Bus.now() < end, processes.contains(where: { !$0.hasEnded() }) {
                waitForOutput()
                for process in processes { _ = process.takeLines() }
            }
            if processes.allSatisfy({ $0.hasEnded() }) { return }
        }
    }
}
