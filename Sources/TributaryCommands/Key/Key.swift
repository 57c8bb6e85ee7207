// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TributaryCore
import TributaryFiles
import TributaryRuntime
import TributaryTopology

/// `tributary key`: the CURVE keys by which nodes know each other.
struct Key: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make and show the keys by which nodes know each other.",
        discussion: """
            Each node has NAME.key, which never leaves its machine and only its owner can read, and NAME.pub, which \
            its parent and its children need. Nobody connects without a key that the other side has.
            """,
        subcommands: [New.self, List.self, Show.self])

    struct KeyOptions: ParsableArguments {
        @Option(help: "The directory of key files.", completion: .directory)
        var keys: String = "keys"
    }

    struct New: Verb {
        static let commandPath = "key new"
        static let configuration = CommandConfiguration(
            abstract: "Make keys, for the nodes named or for all of a topology that have none.")

        @Argument(help: "Names of nodes.")
        var names: [String] = []

        @Option(help: "Make keys for every node of this topology file that has none.")
        var topology: String?

        @OptionGroup var directory: KeyOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            guard names.isEmpty != (topology == nil) else {
                throw ValidationError("name nodes, or give --topology FILE; not both")
            }
        }

        func execute(_ output: CommandOutput) throws {
            var created: [NodeName] = []
            if let topology {
                created = try Federation(path: topology, keys: directory.keys).createKeys()
            } else {
                let keys = KeyDirectory(path: directory.keys)
                for name in names {
                    guard NodeName.isValid(name) else {
                        throw CommandError(
                            "key.name", "'\(name)' is no node's name", hint: "use a-z, 0-9 and '-'", exit: .usage)
                    }
                    try keys.create(NodeName(name))
                    created.append(NodeName(name))
                }
            }
            let text =
                created.isEmpty
                ? "every node has a key in \(directory.keys)"
                : "made \(created.count) keys in \(directory.keys); keep the .key files where they are"
            output.finish(
                .mapping([.init("created", .list(created.map { .text($0.value) }))]), text: text + "\n")
        }
    }

    struct List: Verb {
        static let commandPath = "key list"
        static let configuration = CommandConfiguration(abstract: "List the nodes whose public keys are here.")
        @OptionGroup var directory: KeyOptions
        @OptionGroup var output: OutputOptions

        func execute(_ output: CommandOutput) throws {
            let nodes = try KeyDirectory(path: directory.keys).nodes().map(\.value)
            output.finish(
                .mapping([.init("nodes", .list(nodes.map { .text($0) }))]),
                text: nodes.map { $0 + "\n" }.joined())
        }
    }

    struct Show: Verb {
        static let commandPath = "key show"
        static let configuration = CommandConfiguration(abstract: "Print a node's public key.")

        @Argument(help: "The node's name.")
        var name: String

        @OptionGroup var directory: KeyOptions
        @OptionGroup var output: OutputOptions

        func execute(_ output: CommandOutput) throws {
            let key = try KeyDirectory(path: directory.keys).publicKey(of: NodeName(name))
            output.finish(
                .mapping([.init("name", .text(name)), .init("public_key", .text(key))]), text: key + "\n")
        }
    }
}
