// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
package import TributaryTopology

/// What a verb writes on stdout.
package enum OutputFormat: String, Sendable, CaseIterable, ExpressibleByArgument {
    /// For people.
    case text
    /// Exactly one object at the end.
    case json
    /// One object a line: events as they happen, the result last.
    case jsonl

    /// The format that a command line asks for, even one that does not parse otherwise.
    static func requested(in arguments: [String]) -> OutputFormat? {
        for (index, argument) in arguments.enumerated() {
            if argument == "--format", index + 1 < arguments.count {
                return OutputFormat(rawValue: arguments[index + 1])
            }
            if argument.hasPrefix("--format=") { return OutputFormat(rawValue: String(argument.dropFirst(9))) }
        }
        return nil
    }
}

/// The options that every verb has.
package struct OutputOptions: ParsableArguments {
    @Option(help: "How to write the result: text, json or jsonl.")
    package var format = OutputFormat.text

    package init() {}
}

/// A verb's way to stdout and stderr: results on the one, logs, progress and errors on the other.
package struct CommandOutput: Sendable {
    /// The verb's name, as in the JSON envelope.
    package let command: String
    package let format: OutputFormat

    package init(command: String, format: OutputFormat) {
        self.command = command
        self.format = format
    }

    /// Ends with success: `text` for people, the envelope around `data` otherwise.
    package func finish(_ data: PlainValue, text: @autoclosure () -> String) {
        guard format != .text else { return Terminal.write(text(), to: STDOUT_FILENO) }
        let envelope = PlainValue.mapping(head(status: "ok") + [.init("data", data)])
        Terminal.write(envelope.json() + "\n", to: STDOUT_FILENO)
    }

    /// Ends with a failure that leaves a result all the same: both in one envelope, or the text and then the error.
    package func finish(_ data: PlainValue, text: @autoclosure () -> String, failing error: CommandError) {
        if format == .text { Terminal.write(text(), to: STDOUT_FILENO) }
        tell(error)
        guard format != .text else { return }
        let fields: [PlainValue.Field] = [.init("error", .mapping(Self.fields(of: error))), .init("data", data)]
        Terminal.write(PlainValue.mapping(head(status: "error") + fields).json() + "\n", to: STDOUT_FILENO)
    }

    /// Writes one event of long work as a line; only `jsonl` shows it.
    package func event(_ name: String, _ fields: [PlainValue.Field]) {
        guard format == .jsonl else { return }
        Terminal.write(PlainValue.mapping([.init("event", .text(name))] + fields).json() + "\n", to: STDOUT_FILENO)
    }

    /// Writes a line for people: on stdout in text format, nowhere otherwise.
    package func line(_ text: String) {
        if format == .text { Terminal.write(text + "\n", to: STDOUT_FILENO) }
    }

    /// Writes a line of log or progress on stderr, in every format.
    package func note(_ text: String) {
        Terminal.write(text + "\n", to: STDERR_FILENO)
    }

    /// Tells an error: lines on stderr, and the envelope on stdout unless the format is text.
    package func fail(_ error: CommandError) {
        tell(error)
        guard format != .text else { return }
        var fields = Self.fields(of: error)
        if error.all.count > 1 {
            fields.append(.init("all", .list(error.all.map { .mapping(Self.fields(of: $0)) })))
        }
        let envelope = PlainValue.mapping(head(status: "error") + [.init("error", .mapping(fields))])
        Terminal.write(envelope.json() + "\n", to: STDOUT_FILENO)
    }

    private func tell(_ error: CommandError) {
        let mark = Terminal.usesColour(STDERR_FILENO) ? "\u{1B}[1;31merror:\u{1B}[0m " : "error: "
        let errors = error.all.isEmpty ? [error] : error.all
        var text = ""
        for error in errors { text += (error.at == nil ? mark : "") + error.description + "\n" }
        if let hint = error.hint { text += "hint: \(hint)\n" }
        Terminal.write(text, to: STDERR_FILENO)
    }

    private func head(status: String) -> [PlainValue.Field] {
        [
            .init("schema_version", .number(1)), .init("command", .text(command)), .init("status", .text(status)),
        ]
    }

    private static func fields(of error: CommandError) -> [PlainValue.Field] {
        var fields: [PlainValue.Field] = [.init("code", .text(error.code)), .init("message", .text(error.message))]
        if let hint = error.hint { fields.append(.init("hint", .text(hint))) }
        if let at = error.at { fields.append(.init("at", .text(at))) }
        return fields
    }
}
