// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryCrypto

/// The examples of FIPS 180-4's validation (NIST, "Examples with Intermediate Values", SHA-256).
@Suite struct DigestTests {
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func standardExamples(text: String, hexadecimal: String) {
        #expect(Digest.sha256(of: Array(text.utf8)).description == hexadecimal)
    }

    @Test func anyDivisionOfTheBytesGivesTheSameDigest() {
        let bytes = [UInt8](repeating: 0x61, count: 1_000_000)
        for step in [1_000_000, 65_536, 9_973, 4_096, 777] {
            var digest = SHA256()
            var start = 0
            while start < bytes.count {
                let end = min(start + step, bytes.count)
                digest.update(bytes.span.bytes.extracting(start..<end))
                start = end
            }
            #expect(
                digest.finish().description == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
        }
    }

    @Test func copyContinuesOnItsOwn() {
        var digest = SHA256()
        digest.update(([0x61, 0x62] as [UInt8]).span.bytes)
        var copy = digest.copy()
        copy.update(([0x63] as [UInt8]).span.bytes)
        #expect(copy.finish() == Digest.sha256(of: Array("abc".utf8)))
        #expect(digest.finish() == Digest.sha256(of: Array("ab".utf8)))
    }
}
