// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import TributaryBus
import TributaryCore
import TributaryFiles
import TributaryTopology

/// `tributary down`: ends a run that `up` started elsewhere.
struct Down: Verb {
    static let configuration = CommandConfiguration(
        abstract: "End a run that `tributary up` started, and all of its processes.")

    @Argument(help: "The run's directory; the newest below --runs when left out.", completion: .directory)
    var directory: String?

    @Option(help: "The directory in which runs are kept.", completion: .directory)
    var runs: String = "runs"

    @OptionGroup var output: OutputOptions

    func execute(_ output: CommandOutput) throws {
        let path = try directory ?? newest()
        let run = RunDirectory(existing: path)
        let alive = try run.processes().filter { Self.isOurs($0.pid) }
        // The supervisor ends its nodes itself; whatever is left after it is asked one by one.
        for (signal, patience) in [(SIGTERM, Duration.seconds(15)), (SIGKILL, .seconds(5))] {
            end(alive, signal, patience)
        }
        let names = alive.map(\.name)
        let text = names.isEmpty ? "nothing of \(path) is running" : "ended \(names.count) processes of \(path)"
        output.finish(
            .mapping([.init("run", .text(path)), .init("ended", .list(names.map { .text($0) }))]),
            text: text + "\n")
    }

    private func newest() throws -> String {
        let names = (try? Directory.names(in: runs)) ?? []
        guard let name = names.filter({ access("\(runs)/\($0)/pids", F_OK) == 0 }).max() else {
            throw FilesError.missing(path: runs, remedy: "name the run's directory; nothing was started from here")
        }
        return "\(runs)/\(name)"
    }

    private func end(_ processes: [(pid: Int32, name: String)], _ signal: Int32, _ patience: Duration) {
        var left = processes.filter { Self.isOurs($0.pid) }
        guard let first = left.first else { return }
        kill(first.pid, signal)
        if first.name != "up" || signal == SIGKILL { for process in left.dropFirst() { kill(process.pid, signal) } }
        let end = Bus.now() + patience
        while !left.isEmpty, Bus.now() < end {
            _ = poll(nil, 0, 50)
            left = left.filter { Self.isOurs($0.pid) }
            if left.allSatisfy({ $0.name != "up" }) { for process in left { kill(process.pid, signal) } }
        }
    }

    /// Whether a process is one of this program: a number may have been given to another since.
    private static func isOurs(_ pid: Int32) -> Bool {
        guard let bytes = try? SmallFile.read("/proc/\(pid)/cmdline", byteCountMax: 1 << 16) else { return false }
        let program = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        return program == "tributary" || program.hasSuffix("/tributary")
    }
}
