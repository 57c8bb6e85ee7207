// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TributaryClient
import TributaryCore
import TributaryFiles
import TributaryRuntime
import TributaryTopology

/// `tributary key`: the keys by which nodes know each other, and with which devices sign.
struct Key: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make keys, and say whose are admitted.",
        discussion: """
            Each node has NAME.key, which never leaves its machine and only its owner can read, and NAME.pub, which \
            its parent and its children need: a CURVE key, by which nodes know each other, and an Ed25519 key, with \
            which devices sign their updates. Nobody connects without a key that the other side has.
            """,
        subcommands: [New.self, Add.self, Revoke.self, List.self, Show.self])

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
                    let node = try Key.node(name)
                    try keys.create(node)
                    created.append(node)
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

    struct Show: Verb {
        static let commandPath = "key show"
        static let configuration = CommandConfiguration(abstract: "Print a node's public keys.")

        @Argument(help: "The node's name.")
        var name: String

        @OptionGroup var directory: KeyOptions
        @OptionGroup var output: OutputOptions

        func execute(_ output: CommandOutput) throws {
            let keys = try KeyDirectory(path: directory.keys).publicKeys(of: NodeName(name))
            var fields: [PlainValue.Field] = [
                .init("name", .text(name)), .init("public_key", .text(keys.curveText)),
            ]
            if let signing = keys.signingText { fields.append(.init("signing_key", .text(signing))) }
            output.finish(.mapping(fields), text: keys.lines.map { $0 + "\n" }.joined())
        }
    }
}
