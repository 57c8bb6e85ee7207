// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import TributaryClient
import TributaryCore
import TributaryLearning
import TributaryPlanning
import TributaryRuntime
import TributaryTopology

/// `tributary data`: what the devices of a topology hold.
struct DataCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "data", abstract: "Look at the data that a topology spreads over its devices.",
        subcommands: [Summary.self])

    struct Summary: Verb {
        static let configuration = CommandConfiguration(
            abstract: "Count the examples of each class that every node sees.",
            discussion: """
                Reads the data set and works every device's shard out, as the devices do; features are not read. In a \
                large fleet a sample of the devices is counted and scaled up, and the output says so. JSON has all \
                aggregators and all classes.
                """)

        @Argument(help: "The topology file.", completion: .file(extensions: ["yaml"]))
        var topology: String

        @Option(help: "The seed, in place of the file's.")
        var seed: UInt64?

        @Option(help: "The round whose classes are counted; drift can rename them.")
        var round: UInt32 = 1

        @Option(help: "Count about so many devices at most.")
        var sample: UInt64 = 20_000

        @Option(help: "List so many devices one by one; all of a fleet of up to 24 by default.")
        var devices: UInt64?

        @Flag(help: "Draw the heat map even where no terminal is seen.")
        var heatMap = false

        @OptionGroup var settings: SettingOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            guard sample >= 1 else { throw ValidationError("--sample must be at least 1") }
            guard devices ?? 0 <= 100_000 else { throw ValidationError("--devices can be at most 100000") }
        }

        func execute(_ output: CommandOutput) throws {
            let federation = try Federation(
                path: topology, keys: "", overrides: .init(seed: seed, settings: settings.single()))
            let data = try federation.data()
            let deviceCount = federation.tree.deviceCount
            let summary = try DataSummary(
                federation.tree, classCount: data.classCount, sampleMax: sample,
                deviceRows: devices ?? (deviceCount <= 24 ? deviceCount : 0)
            ) { try data.shards.labelCounts(of: $0, round: round) }
            let width = Terminal.isInteractive(STDOUT_FILENO) ? Terminal.width(STDOUT_FILENO) : nil
            let drawing = DataDrawing(summary: summary, deviceCount: deviceCount, classNames: data.classNames)
            output.finish(
                document(federation, summary, data.classNames),
                text: drawing.text(heatMapWidth: heatMap ? .max : width))
        }

        private func document(
            _ federation: Federation, _ summary: DataSummary, _ classNames: [String]
        ) -> PlainValue {
            .mapping([
                .init("federation", .text(federation.topology.federation)),
                .init("seed", .number(federation.topology.seed)), .init("round", .number(round)),
                .init("devices", .number(federation.tree.deviceCount)),
                .init("devices_counted", .number(summary.sampleCount)), .init("estimate", .flag(summary.isEstimate)),
                .init("classes", .list(classNames.map { .text($0) })),
                .init("tiers", .list(summary.tiers.map(\.document))),
                .init("nodes", .list(summary.nodes.map { $0.document(federation.topology) })),
                .init("device_rows", .list(summary.devices.map(\.document))),
            ])
        }
    }
}

extension DataSummary.Spread {
    /// The numbers as JSON.
    var document: PlainValue {
        .mapping([.init("min", .number(min)), .init("median", .number(median)), .init("max", .number(max))])
    }
}

extension DataSummary.Tier {
    /// The tier as JSON.
    var document: PlainValue {
        .mapping([
            .init("name", .text(name)), .init("nodes", .number(nodeCount)),
            .init("examples_per_node", examplesPerNode.document),
        ])
    }
}

extension DataSummary.Node {
    /// The node as JSON.
    func document(_ topology: Topology) -> PlainValue {
        .mapping([
            .init("name", .text(name.value)), .init("tier", .text(topology.tiers[tier].name)),
            .init("devices", .number(deviceCount)), .init("devices_counted", .number(sampleCount)),
            .init("examples", .number(exampleCount)), .init("examples_per_device", examplesPerDevice.document),
            .init("labels", .list(labels.map { .number($0) })),
        ])
    }
}

extension DataSummary.Device {
    /// The device as JSON.
    var document: PlainValue {
        .mapping([
            .init("name", .text(name.value)), .init("client", .number(client.value)),
            .init("examples", .number(exampleCount)), .init("labels", .list(labels.map { .number($0) })),
        ])
    }
}
