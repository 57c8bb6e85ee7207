// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TributaryTopology

/// `tributary version`: says which version this is.
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Say which version this is.")

    /// The version of this source tree.
    static let current = "0.1.0"

    @OptionGroup var output: OutputOptions

    func run() throws {
        try output.run("version") {
            CommandResult(
                document: .mapping([.init("version", .text(Self.current)), .init("topology_format", .text("v1"))]),
                text: "tributary \(Self.current)")
        }
    }
}
