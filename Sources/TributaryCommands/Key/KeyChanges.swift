// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TributaryClient
import TributaryCore
import TributaryFiles
import TributaryRuntime
import TributaryTopology

// Who is admitted: a running node follows its key directory, so each change here is in force within two seconds.

extension Key {
    struct Add: Verb {
        static let commandPath = "key add"
        static let configuration = CommandConfiguration(
            abstract: "Admit a node by its public keys.",
            discussion: """
                Writes NAME.pub and nothing else: no other node's file is touched. A node that is running and uses the \
                directory admits the key within two seconds.
                """)

        @Argument(help: "The node's name.")
        var name: String

        @Argument(help: "Its .pub file, or its CURVE key (40 characters) and its Ed25519 key (64 digits).")
        var keys: [String]

        @Option(help: "Refuse names that this topology file does not have.")
        var topology: String?

        @OptionGroup var directory: KeyOptions
        @OptionGroup var output: OutputOptions

        func execute(_ output: CommandOutput) throws {
            let node = try Key.node(name)
            if let topology { try checkIsDeclared(node, in: topology) }
            let added = try read()
            try KeyDirectory(path: directory.keys).add(added, of: node)
            output.finish(.mapping([.init("added", .text(name))]), text: "\(name) is admitted in \(directory.keys)\n")
        }

        private func read() throws -> PublicKeys {
            guard keys.count == 1, keys[0].utf8.count != 40 else {
                return try PublicKeys(lines: keys, of: "'\(name)' on the command line")
            }
            guard !keys[0].hasSuffix(".key") else {
                throw CommandError(
                    "key.secret", "\(keys[0]) holds secret keys, which stay where they were made",
                    hint: "give the .pub file beside it", exit: .usage)
            }
            let text = String(decoding: try SmallFile.read(keys[0], byteCountMax: 256), as: UTF8.self)
            let lines = text.split(whereSeparator: \.isWhitespace).map { String($0) }
            return try PublicKeys(lines: lines, of: keys[0])
        }

        private func checkIsDeclared(_ node: NodeName, in topology: String) throws {
            let tree = try Federation(path: topology, keys: directory.keys).tree
            guard tree.node(named: node) == nil else { return }
            throw CommandError(
                "key.unknown_node", "\(topology) has no node '\(node)'",
                hint: "'tributary show \(topology)' names them", exit: .configuration)
        }
    }

    struct Revoke: Verb {
        static let commandPath = "key revoke"
        static let configuration = CommandConfiguration(
            abstract: "Take a node's key back.",
            discussion: """
                Removes NAME.pub and keeps its keys in NAME.revoked, by which they stay refused, tokens or not. A \
                running node that uses the directory cuts the node's session within two seconds.
                """)

        @Argument(help: "The node's name.")
        var name: String

        @OptionGroup var directory: KeyOptions
        @OptionGroup var output: OutputOptions

        func execute(_ output: CommandOutput) throws {
            let node = try Key.node(name)
            let keys = KeyDirectory(path: directory.keys)
            guard keys.has(.publicKey, of: node) else {
                throw KeyError.unknown(node, directory: directory.keys)
            }
            try keys.revoke(node)
            output.finish(.mapping([.init("revoked", .text(name))]), text: "the key of \(name) is taken back\n")
        }
    }

    struct List: Verb {
        static let commandPath = "key list"
        static let configuration = CommandConfiguration(
            abstract: "List the nodes that have keys here: who is admitted, and whose keys were taken back.")
        @OptionGroup var directory: KeyOptions
        @OptionGroup var output: OutputOptions

        private struct Line {
            var node: NodeName
            var state: String
            var keys: PublicKeys
        }

        func execute(_ output: CommandOutput) throws {
            let keys = KeyDirectory(path: directory.keys)
            var lines = try keys.allPublicKeys().map { Line(node: $0, state: "admitted", keys: $1) }
            for node in try keys.nodes(with: .revoked) {
                let revoked = try keys.revokedLines(of: node)
                var position = 0
                while position < revoked.count {
                    // A CURVE key, and the signing key behind it if there was one.
                    let count = position + 1 < revoked.count && revoked[position + 1].utf8.count == 64 ? 2 : 1
                    let part = Array(revoked[position..<position + count])
                    lines.append(Line(node: node, state: "revoked", keys: try PublicKeys(lines: part, of: node.value)))
                    position += count
                }
            }
            lines.sort { ($0.node, $0.state) < ($1.node, $1.state) }
            output.finish(Self.data(lines), text: Self.text(lines))
        }

        private static func data(_ lines: [Line]) -> PlainValue {
            .mapping([
                .init("nodes", .list(lines.filter { $0.state == "admitted" }.map { .text($0.node.value) })),
                .init(
                    "keys",
                    .list(
                        lines.map { line in
                            .mapping(
                                [
                                    .init("name", .text(line.node.value)), .init("state", .text(line.state)),
                                    .init("public_key", .text(line.keys.curveText)),
                                ] + (line.keys.signingText.map { [.init("signing_key", .text($0))] } ?? []))
                        })),
            ])
        }

        private static func text(_ lines: [Line]) -> String {
            guard !lines.isEmpty else { return "" }
            return TextTable.text(
                titles: ["NAME", "STATE", "CURVE", "ED25519"],
                rows: lines.map {
                    [$0.node.value, $0.state, $0.keys.curveText, $0.keys.signingText ?? "none"]
                })
        }
    }

    /// A name that a node can have.
    static func node(_ name: String) throws -> NodeName {
        guard NodeName.isValid(name) else {
            throw CommandError("key.name", "'\(name)' is no node's name", hint: "use a-z, 0-9 and '-'", exit: .usage)
        }
        return NodeName(name)
    }
}
