// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TributaryFiles

/// `tributary bench`: our figures beside this machine's own limits, measured in the same run.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure this build on this machine, each figure beside the machine's own limit.",
        subcommands: [Fold.self, Memory.self])

    struct Fold: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Fold 16 updates of 4 M float32 on one core, against its read bandwidth.")
        @OptionGroup var output: OutputOptions
        func run() throws { try output.run("bench fold") { CommandResult(try FoldBenchmark.run()) } }
    }

    struct Memory: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The anonymous memory of an aggregator that folds a large model, against its bound.")

        @Option(help: "Parameters of the model; 300 M are a model of 1.2 GB.")
        var parameters: Int = 300_000_000

        @Option(help: "How many updates are folded.")
        var updates: Int = 3

        @Option(help: "Where models are put; needs room for about six.", completion: .directory)
        var directory: String = "bench-memory"

        @OptionGroup var output: OutputOptions

        func validate() throws {
            guard (1...1_000_000_000).contains(parameters), (1...1000).contains(updates) else {
                throw ValidationError("parameters lie in 1...1000000000, updates in 1...1000")
            }
        }

        func run() throws {
            try output.run("bench memory") {
                defer { Directory.removeAll(directory) }
                return CommandResult(
                    try MemoryBenchmark.run(
                        parameterCount: parameters, updateCount: updates, directory: directory))
            }
        }
    }
}

extension CommandResult {
    private struct Measured: Encodable {
        var name: String
        var value: Double
        var unit: String
        var limit: Double
        var ratio: Double
        var details: [String: String]
    }

    /// A benchmark's result, as the command line shows it.
    init(_ result: BenchmarkResult) {
        let details = Dictionary(result.details.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        let lines = ["\(result.name): \(Self.scaled(result.value)) \(result.unit), limit \(Self.scaled(result.limit)) "
            + "\(result.unit), ratio \(RunView.fixed(result.ratio, 3))"]
            + result.details.map { "  \($0.name): \($0.value)" }
        self.init(
            data: Measured(
                name: result.name, value: result.value, unit: result.unit, limit: result.limit, ratio: result.ratio,
                details: details),
            text: lines.joined(separator: "\n"))
    }

    private static func scaled(_ value: Double) -> String {
        for (size, prefix) in [(1e9, "G"), (1e6, "M"), (1e3, "k")] where value >= size {
            return RunView.fixed(value / size, 2) + " " + prefix
        }
        return RunView.fixed(value, 2)
    }
}
