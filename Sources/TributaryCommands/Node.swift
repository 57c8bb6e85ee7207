// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TributaryClient
import TributaryCore
import TributaryRuntime

/// `tributary node`: runs one aggregator, the root or any below it.
struct Node: Verb {
    static let configuration = CommandConfiguration(
        abstract: "Run one aggregator of a topology; nodes may be started in any order.",
        discussion: """
            The node listens where the topology says and connects to its parent, again and again until the parent is \
            there. SIGTERM or Ctrl-C ends it cleanly, a second one at once.
            """)

    @OptionGroup var common: NodeOptions
    @OptionGroup var above: ParentOptions
    @OptionGroup var output: OutputOptions

    @Option(help: "The aggregator's name in the topology.")
    var name: String

    @Option(help: "Listen here instead, for example tcp://0.0.0.0:7101.")
    var listen: String?

    func execute(_ output: CommandOutput) throws {
        try common.serve(output) { federation, shutdown, report in
            let setup = try federation.setup(
                ofAggregator: NodeName(name), listen: listen, connect: above.connect,
                stateDirectory: common.state ?? "state/\(name)")
            let host = try AggregatorHost(setup, shutdown: shutdown, report: report)
            guard let reason = host.run(), reason != .stopped else { return }
            throw CommandError(
                "node.\(reason.rawValue)", "'\(name)' ended early (\(reason.rawValue)); its log says why")
        }
    }
}
