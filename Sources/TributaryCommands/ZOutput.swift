// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials

struct CommandResult {
    var data: any Encodable
    var text: String
}

struct OutputOptions: ParsableArguments {
    @Option(help: "text, or json: one object on standard output.")
    var format: String = "text"

    func run(_ command: String, _ body: () throws -> CommandResult) throws {
        do {
            let result = try body()
            if format == "json" {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
                Console.out(String(decoding: try encoder.encode(result.data), as: UTF8.self))
            } else {
                Console.out(result.text)
            }
        } catch {
            Console.log("error: \(error)")
            throw ExitCode(1)
        }
    }
}
