// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
import TributaryCrypto
package import TributaryProtocol

/// Whether an update is its sender's own: checked once, where the sender connects, before the update is folded.
///
/// A node whose admitted keys hold no signing key sends unsigned updates, unless signatures are demanded.
package struct SignatureCheck: Sendable {
    let keys: AdmittedKeys
    /// Whether the root demands signatures of everybody, and that sums show them.
    let isRequired: Bool
    /// The seed by which contributions are named, where it is the node's own to say: at the root.
    let seed: UInt64?

    package init(keys: AdmittedKeys, isRequired: Bool, seed: UInt64? = nil) {
        self.keys = keys
        self.isRequired = isRequired
        self.seed = seed
    }

    /// What is wrong with an update's signature.
    package func problem(of update: Update, run: RunID) -> RoundWorkResult.Refusal? {
        let node = update.key.node
        let (isAdmitted, key) = keys.signingKey(of: node)
        guard isAdmitted else {
            return .init(reason: .revokedKey, text: "the key of '\(node)' is no longer admitted")
        }
        guard let key else {
            return isRequired
                ? .init(reason: .wrongSignature, text: "'\(node)' has no signing key, and signatures are required")
                : nil
        }
        guard let signature = update.signature else {
            return .init(reason: .wrongSignature, text: "the update of '\(node)' is not signed")
        }
        guard key.verifies(signature.value, of: update.signedBytes(run: run, epoch: signature.epoch)) else {
            return .init(reason: .wrongSignature, text: "the signature is not one of '\(node)' over this update")
        }
        return nil
    }
}
