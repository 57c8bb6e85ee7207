// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCrypto

struct SigningKeyTests {
    /// A vector of RFC 8032, section 7.1.
    struct Vector: Sendable, CustomStringConvertible {
        var description: String
        var seed: String
        var publicKey: String
        var message: String
        var signature: String
    }

    static let vectors = [
        Vector(
            description: "TEST 1", seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", message: "",
            signature: "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
                + "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
        Vector(
            description: "TEST 2", seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", message: "72",
            signature: "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
        Vector(
            description: "TEST 3", seed: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            publicKey: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", message: "af82",
            signature: "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                + "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
    ]

    @Test(arguments: vectors)
    func signsAsTheStandardSays(vector: Vector) throws {
        let key = try #require(SigningKey(seedText: vector.seed))
        let message = try #require(Hexadecimal.bytes(vector.message))
        #expect(key.publicKey.description == vector.publicKey)
        #expect(key.seedText == vector.seed)
        let signature = key.sign(message)
        #expect(Hexadecimal.text(signature) == vector.signature)
        #expect(key.publicKey.verifies(signature, of: message))
    }

    @Test func anyOtherBitIsRefused() throws {
        let key = SigningKey.generate()
        let other = SigningKey.generate()
        let message = Array("a contribution".utf8)
        let signature = key.sign(message)
        #expect(key.publicKey.verifies(signature, of: message))
        #expect(!other.publicKey.verifies(signature, of: message))
        for bit in 0..<(signature.count * 8) {
            var wrong = signature
            wrong[bit / 8] ^= 1 << (bit % 8)
            #expect(!key.publicKey.verifies(wrong, of: message), "bit \(bit) of the signature")
        }
        for bit in 0..<(message.count * 8) {
            var wrong = message
            wrong[bit / 8] ^= 1 << (bit % 8)
            #expect(!key.publicKey.verifies(signature, of: wrong), "bit \(bit) of the message")
        }
        #expect(!key.publicKey.verifies([], of: message) && !key.publicKey.verifies(signature + [0], of: message))
    }

    /// With a point of small order for a key, one signature would fit every message.
    @Test func keysOfSmallOrderVerifyNothing() throws {
        let zeros = [UInt8](repeating: 0, count: 32)
        let identity = [1] + [UInt8](repeating: 0, count: 31)
        for bytes in [zeros, identity] {
            let key = try #require(VerifyingKey(bytes))
            #expect(!key.verifies(identity + zeros, of: []))
            #expect(!key.verifies(zeros + zeros, of: [1, 2, 3]))
        }
    }

    @Test(arguments: ["", "00", String(repeating: "0", count: 63), String(repeating: "A", count: 64), "zz"])
    func otherTextsAreNoKeys(text: String) {
        #expect(VerifyingKey(hexadecimal: text) == nil)
        #expect(SigningKey(seedText: text) == nil)
    }

    @Test func generatedKeysDifferAndReadBack() throws {
        let first = SigningKey.generate()
        #expect(first.publicKey != SigningKey.generate().publicKey)
        #expect(SigningKey(seedText: first.seedText)?.publicKey == first.publicKey)
        #expect(VerifyingKey(hexadecimal: first.publicKey.description) == first.publicKey)
        #expect(SecureRandom.bytes(count: 32) != SecureRandom.bytes(count: 32))
    }
}

struct URLTextTests {
    /// RFC 4648, section 10, without padding, and the two letters that this alphabet has of its own.
    @Test(arguments: [
        ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
        ("foobar", "Zm9vYmFy"), ("\u{3f}\u{3f}\u{3e}", "Pz8-"), ("\u{3f}\u{3f}\u{3f}", "Pz8_"),
    ])
    func followsTheStandard(bytes: String, text: String) {
        #expect(URLText.text(Array(bytes.utf8)) == text)
        #expect(URLText.bytes(text) == Array(bytes.utf8))
    }

    @Test(arguments: ["Z", "Zh", "Zm9", "Zg==", "Zm+v", "Zm 9", "Zm9vY"])
    func otherTextsAreRefused(text: String) { #expect(URLText.bytes(text) == nil) }
}
