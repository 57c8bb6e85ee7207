// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryBus
package import TributaryCore
import TributaryCrypto
import TributaryFiles

/// Why a node could not join.
package enum JoinError: Error, Sendable, CustomStringConvertible {
    /// The parent said no.
    case refused(ReasonCode, text: String)
    case unreachable(endpoint: String)
    /// Another node answers at the endpoint than the one whose key the token holds.
    case otherParent(endpoint: String)
    /// Neither the token nor the command line says where to go.
    case noEndpoint
    /// The directory belongs to a node that has joined under another name.
    case joinedAs(NodeName, directory: String)

    package var description: String {
        switch self {
        case .refused(_, let text): text
        case .unreachable(let endpoint):
            "\(endpoint) does not answer; check the address, that the parent runs, and that it takes join requests "
                + "('join' in its topology, or --join)"
        case .otherParent(let endpoint):
            "the node at \(endpoint) is not the one that made the token; check the address"
        case .noEndpoint: "the token does not say where to join; give the endpoint, for example tcp://10.0.0.7:7200"
        case .joinedAs(let node, let directory):
            "\(directory) belongs to '\(node)', which has joined; use another directory for another node"
        }
    }
}

/// Makes a node known to a parent that it has a token of: keys, one message, and what came of it on the disk.
package struct JoinRequest {
    /// The name of the key files until the node has a name of its own; no node is called so.
    private static let nameless = NodeName("new_node")

    private let token: JoinToken
    private let endpoint: String
    private let name: NodeName?
    private let directory: String
    private let keys: KeyDirectory

    /// `endpoint`: where to join, when not where the token says; `name`: the place wanted.
    ///
    /// - Throws: `JoinError.noEndpoint`.
    package init(token: JoinToken, endpoint: String?, name: NodeName?, directory: String) throws {
        guard let endpoint = endpoint ?? token.endpoint else { throw JoinError.noEndpoint }
        self.token = token
        self.endpoint = endpoint
        self.name = name
        self.directory = directory
        keys = KeyDirectory(path: Enrolment.keys(in: directory))
    }

    /// Joins, unless the directory's node has joined already; waits for the answer until a moment.
    ///
    /// May be repeated after anything that went wrong: the same keys with the same token are the same node.
    /// - Throws: `JoinError`, `FilesError`, `BusError`.
    package func run(until deadline: Moment) throws -> Enrolment {
        if let enrolment = try Enrolment.read(in: directory) {
            guard name == nil || name == enrolment.node else {
                throw JoinError.joinedAs(enrolment.node, directory: directory)
            }
            return enrolment
        }
        let store = try ObjectStore(directory: "\(directory)/objects")
        if !keys.has(.secret, of: Self.nameless) { try keys.create(Self.nameless) }
        let own = try keys.secretKeys(of: Self.nameless)
        guard let signing = own.signing else {
            throw KeyError.cannotSign(Self.nameless, file: keys.file(.secret, of: Self.nameless))
        }
        let proof = Join.proof(curveKey: own.curve.publicKey.text, parentKey: token.parentKey.text)
        let join = Join(
            secret: token.secret, node: name, signingKey: signing.publicKey.bytes, signature: signing.sign(proof))
        let joined = try ask(join, own.curve, store, until: deadline)
        return try keep(joined, own)
    }

    private func ask(
        _ join: Join, _ identity: CurveKeyPair, _ store: ObjectStore, until deadline: Moment
    ) throws -> Joined {
        let bus = try Bus(store: store)
        defer { bus.close() }
        let link = try bus.connect(
            endpoint, parentKey: token.parentKey, identity: identity,
            jitterSeed: UInt64(truncatingIfNeeded: Bus.now().nanoseconds))
        while Bus.now() < deadline {
            for event in bus.poll(until: deadline) {
                switch event {
                case .connected: bus.send(join, to: link)
                case .joined(_, let joined): return joined
                case .refused: throw JoinError.otherParent(endpoint: endpoint)
                case .message(_, _, let envelope):
                    guard case .refuse(let refusal) = envelope.message else { continue }
                    throw JoinError.refused(refusal.reason, text: refusal.text)
                case .gone, .joining, .fetched, .fetchFailed, .violation, .woken: break
                }
            }
        }
        throw JoinError.unreachable(endpoint: endpoint)
    }

    /// Gives the keys their name; the enrolment comes last, so that whatever is cut short is done again.
    private func keep(_ joined: Joined, _ own: SecretKeys) throws -> Enrolment {
        guard NodeName.isValid(joined.node.value), NodeName.isValid(joined.parent.value) else {
            throw JoinError.refused(.malformed, text: "the parent answered with a name that no node can have")
        }
        let enrolment = Enrolment(
            node: joined.node, role: joined.role, parent: joined.parent, parentKey: token.parentKey,
            endpoint: reachable(joined.endpoint))
        if !keys.has(.secret, of: joined.node) || !keys.has(.publicKey, of: joined.node) {
            try keys.replace(secret: own.lines, publicKeys: own.publicKeys.lines, of: joined.node)
        }
        try keys.write(publicKeys: PublicKeys(curve: token.parentKey, signing: nil).lines, of: joined.parent)
        try enrolment.write(in: directory)
        try keys.removeAll(of: Self.nameless)
        return enrolment
    }

    /// The endpoint for children; a wildcard stands for the host that was joined.
    private func reachable(_ answered: String) -> String {
        for wildcard in ["tcp://0.0.0.0:", "tcp://*:", "tcp://[::]:"] where answered.hasPrefix(wildcard) {
            guard let colon = endpoint.lastIndex(of: ":") else { break }
            return String(endpoint[...colon] + answered.dropFirst(wildcard.count))
        }
        return answered
    }
}
