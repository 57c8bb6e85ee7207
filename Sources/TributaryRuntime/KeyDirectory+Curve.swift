// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryBus
package import TributaryCore
package import TributaryFiles

extension KeyDirectory {
    /// A node's own key pair.
    ///
    /// - Throws: `FilesError` when it is missing or open to others, `BusError.malformedKey`.
    package func identity(of node: NodeName) throws -> CurveKeyPair {
        guard let pair = CurveKeyPair(secret: try secret(of: node)) else {
            throw BusError.malformedKey(owner: node.value)
        }
        return pair
    }

    /// The key that a parent is known by.
    ///
    /// - Throws: `FilesError` when it is missing, `BusError.malformedKey`.
    package func parentKey(of node: NodeName) throws -> CurvePublicKey {
        guard let key = CurvePublicKey(try publicKey(of: node)) else {
            throw BusError.malformedKey(owner: node.value)
        }
        return key
    }

    /// Admits those of `nodes` whose public keys are here.
    ///
    /// - Throws: `FilesError`, `BusError`.
    package func admission(of nodes: [NodeName]) throws -> Admission {
        var texts: [NodeName: String] = [:]
        for node in nodes where hasPublicKey(of: node) { texts[node] = try publicKey(of: node) }
        return try Admission(publicKeyTexts: texts)
    }

    /// Makes a key for a node that has none.
    ///
    /// - Throws: `FilesError` when it has one or files cannot be written.
    package func create(_ node: NodeName) throws {
        let pair = try CurveKeyPair.generate()
        try write(secret: pair.secretText, publicKey: pair.publicKey.text, of: node)
    }
}
