// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TributaryClient
import TributaryCore
import TributaryRuntime

/// `tributary node`: runs one aggregator, the root or any below it.
struct NodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node",
        abstract: "Run one aggregator of a topology; nodes may be started in any order.",
        discussion: """
            The node listens where the topology says and connects to its parent, again and again until the parent is \
            there. SIGTERM or Ctrl-C ends it cleanly, a second one at once.
            """)

    @OptionGroup var common: NodeOptions

    @Option(help: "The aggregator's name in the topology.")
    var name: String

    @Option(help: "Listen here instead, for example tcp://0.0.0.0:7101.")
    var listen: String?

    func run() throws {
        try common.run(as: name) { federation, shutdown, report in
            let setup = try federation.setup(
                ofAggregator: NodeName(name), listen: listen, connect: common.connect,
                stateDirectory: common.state ?? "state/\(name)")
            let host = try AggregatorHost(setup, shutdown: shutdown, report: report)
            let reason = host.run()
            if let reason, reason != .stopped { throw NodeFailure(node: name, reason: reason) }
        }
    }
}

/// A node that ended before its run was over.
struct NodeFailure: Error, CustomStringConvertible {
    let node: String
    let reason: ReasonCode
    var description: String { "'\(node)' ended early (\(reason.rawValue)); its log says why" }
}
