// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
package import TributaryCrypto

extension SigningKey {
    /// The envelope with the update in it signed; any other message as it is.
    package func signed(_ envelope: Envelope) -> Envelope {
        guard case .update(var update) = envelope.message, let run = envelope.run else { return envelope }
        let value = sign(update.signedBytes(run: run, epoch: envelope.epoch))
        update.signature = Update.Signature(epoch: envelope.epoch, value: value)
        var envelope = envelope
        envelope.message = .update(update)
        return envelope
    }
}
