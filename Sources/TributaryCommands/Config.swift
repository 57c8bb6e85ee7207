// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser
import TributaryCore
import TributaryPlanning
import TributaryReport
import TributaryTopology
import TributaryTopologyFile

/// `tributary config FILE`: prints a topology with every default and where each value comes from.
package struct Config: Verb {
    package static let configuration = CommandConfiguration(
        abstract: "Print a topology with every default filled in, and where each value comes from.",
        discussion: "The text is a topology file itself: reading it gives the same federation.")

    @Argument(help: "The topology file.")
    package var topology: String?

    @Flag(help: "Print the JSON schema of topology files instead, for editors.")
    package var schema = false

    @OptionGroup package var settings: SettingOptions
    @OptionGroup package var output: OutputOptions

    package init() {}

    package func validate() throws {
        if (topology == nil) != schema { throw ValidationError("Give a topology file, or --schema.") }
    }

    /// Loads the file and writes it out again, or writes the schema.
    package func execute(_ output: CommandOutput) throws {
        guard let topology else {
            return output.finish(TopologySchema.document, text: TopologySchema.text)
        }
        let document = try TopologyLoading.load(topology, settings: settings.single(), output)
        let forecast = Forecast(document.tree)
        let origins = document.origins.map { path, origin in PlainValue.Field(path, .text(origin)) }
        let data = PlainValue.mapping([
            .init("file", .text(topology)), .init("topology", document.canonical),
            .init("origins", .mapping(origins)), .init("tiers", .list(forecast.tiers.map(\.document))),
        ])
        output.finish(data, text: document.annotatedText(notes: Self.notes(forecast)))
    }

    /// What follows from the file, as a comment above each tier.
    private static func notes(_ forecast: Forecast) -> [String: String] {
        var notes: [String: String] = [:]
        for (index, tier) in forecast.tiers.enumerated() {
            let nodes = NumberText.count(UInt64(tier.nodeCount), of: "node")
            let timeOpen = NumberText.seconds(tier.timeOpen.seconds)
            let time =
                tier.mode == .devices ? "\(timeOpen) at most to answer a plan" : "derived deadline \(timeOpen)"
            notes["tiers[\(index)]"] = "\(nodes), \(tier.mode.rawValue)" + (index == 0 ? "" : ", \(time)")
        }
        return notes
    }
}
