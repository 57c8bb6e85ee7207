// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CZeroMQ
package import TributaryCore

/// The public half of a CURVE key: what a parent admits a node by, and a child knows its parent by.
package struct CurvePublicKey: Hashable, Sendable, CustomStringConvertible {
    /// 40 characters of Z85.
    package let text: String

    /// Reads 40 characters of Z85; `nil` for anything else.
    package init?(_ text: String) {
        guard Z85.isKey(text) else { return nil }
        self.text = text
    }

    /// Reads 32 bytes; `nil` when there are more or fewer.
    package init?(bytes: [UInt8]) {
        var characters = [CChar](repeating: 0, count: Z85.keyCharacterCount + 1)
        guard bytes.count == Z85.keyByteCount, zmq_z85_encode(&characters, bytes, bytes.count) != nil else {
            return nil
        }
        self.init(Z85.text(characters))
    }

    /// The 32 bytes that the text stands for.
    package var bytes: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Z85.keyByteCount)
        _ = zmq_z85_decode(&bytes, text)
        return bytes
    }

    package var description: String { text }
}

/// A CURVE key pair; the secret half leaves a value of this type only through `secretText`.
package struct CurveKeyPair: Sendable {
    package let publicKey: CurvePublicKey
    /// 40 characters of Z85; belongs in a file with mode 0600 and nowhere else.
    package let secretText: String

    /// Derives the public half of a secret key of 40 characters of Z85; `nil` for anything else.
    package init?(secret text: String) {
        guard Z85.isKey(text) else { return nil }
        var derived = [CChar](repeating: 0, count: Z85.keyCharacterCount + 1)
        guard zmq_curve_public(&derived, text) == 0, let key = CurvePublicKey(Z85.text(derived)) else { return nil }
        publicKey = key
        secretText = text
    }

    private init(publicKey: CurvePublicKey, secretText: String) {
        self.publicKey = publicKey
        self.secretText = secretText
    }

    /// Makes a key pair from the operating system's randomness.
    ///
    /// - Throws: `BusError.resources` when this libzmq was built without CURVE.
    package static func generate() throws(BusError) -> CurveKeyPair {
        var publicText = [CChar](repeating: 0, count: Z85.keyCharacterCount + 1)
        var secretText = publicText
        guard zmq_curve_keypair(&publicText, &secretText) == 0, let key = CurvePublicKey(Z85.text(publicText)) else {
            throw .resources(action: "make a CURVE key", message: "this libzmq was built without CURVE")
        }
        return CurveKeyPair(publicKey: key, secretText: Z85.text(secretText))
    }
}

/// Which public keys a parent admits, and as which nodes.
package struct Admission: Sendable {
    /// Key by key, the node it stands for.
    package private(set) var nodes: [CurvePublicKey: NodeName]

    /// Admits nobody.
    package init() { nodes = [:] }

    /// Admits the given nodes by their public keys.
    ///
    /// - Throws: `BusError.malformedKey` or `BusError.sharedKey`.
    package init(publicKeyTexts: [NodeName: String]) throws(BusError) {
        nodes = [:]
        for (node, text) in publicKeyTexts.sorted(by: { $0.key < $1.key }) {
            guard let key = CurvePublicKey(text) else { throw .malformedKey(owner: node.value) }
            if let other = nodes[key] { throw .sharedKey(first: other.value, second: node.value) }
            nodes[key] = node
        }
    }

    /// Admits one more key; a key admitted before keeps its node's newest name.
    package mutating func admit(_ key: CurvePublicKey, as node: NodeName) { nodes[key] = node }

    /// The node that a key stands for; `nil` for a stranger.
    package subscript(key: CurvePublicKey) -> NodeName? { nodes[key] }
}

/// The text form of CURVE keys (https://rfc.zeromq.org/spec/32/).
enum Z85 {
    static let keyCharacterCount = 40
    static let keyByteCount = 32

    static func isKey(_ text: String) -> Bool {
        guard text.utf8.count == keyCharacterCount, !text.utf8.contains(0) else { return false }
        var bytes = [UInt8](repeating: 0, count: 32)
        return zmq_z85_decode(&bytes, text) != nil
    }

    static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
