// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import TributaryClient
import TributaryCore
import TributaryRuntime
import TributaryTelemetry

/// What `node`, `device` and `fleet` have in common.
struct NodeOptions: ParsableArguments {
    @Argument(help: "The topology file.", completion: .file(extensions: ["yaml", "yml"]))
    var topology: String

    @Option(help: "The directory of key files.", completion: .directory)
    var keys: String = "keys"

    @Option(help: "The directory for objects and state; default state/NAME.", completion: .directory)
    var state: String?

    @Flag(help: .hidden)
    var endWithStandardInput = false

    /// Loads the federation, takes the signals, and serves: events go to the log, and as lines to stdout in `jsonl`.
    func serve(
        _ output: CommandOutput, _ overrides: Federation.Overrides, keys otherKeys: String? = nil,
        _ serve: (Federation, Shutdown, @escaping (EventRecord) -> Void) throws -> Void
    ) throws {
        let shutdown = Shutdown()
        Signals.endCleanly(shutdown)
        if endWithStandardInput { Signals.endWithStandardInput(shutdown) }
        let federation = try Federation(path: topology, keys: otherKeys ?? keys, overrides: overrides)
        try serve(federation, shutdown) { record in
            if output.format == .jsonl { Terminal.write(record.json + "\n", to: STDOUT_FILENO) }
            if record.level != .debug { output.note("\(Clock.timestamp()) \(record.text)") }
        }
    }
}

/// Where a single parent is, when not where the topology says.
struct ParentOptions: ParsableArguments {
    @Option(help: "Reach the parent here instead, for example tcp://10.0.0.7:7100.")
    var connect: String?
}
