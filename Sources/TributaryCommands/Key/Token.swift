// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TributaryBus
import TributaryClient
import TributaryCore
import TributaryFiles
import TributaryRuntime
import TributaryTopology

/// `tributary token`: texts by which new nodes enrol themselves.
struct Token: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make and take back tokens by which new nodes join.",
        discussion: """
            A token is one line of text: the parent's public key, where to join, and a secret that the parent keeps \
            only the digest of. Make it where the parent's keys are; the parent may be running. Who has it can take \
            a place in the tree, so hand it over as you would a password.
            """,
        subcommands: [Create.self, List.self, Revoke.self])

    struct Create: Verb {
        static let commandPath = "token create"
        static let configuration = CommandConfiguration(abstract: "Make a token and print it.")

        @Option(help: "The tier of the nodes that it admits: the one below the parent.")
        var tier: String

        @Option(help: "How long it can be used, for example 30m or 24h.")
        var ttl = "1h"

        @Option(help: "How many nodes it admits.")
        var uses: UInt64 = 1

        @Option(help: "The parent; needed where the directory holds the secret keys of several nodes.")
        var node: String?

        @Option(help: "Where the parent enrols, for example tcp://10.0.0.7:7200; goes into the token.")
        var endpoint: String?

        @OptionGroup var directory: Key.KeyOptions
        @OptionGroup var output: OutputOptions

        func execute(_ output: CommandOutput) throws {
            guard let life = Duration(option: ttl), life >= .seconds(1), life <= Limits.durationMax else {
                throw CommandError(
                    "usage", "--ttl \(ttl): not a duration from 1s to 366 days", hint: "like 30m or 24h", exit: .usage)
            }
            guard (1...TokenStore.useCountMax).contains(uses) else {
                throw CommandError(
                    "usage", "--uses \(uses): a token admits 1 to \(TokenStore.useCountMax) nodes", exit: .usage)
            }
            if let endpoint, Endpoint(endpoint).map(\.isWildcard) != false {
                throw CommandError(
                    "usage", "'\(endpoint)' is no endpoint that a node can connect to",
                    hint: "for example tcp://10.0.0.7:7200", exit: .usage)
            }
            let keys = KeyDirectory(path: directory.keys)
            let parent = try parent(keys)
            let key = try keys.secretKeys(of: parent).curve.publicKey
            let expiry = Clock.secondsSince1970() + UInt64(life.seconds)
            let token = try TokenStore(keys).create(
                for: parent, key: key, tier: tier, expiry: expiry, uses: uses, endpoint: endpoint)
            output.finish(
                .mapping([
                    .init("token", .text(token.text)), .init("node", .text(parent.value)), .init("tier", .text(tier)),
                    .init("uses", .number(uses)), .init("expires", .text(Clock.timestamp(secondsSince1970: expiry))),
                ]),
                text: token.text + "\n")
        }

        private func parent(_ keys: KeyDirectory) throws -> NodeName {
            if let node { return NodeName(node) }
            let own = try keys.nodes(with: .secret)
            guard let only = own.first, own.count == 1 else {
                throw CommandError(
                    "token.parent", "\(directory.keys) holds the secret keys of \(own.count) nodes",
                    hint: "name the parent: --node NAME", exit: .usage)
            }
            return only
        }
    }

    struct List: Verb {
        static let commandPath = "token list"
        static let configuration = CommandConfiguration(abstract: "List the tokens that were made here.")
        @OptionGroup var directory: Key.KeyOptions
        @OptionGroup var output: OutputOptions

        func execute(_ output: CommandOutput) throws {
            let now = Clock.secondsSince1970()
            let records = try TokenStore(KeyDirectory(path: directory.keys)).all()
            func state(_ record: TokenStore.Record) -> String {
                record.expiry <= now ? "expired" : record.usesLeft == 0 ? "used up" : "open"
            }
            output.finish(
                .mapping([
                    .init(
                        "tokens",
                        .list(
                            records.map { record in
                                .mapping([
                                    .init("id", .text(record.id)), .init("node", .text(record.node.value)),
                                    .init("tier", .text(record.tier)), .init("state", .text(state(record))),
                                    .init("uses_left", .number(record.usesLeft)),
                                    .init("expires", .text(Clock.timestamp(secondsSince1970: record.expiry))),
                                    .init("joined", .list(record.joined.values.sorted().map { .text($0.value) })),
                                ])
                            }))
                ]),
                text: TextTable.text(
                    titles: ["ID", "NODE", "TIER", "STATE", "LEFT", "EXPIRES", "JOINED"],
                    rows: records.map {
                        [
                            $0.id, $0.node.value, $0.tier, state($0), "\($0.usesLeft)",
                            Clock.timestamp(secondsSince1970: $0.expiry), "\($0.joined.count)",
                        ]
                    }))
        }
    }

    struct Revoke: Verb {
        static let commandPath = "token revoke"
        static let configuration = CommandConfiguration(
            abstract: "Take a token back; whom it has admitted stays admitted.")

        @Argument(help: "The token's id, as 'tributary token list' prints it.")
        var id: String

        @OptionGroup var directory: Key.KeyOptions
        @OptionGroup var output: OutputOptions

        func execute(_ output: CommandOutput) throws {
            let store = TokenStore(KeyDirectory(path: directory.keys))
            guard let record = try store.all().first(where: { $0.id == id }) else {
                throw CommandError(
                    "token.unknown", "there is no token '\(id)' in \(store.directory)",
                    hint: "'tributary token list' prints the ids", exit: .configuration)
            }
            try store.remove(record)
            output.finish(.mapping([.init("revoked", .text(id))]), text: "took the token \(id) back\n")
        }
    }
}
