// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser

/// A verb of the command line: does its work and tells the result through one output.
package protocol Verb: ParsableCommand {
    var output: OutputOptions { get }

    /// The words after `tributary` that call the verb, as the JSON envelope names it.
    static var commandPath: String { get }

    /// Does the work.
    ///
    /// - Throws: `CommandError` for everything that may happen; anything else is reported as a fault of this program.
    func execute(_ output: CommandOutput) throws
}

extension Verb {
    /// A verb without a noun is called by its own name.
    package static var commandPath: String { _commandName }

    /// Runs the verb and ends with the exit code of its error.
    package func run() throws {
        let output = CommandOutput(command: Self.commandPath, format: output.format)
        do {
            try execute(output)
        } catch let error as CommandError {
            output.fail(error)
            throw ExitCode(error.exit.rawValue)
        } catch let error as ExitCode {
            throw error
        } catch {
            if let known = CommandError(error) {
                output.fail(known)
                throw ExitCode(known.exit.rawValue)
            }
            let fault = CommandError(
                "fault", "\(error)", hint: "this is a fault of tributary; please report it", exit: .fault)
            output.fail(fault)
            throw ExitCode(CommandExit.fault.rawValue)
        }
    }
}
