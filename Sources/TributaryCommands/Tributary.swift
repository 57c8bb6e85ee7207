// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser
import Glibc

/// The command line's root; each verb has a file of its own.
package struct Tributary: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "tributary",
        abstract: "Hierarchical edge-cloud federated learning: one topology file, any tree.",
        discussion: "Every verb takes --format text, json or jsonl; 'tributary help VERB' explains one.",
        groupedSubcommands: [
            CommandGroup(
                name: "Writing a topology",
                subcommands: [Init.self, Validate.self, Config.self, Show.self, Plan.self, DataCommand.self]),
            CommandGroup(name: "Rehearsing", subcommands: [Explain.self, Simulate.self]),
            CommandGroup(
                name: "Running a tree",
                subcommands: [Up.self, Down.self, Node.self, Device.self, Fleet.self]),
            CommandGroup(
                name: "Saying who may take part", subcommands: [Key.self, Token.self, JoinCommand.self]),
            CommandGroup(name: "Looking at runs", subcommands: [Report.self, Compare.self, Model.self]),
            CommandGroup(name: "Measuring", subcommands: [Bench.self]),
            CommandGroup(name: "About", subcommands: [Version.self]),
        ])

    package init() {}

    /// Parses the command line, runs the verb, and ends the process with the exit code of the contract.
    package static func start() -> Never {
        do {
            var command = try parseAsRoot()
            try command.run()
            Glibc.exit(CommandExit.ok.rawValue)
        } catch let error as ExitCode {
            Glibc.exit(error.rawValue)
        } catch {
            let code = exitCode(for: error)
            if code != .success, let format = OutputFormat.requested(in: CommandLine.arguments), format != .text {
                let failure = CommandError(
                    "usage", message(for: error), hint: "'tributary help' lists the verbs", exit: .usage)
                CommandOutput(command: CommandLine.arguments.dropFirst().first ?? "", format: format).fail(failure)
                Glibc.exit(CommandExit.usage.rawValue)
            }
            exit(withError: error)
        }
    }
}
