// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser

/// The command line's root; each verb has a file of its own.
package struct Tributary: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "tributary",
        abstract: "Hierarchical edge-cloud federated learning: one topology file, any tree.",
        subcommands: [UpCommand.self, DownCommand.self, NodeCommand.self, DeviceCommand.self])
    package init() {}
}
