// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser
import TributaryTopology

/// `tributary version`: says which version this is.
package struct Version: Verb {
    package static let configuration = CommandConfiguration(abstract: "Say which version this is.")

    /// The version of this source tree.
    package static let current = "0.1.0"

    @OptionGroup package var output: OutputOptions

    package init() {}

    /// Tells the version.
    package func execute(_ output: CommandOutput) throws {
        output.finish(
            .mapping([.init("version", .text(Self.current)), .init("topology_format", .text("v1"))]),
            text: "tributary \(Self.current)\n")
    }
}
