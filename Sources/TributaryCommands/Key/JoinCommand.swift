// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TributaryBus
import TributaryClient
import TributaryCore
import TributaryTopology

/// `tributary join`: makes this machine's node known to a parent that handed out a token.
struct JoinCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "join",
        abstract: "Enrol a new node at its parent with a token.",
        discussion: """
            The node makes its own keys, which never leave the state directory, and sends their public halves with the \
            token. The parent admits them and answers with the node's name and place. What was cut short is repeated \
            safely: the same directory with the same token is the same node.
            """)

    @Argument(help: "Where the parent enrols; where the token says by default.")
    var endpoint: String?

    @Option(help: "The token, as 'tributary token create' printed it.")
    var token: String

    @Option(help: "The place in the topology that this node wants; any that is free by default.")
    var name: String?

    @Option(help: "The directory for the node's keys and state.", completion: .directory)
    var state: String

    @Option(help: "Give up after so long, for example 30s.")
    var timeout = "30s"

    @OptionGroup var output: OutputOptions

    func execute(_ output: CommandOutput) throws {
        guard let limit = Duration(option: timeout), limit > .zero else {
            throw CommandError("usage", "--timeout \(timeout): not a duration", hint: "like 30s", exit: .usage)
        }
        if let endpoint, Endpoint(endpoint) == nil {
            throw CommandError(
                "usage", "'\(endpoint)' is no endpoint", hint: "for example tcp://10.0.0.7:7200", exit: .usage)
        }
        if let name, !NodeName.isValid(name) {
            throw CommandError("key.name", "'\(name)' is no node's name", hint: "use a-z, 0-9 and '-'", exit: .usage)
        }
        let request = try JoinRequest(
            token: try JoinToken(token), endpoint: endpoint, name: name.map { NodeName($0) }, directory: state)
        let enrolment = try request.run(until: Bus.now() + limit)
        output.finish(.mapping(fields(of: enrolment)), text: text(of: enrolment))
    }

    private func fields(of enrolment: Enrolment) -> [PlainValue.Field] {
        var fields: [PlainValue.Field] = [.init("name", .text(enrolment.node.value))]
        if case .client(let client) = enrolment.role { fields.append(.init("client_index", .number(client.value))) }
        return fields + [
            .init("parent", .text(enrolment.parent.value)), .init("endpoint", .text(enrolment.endpoint)),
            .init("keys", .text(Enrolment.keys(in: state))),
        ]
    }

    private func text(of enrolment: Enrolment) -> String {
        let command =
            switch enrolment.role {
            case .client: "tributary device TOPOLOGY --state \(state)"
            case .aggregator:
                "tributary node TOPOLOGY --name \(enrolment.node) --keys \(Enrolment.keys(in: state)) --state \(state) "
                    + "--connect \(enrolment.endpoint)"
            }
        return "joined '\(enrolment.parent)' as '\(enrolment.node)'; start it with: \(command)\n"
    }
}
