// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore

@Suite struct DigestTests {
    private static let bytes = (0..<32).map { UInt8($0 * 7 & 255) }

    @Test func bytesAndTextRoundTrip() throws {
        let digest = try #require(Digest(Self.bytes))
        #expect(digest.bytes == Self.bytes)
        #expect(digest.description == "00070e151c232a31383f464d545b626970777e858c939aa1a8afb6bdc4cbd2d9")
        #expect(Digest(hexadecimal: digest.description) == digest)
        #expect(digest.short == "00070e151c23")
    }

    @Test func differsInEveryByte() throws {
        let digest = try #require(Digest(Self.bytes))
        for position in 0..<32 {
            var other = Self.bytes
            other[position] ^= 1
            #expect(Digest(other) != digest)
        }
    }

    @Test(arguments: [0, 31, 33]) func anotherLengthIsNil(count: Int) {
        #expect(Digest([UInt8](repeating: 1, count: count)) == nil)
    }

    @Test(arguments: ["", "0g", String(repeating: "A", count: 64), String(repeating: "0", count: 63) + "é"])
    func otherTextIsNil(text: String) {
        #expect(Digest(hexadecimal: text) == nil)
    }
}
