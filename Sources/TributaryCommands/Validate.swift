// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser
import TributaryCore
import TributaryPlanning
import TributaryReport
import TributaryTopology
import TributaryTopologyFile

/// `tributary validate FILE`: says whether a topology can run, and what its tiers will do.
package struct Validate: Verb {
    package static let configuration = CommandConfiguration(
        abstract: "Check a topology file and say what each tier will do.",
        discussion: "All errors come at once as file:line:column: path: message; the exit code is then 78.")

    @Argument(help: "The topology file.")
    package var topology: String

    @OptionGroup package var settings: SettingOptions
    @OptionGroup package var output: OutputOptions

    package init() {}

    /// Loads the file and tells what its tiers will do.
    package func execute(_ output: CommandOutput) throws {
        let (document, warnings) = try TopologyLoading.load(topology, settings: settings.single())
        for warning in warnings { output.note("\(warning.location): warning: \(warning.text)") }
        let forecast = Forecast(document.tree)
        let notes = warnings.map { warning in
            PlainValue.mapping([
                .init("code", .text(warning.code)), .init("message", .text(warning.text)),
                .init("at", .text(warning.location)),
            ])
        }
        let data = PlainValue.mapping([
            .init("file", .text(topology)), .init("federation", .text(document.topology.federation)),
            .init("valid", .flag(true)), .init("devices", .number(document.tree.deviceCount)),
            .init("aggregators", .number(document.tree.aggregators.count)),
            .init("parameters", forecast.parameterCount.map { .number($0) } ?? .null),
            .init("tiers", .list(forecast.tiers.map(\.document))), .init("warnings", .list(notes)),
        ])
        output.finish(data, text: Self.text(document, forecast))
    }

    private static func text(_ document: TopologyDocument, _ forecast: Forecast) -> String {
        let tree = document.tree
        let aggregators = NumberText.count(UInt64(tree.aggregators.count), of: "aggregator")
        let size =
            forecast.parameterCount.map { NumberText.count(UInt64($0), of: "parameter") }
            ?? "a model whose size the data decides"
        let head =
            "\(document.file) is valid: federation '\(document.topology.federation)', "
            + "\(NumberText.count(tree.deviceCount, of: "device")) below \(aggregators), \(size)\n\n"
        let rows = forecast.tiers.map { tier in
            [
                tier.name, String(tier.nodeCount), tier.mode.rawValue, NumberText.seconds(tier.timeOpen.seconds),
                tier.ringExponent.map { "2^-\($0)" } ?? "-", tier.bytesDown?.byteText ?? "-",
                tier.bytesUp?.byteText ?? "-",
            ]
        }
        let titles = ["tier", "nodes", "mode", "deadline", "ring unit", "down a round", "up a round"]
        return head + TextTable.text(titles: titles, rows: rows)
    }
}

extension Forecast.Tier {
    /// The tier as JSON.
    var document: PlainValue {
        .mapping([
            .init("name", .text(name)), .init("mode", .text(mode.rawValue)), .init("nodes", .number(nodeCount)),
            .init("clients_per_node_min", .number(clientCounts.lowerBound)),
            .init("clients_per_node_max", .number(clientCounts.upperBound)),
            .init("deadline_seconds", .number(timeOpen.seconds)),
            .init("ring_exponent", ringExponent.map { .number($0) } ?? .null),
            .init("plans_per_round", .number(plansPerRound)), .init("nodes_expected", .number(nodesExpected)),
            .init("bytes_down", bytesDown.map { .number($0) } ?? .null),
            .init("bytes_up", bytesUp.map { .number($0) } ?? .null),
        ])
    }
}
