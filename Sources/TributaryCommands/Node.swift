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

    @Option(help: "Enrol new nodes that have a token here, for example tcp://0.0.0.0:7201.")
    var join: String?

    @Option(help: "At the root: run so many rounds instead of the file's.")
    var rounds: UInt32?

    @Option(help: "At the root: use this seed instead of the file's; all nodes follow the root's.")
    var seed: UInt64?

    func execute(_ output: CommandOutput) throws {
        try common.serve(output, Federation.Overrides(rounds: rounds, seed: seed)) { federation, shutdown, report in
            guard federation.root.value == name || (rounds == nil && seed == nil) else {
                throw CommandError(
                    "node.not_the_root", "'\(name)' takes neither --rounds nor --seed: they are the root's",
                    hint: "give them to '\(federation.root)'; all other nodes follow its plans", exit: .usage)
            }
            let setup = try federation.setup(
                ofAggregator: NodeName(name), listen: listen, join: join, connect: above.endpoints(),
                stateDirectory: common.state ?? "state/\(name)")
            let host = try AggregatorHost(setup, shutdown: shutdown, report: report)
            guard let reason = try host.run(), reason != .stopped else { return }
            throw CommandError(
                "node.\(reason.rawValue)", "'\(name)' ended early (\(reason.rawValue)); its log says why")
        }
    }
}
