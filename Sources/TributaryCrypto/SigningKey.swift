// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CSodium

// Ed25519 (S. Josefsson, I. Liusvaara, Edwards-Curve Digital Signature Algorithm, 2017,
// https://www.rfc-editor.org/rfc/rfc8032), by libsodium, which refuses points of small order and signatures that
// could be written in another way.

/// The public half of an Ed25519 key: what a signature is checked with.
package struct VerifyingKey: Hashable, Sendable, CustomStringConvertible {
    /// Bytes of a key.
    package static let byteCount = 32
    /// The 32 bytes.
    package let bytes: [UInt8]

    /// Reads 32 bytes; `nil` when there are more or fewer.
    package init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = Array(bytes)
    }

    /// Reads 64 lower-case hexadecimal digits; `nil` for anything else.
    package init?(hexadecimal text: String) {
        guard let bytes = Hexadecimal.bytes(text) else { return nil }
        self.init(bytes)
    }

    /// 64 lower-case hexadecimal digits.
    package var description: String { Hexadecimal.text(bytes) }

    /// Whether `signature` is this key's, over `message`.
    package func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        guard signature.count == SigningKey.signatureByteCount, Sodium.isReady else { return false }
        return crypto_sign_verify_detached(signature, message, UInt64(message.count), bytes) == 0
    }
}

/// An Ed25519 key pair; the secret half leaves a value of this type only through `seedText`.
package struct SigningKey: Sendable {
    /// Bytes of a signature.
    package static let signatureByteCount = 64
    package let publicKey: VerifyingKey
    /// RFC 8032's private key: 32 bytes from which all else follows.
    private let seed: [UInt8]
    /// The seed and the public key, as libsodium wants them.
    private let expanded: [UInt8]

    /// The key of a seed of 32 bytes; `nil` when there are more or fewer.
    package init?(seed: [UInt8]) {
        guard seed.count == VerifyingKey.byteCount, Sodium.isReady else { return nil }
        var publicBytes = [UInt8](repeating: 0, count: VerifyingKey.byteCount)
        var expanded = [UInt8](repeating: 0, count: 2 * VerifyingKey.byteCount)
        guard crypto_sign_seed_keypair(&publicBytes, &expanded, seed) == 0,
            let publicKey = VerifyingKey(publicBytes)
        else { return nil }
        self.seed = seed
        self.expanded = expanded
        self.publicKey = publicKey
    }

    /// The key of a seed in 64 lower-case hexadecimal digits; `nil` for anything else.
    package init?(seedText: String) {
        guard let seed = Hexadecimal.bytes(seedText) else { return nil }
        self.init(seed: seed)
    }

    /// Makes a key from the operating system's randomness.
    package static func generate() -> SigningKey {
        guard let key = SigningKey(seed: SecureRandom.bytes(count: VerifyingKey.byteCount)) else {
            preconditionFailure("libsodium makes a key of any 32 bytes")
        }
        return key
    }

    /// The secret half as 64 lower-case hexadecimal digits; belongs in a file with mode 0600 and nowhere else.
    package var seedText: String { Hexadecimal.text(seed) }

    /// The signature of a message: 64 bytes, the same for the same message.
    package func sign(_ message: [UInt8]) -> [UInt8] {
        var signature = [UInt8](repeating: 0, count: Self.signatureByteCount)
        let result = crypto_sign_detached(&signature, nil, message, UInt64(message.count), expanded)
        precondition(result == 0, "libsodium signs any message")
        return signature
    }
}

/// Randomness for secrets; everything else draws from counters.
package enum SecureRandom {
    /// Bytes from the operating system.
    package static func bytes(count: Int) -> [UInt8] {
        precondition(Sodium.isReady, "libsodium cannot be used")
        var bytes = [UInt8](repeating: 0, count: count)
        randombytes_buf(&bytes, count)
        return bytes
    }
}

/// Bytes as lower-case hexadecimal digits.
package enum Hexadecimal {
    private static let digits = Array("0123456789abcdef".utf8)

    /// Two digits for each byte.
    package static func text(_ bytes: some Collection<UInt8>) -> String {
        String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// The bytes of an even number of lower-case digits; `nil` for anything else.
    package static func bytes(_ text: String) -> [UInt8]? {
        let values = text.utf8.map { byte -> UInt8? in
            switch byte {
            case 48...57: byte - 48
            case 97...102: byte - 87
            default: nil
            }
        }
        guard values.count % 2 == 0, !values.contains(nil) else { return nil }
        let halves = values.compactMap { $0 }
        return stride(from: 0, to: halves.count, by: 2).map { halves[$0] << 4 | halves[$0 + 1] }
    }
}

/// libsodium's own preparation, once a process.
enum Sodium {
    static let isReady = sodium_init() >= 0
}
