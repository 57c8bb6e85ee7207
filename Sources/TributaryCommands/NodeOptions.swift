// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TributaryClient
import TributaryCore
import TributaryRuntime
import TributaryTelemetry

/// What `node` and `device` have in common.
struct NodeOptions: ParsableArguments {
    @Argument(help: "The topology file.", completion: .file(extensions: ["yaml", "yml"]))
    var topology: String

    @Option(help: "The directory of key files.", completion: .directory)
    var keys: String = "keys"

    @Option(help: "The directory for objects and state; default state/NAME.", completion: .directory)
    var state: String?

    @Option(help: "Reach the parent here instead, for example tcp://10.0.0.7:7100.")
    var connect: String?

    @Option(help: "Run so many rounds instead of the file's.")
    var rounds: UInt32?

    @Option(help: "Use this seed instead of the file's.")
    var seed: UInt64?

    @Option(help: "text logs to stderr alone; jsonl also prints one event a line to stdout.")
    var format: NodeOutput = .text

    @Flag(help: .hidden)
    var endWithStandardInput = false

    /// Loads the federation, takes the signals, and serves.
    func run(
        as name: String, _ serve: (Federation, Shutdown, @escaping (EventRecord) -> Void) throws -> Void
    ) throws {
        let shutdown = Shutdown()
        Signals.endCleanly(shutdown)
        if endWithStandardInput { Signals.endWithStandardInput(shutdown) }
        let federation = try Federation(path: topology, keys: keys, overrides: .init(rounds: rounds, seed: seed))
        let output = EventOutput(printsEvents: format == .jsonl)
        try serve(federation, shutdown) { output.write($0) }
    }
}

/// Where a node's events go.
enum NodeOutput: String, ExpressibleByArgument, CaseIterable {
    case text
    case jsonl
}

/// Writes events: a text line to the log, and an event line to standard output when asked.
struct EventOutput {
    let printsEvents: Bool

    func write(_ record: EventRecord) {
        if printsEvents { Console.out(record.json) }
        if record.level != .debug { Console.log("\(Clock.timestamp()) \(record.text)") }
    }
}
