// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryBus
package import TributaryCore
import TributaryCrypto

/// What an operator hands to a new node: the parent's key and the secret by which the parent admits it, in one text.
///
/// `tributary1_` and Base64URL of: expiry (8 bytes, big-endian, seconds since 1970), the parent's public key (32),
/// the secret (24), the join endpoint (the rest, may be empty), and the first four bytes of the SHA-256 of all before.
package struct JoinToken: Hashable, Sendable {
    private static let prefix = "tributary1_"
    private static let checksumByteCount = 4
    private static let endpointByteCountMax = 300

    package var expiry: UInt64
    package var parentKey: CurvePublicKey
    package var secret: [UInt8]
    /// Where the parent takes join requests; `nil` when the operator tells it by other means.
    package var endpoint: String?

    package init(expiry: UInt64, parentKey: CurvePublicKey, secret: [UInt8], endpoint: String?) {
        self.expiry = expiry
        self.parentKey = parentKey
        self.secret = secret
        self.endpoint = endpoint
    }

    /// Why a text is no token.
    package enum Flaw: Error, Hashable, Sendable, CustomStringConvertible {
        case notAToken
        case otherVersion
        case damaged

        package var description: String {
            switch self {
            case .notAToken: "this is no token; a token begins with \(JoinToken.prefix)"
            case .otherVersion: "the token was made by another version of tributary; make one with this version"
            case .damaged: "the token is damaged: its checksum does not match; copy it again, the whole of it"
            }
        }
    }

    /// Reads a token's text.
    ///
    /// - Throws: `Flaw`.
    package init(_ text: String) throws(Flaw) {
        guard text.hasPrefix("tributary"), text.contains("_") else { throw .notAToken }
        guard text.hasPrefix(Self.prefix) else { throw .otherVersion }
        let fixed = 8 + 32 + Join.secretByteCount
        guard let all = URLText.bytes(String(text.dropFirst(Self.prefix.count))),
            all.count >= fixed + Self.checksumByteCount,
            all.count <= fixed + Self.checksumByteCount + Self.endpointByteCountMax
        else { throw .damaged }
        let bytes = Array(all.dropLast(Self.checksumByteCount))
        guard Self.checksum(of: bytes) == Array(all.suffix(Self.checksumByteCount)),
            let parentKey = CurvePublicKey(bytes: Array(bytes[8..<40])),
            let endpoint = String(validating: bytes[fixed...], as: UTF8.self)
        else { throw .damaged }
        expiry = bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) }
        self.parentKey = parentKey
        secret = Array(bytes[40..<fixed])
        self.endpoint = endpoint.isEmpty ? nil : endpoint
    }

    /// The text to hand out: letters, digits, `-` and `_`.
    package var text: String {
        var bytes = SignedBytes.bigEndian(expiry)
        bytes += parentKey.bytes
        bytes += secret
        bytes += Array((endpoint ?? "").utf8)
        return Self.prefix + URLText.text(bytes + Self.checksum(of: bytes))
    }

    /// What the parent knows of a token: nobody makes a token of it.
    package static func digest(of secret: [UInt8]) -> Digest {
        Digest.sha256(of: Array("tributary.token.v1\0".utf8) + secret)
    }

    private static func checksum(of bytes: [UInt8]) -> [UInt8] {
        Array(Digest.sha256(of: bytes).bytes.prefix(checksumByteCount))
    }
}
