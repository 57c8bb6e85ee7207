// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import TributaryTopology

/// What a verb writes on standard output.
enum OutputFormat: String, Sendable, CaseIterable, ExpressibleByArgument {
    /// For people.
    case text
    /// Exactly one object, at the end.
    case json
    /// One object a line: events as they happen, the result last.
    case jsonl

    /// The format that a command line asks for, even one that does not parse otherwise.
    static func requested(in arguments: [String]) -> OutputFormat {
        for (index, argument) in arguments.enumerated() {
            let isOption = argument == "--format" && index + 1 < arguments.count
            let word =
                isOption ? arguments[index + 1] : argument.hasPrefix("--format=") ? String(argument.dropFirst(9)) : ""
            if let format = OutputFormat(rawValue: word) { return format }
        }
        return .text
    }
}

/// What a verb has to say: for programs and for people.
struct CommandResult {
    /// A document whose fields keep their order, or a value whose fields are sorted.
    enum Payload {
        case document(PlainValue)
        case value(any Encodable)
    }

    var data: Payload
    var text: String

    init(data: any Encodable, text: String) {
        self.data = .value(data)
        self.text = text
    }

    init(document: PlainValue, text: String) {
        self.data = .document(document)
        self.text = text
    }

    /// The data as JSON on one line.
    func json() throws -> String {
        switch data {
        case .document(let document):
            return document.json()
        case .value(let value):
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        }
    }
}

/// The option that every verb has, and the one way in which verbs end.
///
/// Results go to standard output; logs, progress and errors go to standard error. In `json` and `jsonl` the result or
/// error stands on standard output in an envelope with `schema_version`, `command` and `status`.
struct OutputOptions: ParsableArguments {
    @Option(help: "How to write the result: text, json (one object) or jsonl (events, then the result).")
    var format = OutputFormat.text

    /// Does a verb's work, tells its result or its error, and ends with the error's exit code.
    func run(_ command: String, _ body: () throws -> CommandResult) throws {
        let json: String
        let text: String
        do {
            let result = try body()
            text = result.text
            json = format == .text ? "" : try result.json()
        } catch let code as ExitCode {
            throw code
        } catch {
            let failure = CommandError(describing: error)
            Self.report(failure, of: command, format)
            throw ExitCode(failure.exit.rawValue)
        }
        switch format {
        case .text:
            if !text.isEmpty { Console.out(text.hasSuffix("\n") ? String(text.dropLast()) : text) }
        case .json, .jsonl:
            Console.out(Self.envelope(command, "ok", "\"data\":\(json)"))
        }
    }

    /// Writes one event of long work as a line; only `jsonl` shows it.
    func event(_ name: String, _ fields: [PlainValue.Field]) {
        guard format == .jsonl else { return }
        Console.out(PlainValue.mapping([.init("event", .text(name))] + fields).json())
    }

    /// Tells an error: lines for people on standard error, and the envelope unless the format is text.
    static func report(_ error: CommandError, of command: String, _ format: OutputFormat) {
        let mark = Console.usesColour ? "\u{1B}[1;31merror:\u{1B}[0m" : "error:"
        for one in error.all.isEmpty ? [error] : error.all {
            Console.log(one.at == nil ? "\(mark) \(one)" : "\(one)")
        }
        if let hint = error.hint { Console.log("hint: \(hint)") }
        guard format != .text else { return }
        var fields = error.fields
        if error.all.count > 1 { fields.append(.init("all", .list(error.all.map { .mapping($0.fields) }))) }
        Console.out(envelope(command, "error", "\"error\":\(PlainValue.mapping(fields).json())"))
    }

    private static func envelope(_ command: String, _ status: String, _ body: String) -> String {
        "{\"schema_version\":1,\"command\":\(PlainValue.text(command).json()),\"status\":\"\(status)\",\(body)}"
    }
}
