// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser
import TributaryCore
import TributaryPlanning
import TributaryTopology
import TributaryTopologyFile

/// `tributary show FILE`: draws the tree.
package struct Show: Verb {
    package static let configuration = CommandConfiguration(
        abstract: "Draw a topology's tree.",
        discussion: "Long families are cut after twenty children; --all draws every aggregator.")

    @Argument(help: "The topology file.")
    package var topology: String

    @Flag(help: "Draw every aggregator.")
    package var all = false

    @OptionGroup package var settings: SettingOptions
    @OptionGroup package var output: OutputOptions

    package init() {}

    /// Loads the file and draws its tree.
    package func execute(_ output: CommandOutput) throws {
        let document = try TopologyLoading.load(topology, settings: settings.single(), output)
        let drawing = TreeDrawing(tree: document.tree, childCountMax: all ? .max : 20)
        output.finish(Self.data(document.tree), text: drawing.text())
    }

    private static func data(_ tree: Tree) -> PlainValue {
        let forecast = Forecast(tree)
        let aggregators = tree.aggregators.enumerated().map { position, node in
            let others = tree.fallbacks(ofAggregator: position)
            let devices = node.devices.ranges.map { range in
                PlainValue.list([.number(range.lowerBound), .number(range.upperBound - 1)])
            }
            return PlainValue.mapping([
                .init("name", .text(node.name.value)), .init("tier", .text(tree.topology.tiers[node.tier].name)),
                .init("mode", .text(forecast.tiers[node.tier].mode.rawValue)),
                .init("parent", node.parent.map { .text(tree.aggregators[$0].name.value) } ?? .null),
                .init("clients", .number(node.clients.count)), .init("devices", .list(devices)),
                .init("listen", node.listen.map { .text($0.description) } ?? .null),
                .init("advertise", node.advertise.map { .text($0.description) } ?? .null),
                .init("failover", .list(others.map { .text(tree.aggregators[$0].name.value) })),
            ])
        }
        return .mapping([
            .init("federation", .text(tree.topology.federation)), .init("devices", .number(tree.deviceCount)),
            .init("tiers", .list(forecast.tiers.map(\.document))), .init("aggregators", .list(aggregators)),
        ])
    }
}
