// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryBus
package import TributaryClient
package import TributaryCore
import TributaryCrypto

/// Whom a node admits, by their public keys: one value, replaced whole.
package struct AllowList: Hashable, Sendable {
    /// Nodes with the keys that their files hold.
    package private(set) var keys: [NodeName: PublicKeys] = [:]
    private var owners: [CurvePublicKey: NodeName] = [:]

    package init() {}

    /// Adds a node, or gives it other keys.
    ///
    /// - Throws: `KeyError.shared` when another node has the key.
    package mutating func admit(_ node: NodeName, _ publicKeys: PublicKeys) throws(KeyError) {
        if let other = owners[publicKeys.curve], other != node { throw .shared(first: other, second: node) }
        remove(node)
        keys[node] = publicKeys
        owners[publicKeys.curve] = node
    }

    /// Forgets a node.
    package mutating func remove(_ node: NodeName) {
        guard let old = keys.removeValue(forKey: node) else { return }
        owners[old.curve] = nil
    }

    /// What the bus needs of it: whose keys may connect, of the nodes that may be children.
    package func admission(of isChild: (NodeName) -> Bool) -> Admission {
        var admission = Admission()
        for (node, keys) in keys where isChild(node) { admission.admit(keys.curve, as: node) }
        return admission
    }
}
