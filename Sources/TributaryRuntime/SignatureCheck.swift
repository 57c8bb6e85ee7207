// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
import TributaryCrypto
package import TributaryProtocol

/// Whether an update is its device's own: checked once, where devices connect, before the update is folded.
///
/// A device whose admitted keys hold no signing key sends unsigned updates, unless they are demanded.
package struct SignatureCheck: Sendable {
    private let keys: AdmittedKeys
    /// Whether the root demands signatures of everybody.
    private let isRequired: Bool

    package init(keys: AdmittedKeys, isRequired: Bool) {
        self.keys = keys
        self.isRequired = isRequired
    }

    /// What is wrong with an update's signature; an aggregator's update, which has none, is its own connection's.
    package func problem(of update: Update, run: RunID) -> RoundWorkResult.Refusal? {
        guard update.voice == nil else { return nil }
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
