// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TributaryFiles
import TributaryReport
import TributaryTopology

/// `tributary bench`: our figures beside this machine's own limits, measured in the same run.
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure this build on this machine, each figure beside the machine's own limit.",
        subcommands: [
            Fold.self, BusRound.self, Signatures.self, Transfer.self, Memory.self, Fleet.self, BusDevices.self,
            TransferNode.self,
        ])

    struct Fold: Verb {
        static let commandPath = "bench fold"
        static let configuration = CommandConfiguration(
            abstract: "Fold 16 updates of 4 M float32 on one core, against its read bandwidth.")
        @OptionGroup var output: OutputOptions
        func execute(_ output: CommandOutput) throws { output.finish(try FoldBenchmark.run()) }
    }

    struct BusRound: Verb {
        static let commandPath = "bench bus"
        static let configuration = CommandConfiguration(
            commandName: "bus",
            abstract: "Move a model to many devices and their updates back over CURVE, against plain libzmq.")

        @Option(help: "How many devices take part.")
        var devices: Int = 20

        @Option(help: "Bytes of the model, and of each update.")
        var bytes: Int = 4_000_000

        @Option(help: "How often each version is timed.")
        var repetitions: Int = 7

        @Option(help: "Where objects are put.", completion: .directory)
        var directory: String = "bench-bus"

        @OptionGroup var output: OutputOptions

        func validate() throws {
            guard (1...1000).contains(devices), (1...1_000_000_000).contains(bytes), (1...1000).contains(repetitions)
            else {
                throw ValidationError(
                    "devices and repetitions lie in 1...1000, bytes in 1...1000000000")
            }
        }

        func execute(_ output: CommandOutput) throws {
            defer { Directory.removeAll(directory) }
            output.finish(
                try BusBenchmark.run(
                    .init(
                        deviceCount: devices, objectByteCount: bytes, repetitions: repetitions, directory: directory)))
        }
    }

    struct Signatures: Verb {
        static let commandPath = "bench signatures"
        static let configuration = CommandConfiguration(
            abstract: "Check updates' signatures on one core, against Ed25519 alone.")
        @OptionGroup var output: OutputOptions
        func execute(_ output: CommandOutput) throws { output.finish(try SignatureBenchmark.run()) }
    }

    struct Transfer: Verb {
        static let commandPath = "bench transfer"
        static let configuration = CommandConfiguration(
            abstract: "Move a large object from cloud to edge to device and back, each connection broken on the way.",
            discussion: "Three processes; the figure is the anonymous memory of the largest, against its bound.")

        @Option(help: "Bytes of the object.")
        var bytes: Int = 1_200_000_000

        @Option(help: "Where objects are put; needs room for six.", completion: .directory)
        var directory: String = "bench-transfer"

        @OptionGroup var output: OutputOptions

        func validate() throws {
            guard (10_000_000...4_000_000_000).contains(bytes) else {
                throw ValidationError("bytes lie in 10000000...4000000000")
            }
        }

        func execute(_ output: CommandOutput) throws {
            defer { Directory.removeAll(directory) }
            output.finish(try TransferBenchmark.run(byteCount: bytes, directory: directory))
        }
    }

    struct Fleet: Verb {
        static let commandPath = "bench simulate"
        static let configuration = CommandConfiguration(
            commandName: "simulate",
            abstract: "Simulate small fleets that really train, against training alone on the same threads.")

        @Option(help: "How often each version is timed.")
        var repetitions: Int = 5

        @Option(help: "Compute on so many threads; one for each processor by default.")
        var threads: Int?

        @OptionGroup var output: OutputOptions

        func validate() throws {
            guard (1...1000).contains(repetitions), (1...1024).contains(threads ?? 1) else {
                throw ValidationError("repetitions lie in 1...1000, threads in 1...1024")
            }
        }

        func execute(_ output: CommandOutput) throws {
            output.finish(
                try SimulationBenchmark.run(
                    repetitions: repetitions, threadCount: threads ?? Machine.processorCount))
        }
    }

    struct Memory: Verb {
        static let commandPath = "bench memory"
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

        func execute(_ output: CommandOutput) throws {
            defer { Directory.removeAll(directory) }
            output.finish(
                try MemoryBenchmark.run(parameterCount: parameters, updateCount: updates, directory: directory))
        }
    }
}

extension CommandOutput {
    /// Ends with a benchmark's result.
    func finish(_ result: BenchmarkResult) {
        let details = result.details.map { PlainValue.Field($0.name, .text($0.value)) }
        let head =
            "\(result.name): \(Self.scaled(result.value))\(result.unit), limit \(Self.scaled(result.limit))"
            + "\(result.unit), ratio \(NumberText.fixed(result.ratio, 3))\n"
        finish(
            .mapping([
                .init("name", .text(result.name)), .init("value", .number(result.value)),
                .init("unit", .text(result.unit)), .init("limit", .number(result.limit)),
                .init("ratio", .number(result.ratio)), .init("details", .mapping(details)),
            ]),
            text: head + result.details.map { "  \($0.name): \($0.value)\n" }.joined())
    }

    private static func scaled(_ value: Double) -> String {
        for (size, prefix) in [(1e9, "G"), (1e6, "M"), (1e3, "k")] where value >= size {
            return "\(NumberText.fixed(value / size, 2)) \(prefix)"
        }
        return "\(NumberText.fixed(value, 2)) "
    }
}
