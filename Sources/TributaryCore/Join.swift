// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// The request of a node that has a token and no admitted key; its CURVE key is proven by the connection.
package struct Join: Hashable, Sendable {
    /// Bytes of a token's secret.
    package static let secretByteCount = 24

    /// What the token holds and the parent knows only the digest of.
    package var secret: [UInt8]
    /// The name wanted; `nil` for any that is free.
    package var node: NodeName?
    /// The sender's Ed25519 public key, 32 bytes.
    package var signingKey: [UInt8]
    /// 64 bytes by that key over `proof(curveKey:parentKey:)`: nobody enrols another's key.
    package var signature: [UInt8]

    package init(secret: [UInt8], node: NodeName?, signingKey: [UInt8], signature: [UInt8]) {
        self.secret = secret
        self.node = node
        self.signingKey = signingKey
        self.signature = signature
    }

    /// What is signed: a prefix that no other message has, then both ends' CURVE keys as their 40 characters.
    package static func proof(curveKey: String, parentKey: String) -> [UInt8] {
        Array("tributary.join.v1\0".utf8) + Array(curveKey.utf8) + Array(parentKey.utf8)
    }
}

/// The answer to `Join`: the sender's key is admitted under a name of the topology.
package struct Joined: Hashable, Sendable {
    package var node: NodeName
    package var role: Hello.Role
    package var parent: NodeName
    /// Where the parent accepts children; its host may be a wildcard, which stands for the host that was joined.
    package var endpoint: String

    package init(node: NodeName, role: Hello.Role, parent: NodeName, endpoint: String) {
        self.node = node
        self.role = role
        self.parent = parent
        self.endpoint = endpoint
    }
}
