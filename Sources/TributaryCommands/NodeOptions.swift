// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import TributaryClient
import TributaryCore
import TributaryRuntime
import TributaryTelemetry
import TributaryTopology

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

/// Where parents are, when not where the topology says.
struct ParentOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Reach the parent here instead, for example tcp://10.0.0.7:7100; with NAME= in front, one to turn to.",
            valueName: "endpoint"))
    var connect: [String] = []

    /// What was given, told apart.
    func endpoints() throws -> ParentEndpoints {
        let plain = connect.filter { !$0.contains("=") }
        guard plain.count < 2 else {
            throw CommandError(
                "node.connect", "--connect is given \(plain.count) times without a name",
                hint: "write NAME=ENDPOINT for parents beyond the first", exit: .usage)
        }
        return ParentEndpoints(
            first: plain.first, named: try Self.named(connect.filter { $0.contains("=") }, "node.connect"))
    }

    /// Reads `NAME=ENDPOINT`, each name once.
    static func named(_ texts: [String], _ code: String) throws -> [NodeName: String] {
        var endpoints: [NodeName: String] = [:]
        for text in texts {
            let parts = text.split(separator: "=", maxSplits: 1).map { String($0) }
            let endpoint = parts.count == 2 ? Endpoint(parts[1]) : nil
            guard let endpoint, !endpoint.isWildcard, endpoint.port != 0, NodeName.isValid(parts[0]) else {
                throw CommandError(
                    code, "'\(text)' is not NAME=ENDPOINT",
                    hint: "for example --connect plant-north=tcp://10.0.0.7:7101", exit: .usage)
            }
            guard endpoints.updateValue(parts[1], forKey: NodeName(parts[0])) == nil else {
                throw CommandError(
                    code, "--connect is given twice for '\(parts[0])'", hint: "leave one out", exit: .usage)
            }
        }
        return endpoints
    }
}
