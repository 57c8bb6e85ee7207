// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CCrypto
package import TributaryCore

/// An incremental SHA-256 (FIPS 180-4), as fast as the processor's instructions for it.
///
/// It owns one libcrypto context, freed when the value ends.
package struct SHA256: ~Copyable {
    private let context: OpaquePointer

    /// Starts a digest of no bytes.
    package init() {
        let context = Self.makeContext()
        precondition(EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1, "libcrypto has no SHA-256")
        self.context = context
    }

    private init(copying other: OpaquePointer) {
        let context = Self.makeContext()
        precondition(EVP_MD_CTX_copy_ex(context, other) == 1, "libcrypto cannot copy a digest")
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    private static func makeContext() -> OpaquePointer {
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("out of memory") }
        return context
    }

    /// Adds bytes.
    package mutating func update(_ bytes: RawSpan) {
        bytes.withUnsafeBytes { Self.update(context, $0) }
    }

    /// Adds bytes.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        Self.update(context, bytes)
    }

    private static func update(_ context: OpaquePointer, _ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return }
        precondition(EVP_DigestUpdate(context, start, bytes.count) == 1, "libcrypto cannot continue a digest")
    }

    /// A digest of the same bytes that continues on its own.
    package borrowing func copy() -> SHA256 { SHA256(copying: context) }

    /// Ends the digest.
    package consuming func finish() -> Digest {
        let bytes = withUnsafeTemporaryAllocation(byteCount: Digest.byteCount, alignment: 8) { buffer in
            let start = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
            precondition(EVP_DigestFinal_ex(context, start, nil) == 1, "libcrypto cannot end a digest")
            return Digest(buffer)
        }
        guard let bytes else { preconditionFailure("a SHA-256 has 32 bytes") }
        return bytes
    }
}

extension Digest {
    /// The SHA-256 of bytes in memory.
    package static func sha256(of bytes: RawSpan) -> Digest {
        var digest = SHA256()
        digest.update(bytes)
        return digest.finish()
    }

    /// The SHA-256 of bytes in memory.
    package static func sha256(of bytes: UnsafeRawBufferPointer) -> Digest {
        var digest = SHA256()
        digest.update(bytes)
        return digest.finish()
    }

    /// The SHA-256 of bytes in memory.
    package static func sha256(of bytes: [UInt8]) -> Digest {
        sha256(of: bytes.span.bytes)
    }
}
