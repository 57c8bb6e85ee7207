// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryBus
package import TributaryCore
package import TributaryCrypto
package import TributaryFiles

/// What is wrong with a key, or with what is to be done with it.
package enum KeyError: Error, Hashable, Sendable, CustomStringConvertible {
    /// `owner` is a node or a file; `problem` says what its text is not.
    case malformed(owner: String, problem: String)
    /// Two nodes claim one key.
    case shared(first: NodeName, second: NodeName)
    /// The node has another key.
    case exists(NodeName)
    /// The key was taken back before.
    case revoked(NodeName, file: String)
    /// No such node has a key here.
    case unknown(NodeName, directory: String)
    /// A device's key files have no signing key.
    case cannotSign(NodeName, file: String)

    package var description: String {
        switch self {
        case .malformed(let owner, let problem):
            "the key of \(owner) \(problem); copy the node's .pub file, or make a key with `tributary key new`"
        case .shared(let first, let second):
            "\(first) and \(second) have the same public key; give each node a key of its own"
        case .exists(let node):
            "\(node) has another key; take it back first: tributary key revoke \(node)"
        case .revoked(let node, let file):
            "this key of \(node) was taken back; make a new one, or remove it from \(file)"
        case .unknown(let node, let directory):
            "\(node) has no key in \(directory); `tributary key list` names who has"
        case .cannotSign(let node, let file):
            "\(file) has no signing key, without which the updates of \(node) prove nothing; "
                + "make keys anew with `tributary key new`"
        }
    }
}

/// The public halves of a node's keys: the CURVE key by which it is known, and the Ed25519 key that it signs with.
package struct PublicKeys: Hashable, Sendable {
    package var curve: CurvePublicKey
    /// `nil` for a node that signs nothing.
    package var signing: VerifyingKey?

    package init(curve: CurvePublicKey, signing: VerifyingKey?) {
        self.curve = curve
        self.signing = signing
    }

    /// Reads a file's lines: 40 characters of Z85, then 64 hexadecimal digits, which may be missing.
    ///
    /// - Throws: `KeyError.malformed`.
    package init(lines: [String], of owner: String) throws(KeyError) {
        guard let first = lines.first, lines.count <= KeyDirectory.lineCountMax else {
            throw .malformed(owner: owner, problem: "is not one line of CURVE and one of Ed25519")
        }
        guard let curve = CurvePublicKey(first) else {
            throw .malformed(owner: owner, problem: "is not 40 characters of Z85")
        }
        var signing: VerifyingKey?
        if lines.count > 1 {
            guard let key = VerifyingKey(hexadecimal: lines[1]) else {
                throw .malformed(owner: owner, problem: "has an Ed25519 half that is not 64 hexadecimal digits")
            }
            signing = key
        }
        self.init(curve: curve, signing: signing)
    }

    /// The CURVE key as 40 characters of Z85.
    package var curveText: String { curve.text }

    /// The Ed25519 key as 64 hexadecimal digits; `nil` without one.
    package var signingText: String? { signing?.description }

    /// The lines of their file.
    package var lines: [String] { [curve.text] + (signing.map { [$0.description] } ?? []) }
}

/// The secret halves of a node's keys.
package struct SecretKeys: Sendable {
    package var curve: CurveKeyPair
    package var signing: SigningKey?

    /// Reads a file's lines; see `PublicKeys`.
    ///
    /// - Throws: `KeyError.malformed`.
    package init(lines: [String], of owner: String) throws(KeyError) {
        guard let first = lines.first, lines.count <= KeyDirectory.lineCountMax,
            let curve = CurveKeyPair(secret: first)
        else { throw .malformed(owner: owner, problem: "is not 40 characters of Z85") }
        self.curve = curve
        if lines.count > 1 {
            guard let key = SigningKey(seedText: lines[1]) else {
                throw .malformed(owner: owner, problem: "has an Ed25519 half that is not 64 hexadecimal digits")
            }
            signing = key
        }
    }

    private init(curve: CurveKeyPair, signing: SigningKey) {
        self.curve = curve
        self.signing = signing
    }

    /// Makes keys from the operating system's randomness.
    ///
    /// - Throws: `BusError.resources` when this libzmq was built without CURVE.
    package static func generate() throws(BusError) -> SecretKeys {
        SecretKeys(curve: try CurveKeyPair.generate(), signing: SigningKey.generate())
    }

    package var publicKeys: PublicKeys { PublicKeys(curve: curve.publicKey, signing: signing?.publicKey) }

    /// The lines of their file, which has mode 0600.
    package var lines: [String] { [curve.secretText] + (signing.map { [$0.seedText] } ?? []) }
}

extension KeyDirectory {
    /// A node's own keys.
    ///
    /// - Throws: `FilesError` when they are missing or open to others, `KeyError.malformed`.
    package func secretKeys(of node: NodeName) throws -> SecretKeys {
        try SecretKeys(lines: try secretLines(of: node), of: node.value)
    }

    /// The public keys of a node.
    ///
    /// - Throws: `FilesError` when they are missing, `KeyError.malformed`.
    package func publicKeys(of node: NodeName) throws -> PublicKeys {
        try PublicKeys(lines: try publicLines(of: node), of: node.value)
    }

    /// Makes keys for a node that has none.
    ///
    /// - Throws: `FilesError` when it has some or files cannot be written.
    package func create(_ node: NodeName) throws {
        let keys = try SecretKeys.generate()
        try write(secret: keys.lines, publicKeys: keys.publicKeys.lines, of: node)
    }

    /// Admits a node by its public keys.
    ///
    /// Adding what is there is no error.
    /// - Throws: `KeyError` when the node has another key, or the key is another's or was taken back; `FilesError`.
    package func add(_ keys: PublicKeys, of node: NodeName) throws {
        let nodes = has(.publicKey, of: node) || Directory.exists(path) ? try allPublicKeys() : [:]
        if let own = nodes[node], own == keys { return }
        if nodes[node] != nil { throw KeyError.exists(node) }
        try checkIsFree(keys, for: node, among: nodes)
        try write(publicKeys: keys.lines, of: node)
    }

    /// Refuses keys that another node has, or that were taken back from anybody.
    ///
    /// - Throws: `KeyError.shared`, `KeyError.revoked`, `FilesError`.
    package func checkIsFree(_ keys: PublicKeys, for node: NodeName, among nodes: [NodeName: PublicKeys]) throws {
        for (other, theirs) in nodes where other != node {
            if theirs.curve == keys.curve || (keys.signing != nil && theirs.signing == keys.signing) {
                throw KeyError.shared(first: other, second: node)
            }
        }
        guard Directory.exists(path) else { return }
        for other in try self.nodes(with: .revoked) {
            let revoked = try revokedLines(of: other)
            if keys.lines.contains(where: revoked.contains) {
                throw KeyError.revoked(other, file: file(.revoked, of: other))
            }
        }
    }

    /// The public keys of every node here.
    ///
    /// - Throws: `FilesError` when the directory or a file cannot be read, `KeyError.malformed`.
    package func allPublicKeys() throws -> [NodeName: PublicKeys] {
        var all: [NodeName: PublicKeys] = [:]
        for node in try nodes(with: .publicKey) { all[node] = try publicKeys(of: node) }
        return all
    }
}
