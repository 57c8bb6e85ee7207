// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser
import Glibc

/// The command line's root; each verb has a file of its own.
package struct Tributary: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "tributary",
        abstract: "Hierarchical edge-cloud federated learning: one topology file, any tree.",
        groupedSubcommands: [
            CommandGroup(
                name: "Write a topology:",
                subcommands: [InitCommand.self, ValidateCommand.self, ConfigCommand.self, ShowCommand.self]),
            CommandGroup(
                name: "Run it:",
                subcommands: [
                    UpCommand.self, DownCommand.self, NodeCommand.self, DeviceCommand.self, KeyCommand.self,
                ]),
            CommandGroup(name: "Know your build:", subcommands: [BenchCommand.self, VersionCommand.self]),
        ])

    package init() {}

    /// Parses the command line, runs the verb, and ends the process with the exit code of the contract.
    package static func start() -> Never {
        var verb: any ParsableCommand
        do {
            verb = try parseAsRoot()
        } catch {
            end(usage: error)
        }
        let type = Swift.type(of: verb)
        do {
            try verb.run()
            type.exit(withError: nil)
        } catch {
            // Requests for help, exit codes and complaints about arguments are the parser's own to tell.
            guard !(error is ExitCode), type.exitCode(for: error) == .failure else { type.exit(withError: error) }
            let failure = CommandError(describing: error)
            OutputOptions.report(
                failure, of: type._commandName, OutputFormat.requested(in: CommandLine.arguments))
            type.exit(withError: ExitCode(failure.exit.rawValue))
        }
    }

    /// Ends after a command line that does not parse, or one that asks for help.
    private static func end(usage error: any Error) -> Never {
        let format = OutputFormat.requested(in: CommandLine.arguments)
        guard exitCode(for: error) != .success, format != .text else { exit(withError: error) }
        let failure = CommandError(
            "usage", message(for: error), hint: "'tributary help VERB' explains a verb", exit: .usage)
        OutputOptions.report(failure, of: CommandLine.arguments.dropFirst().first ?? "", format)
        exit(withError: ExitCode(CommandExit.usage.rawValue))
    }
}
