// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TributaryBus
import TributaryClient
import TributaryCore
import TributaryCrypto
import TributaryFiles
import TributaryTopology

@testable import TributaryRuntime

struct RegistrarTests {
    private let place: Workplace
    private let parent: CurvePublicKey
    private static let now: UInt64 = 1_000_000

    init() throws {
        place = try Workplace()
        parent = try CurveKeyPair.generate().publicKey
    }

    private static func role(_ name: NodeName) -> Hello.Role? {
        guard name.value.hasPrefix("device-"), let number = UInt64(name.value.dropFirst(7)), number < 3 else {
            return nil
        }
        return .client(ClientIndex(number))
    }

    /// As the aggregator has it when it starts.
    private func registrar() throws -> Registrar {
        var reader = AllowListReader(place.keys) { Self.role($0) != nil }
        let list = try reader.load()
        let places = Registrar.Places(
            node: NodeName("edge"), tier: "device", children: [], devices: ClientSet(0..<3),
            deviceName: { NodeName("device-\($0)") }, role: Self.role)
        return Registrar(places, parentKey: parent, reader: reader, list: list)
    }

    private func token(uses: UInt64, node: String = "edge", tier: String = "device") throws -> JoinToken {
        try TokenStore(place.keys).create(
            for: NodeName(node), key: parent, tier: tier, expiry: Self.now + 60, uses: uses, endpoint: nil)
    }

    private func join(_ keys: SecretKeys, _ token: JoinToken, as name: String? = nil) throws -> Join {
        let signing = try #require(keys.signing)
        let proof = Join.proof(curveKey: keys.curve.publicKey.text, parentKey: parent.text)
        return Join(
            secret: token.secret, node: name.map { NodeName($0) }, signingKey: signing.publicKey.bytes,
            signature: signing.sign(proof))
    }

    private func enrol(
        _ registrar: inout Registrar, _ keys: SecretKeys, _ token: JoinToken, as name: String? = nil,
        at now: UInt64 = Self.now
    ) throws -> String {
        let join = try join(keys, token, as: name)
        switch registrar.enrol(join, keys.curve.publicKey, endpoint: "tcp://e:1", now: now) {
        case .success(let joined): return joined.node.value
        case .failure(let refusal): return refusal.reason.rawValue
        }
    }

    private func usesLeft(_ token: JoinToken) throws -> UInt64? {
        try TokenStore(place.keys).record(of: JoinToken.digest(of: token.secret))?.usesLeft
    }

    @Test func theSameKeysAreTheSameNodeAndUseNothingUp() throws {
        var registrar = try registrar()
        let token = try token(uses: 2)
        let keys = try SecretKeys.generate()
        #expect(try enrol(&registrar, keys, token) == "device-0")
        #expect(try enrol(&registrar, keys, token) == "device-0")
        // Started anew, too, after the token's end, and when the key's file was never written.
        var later = try self.registrar()
        #expect(try enrol(&later, keys, token, at: Self.now + 100) == "device-0")
        try place.remove("device-0.pub")
        var cutShort = try self.registrar()
        let other = try SecretKeys.generate()
        #expect(try enrol(&cutShort, other, token) == "device-1", "the place is kept for who has its promise")
        #expect(try enrol(&cutShort, keys, token) == "device-0")
        #expect(cutShort.list.keys[NodeName("device-0")] == keys.publicKeys)
        #expect(try usesLeft(token) == 0)
        #expect(try enrol(&cutShort, try SecretKeys.generate(), token) == "admission.used_token")
    }

    @Test func usesAreCountedOnDisk() throws {
        let token = try token(uses: 1)
        var first = try registrar()
        #expect(try usesLeft(token) == 1)
        #expect(try enrol(&first, try SecretKeys.generate(), token) == "device-0")
        #expect(try usesLeft(token) == 0)
        var second = try registrar()
        #expect(try enrol(&second, try SecretKeys.generate(), token) == "admission.used_token")
        #expect(second.list.keys.count == 1)
    }

    @Test func refusalsUseNothingUp() throws {
        var registrar = try registrar()
        let token = try token(uses: 3)
        let keys = try SecretKeys.generate()
        #expect(try enrol(&registrar, keys, token, at: Self.now + 60) == "admission.expired_token")
        #expect(try enrol(&registrar, keys, token, as: "device-3") == "admission.wrong_identity")
        for wrong in [try self.token(uses: 1, node: "other"), try self.token(uses: 1, tier: "camera")] {
            #expect(try enrol(&registrar, keys, wrong) == "admission.wrong_token")
        }
        let unknown = JoinToken(
            expiry: .max, parentKey: parent, secret: [UInt8](repeating: 0, count: Join.secretByteCount), endpoint: nil)
        #expect(try enrol(&registrar, keys, unknown) == "admission.wrong_token")
        #expect(try enrol(&registrar, keys, token, as: "device-1") == "device-1")
        #expect(try enrol(&registrar, try SecretKeys.generate(), token, as: "device-1") == "admission.name_taken")
        #expect(try enrol(&registrar, keys, token, as: "device-2") == "admission.name_taken")
        #expect(try usesLeft(token) == 2)
    }

    /// Somebody who listened sends another's signing key with a CURVE key of his own.
    @Test func nobodyEnrolsAnothersSigningKey() throws {
        var registrar = try registrar()
        let token = try token(uses: 1)
        let (own, others) = (try SecretKeys.generate(), try SecretKeys.generate())
        let stolen = try join(others, token)
        let result = registrar.enrol(stolen, own.curve.publicKey, endpoint: "tcp://e:1", now: Self.now)
        #expect(throws: Registrar.Refusal.self) { try result.get() }
        #expect(try usesLeft(token) == 1 && registrar.list.keys.isEmpty)
    }

    @Test func aRevokedKeyDoesNotComeBackAndItsPlaceIsGivenByNameAlone() throws {
        var registrar = try registrar()
        let token = try token(uses: 9)
        let keys = try SecretKeys.generate()
        #expect(try enrol(&registrar, keys, token) == "device-0")
        try place.keys.revoke(NodeName("device-0"))
        #expect(try enrol(&registrar, keys, token) == "admission.revoked_key")
        #expect(try enrol(&registrar, try SecretKeys.generate(), token) == "device-1")
        #expect(try enrol(&registrar, try SecretKeys.generate(), token) == "device-2")
        #expect(try enrol(&registrar, try SecretKeys.generate(), token) == "admission.no_vacancy")
        let fresh = try SecretKeys.generate()
        #expect(try enrol(&registrar, fresh, token, as: "device-0") == "device-0")
        #expect(registrar.list.keys[NodeName("device-0")] == fresh.publicKeys)
    }

    @Test func aTokenIsKeptAsADigest() throws {
        let token = try token(uses: 5)
        let store = TokenStore(place.keys)
        let record = try #require(try store.all().first)
        #expect(record.usesLeft == 5 && record.expiry == Self.now + 60)
        let file = "\(store.directory)/\(record.id).token"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        #expect(!text.contains(Hexadecimal.text(token.secret)) && !text.contains(URLText.text(token.secret)))
        #expect(try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o600)
        try text.replacingOccurrences(of: "uses-left", with: "uses").write(
            toFile: file, atomically: false, encoding: .utf8)
        #expect(throws: FilesError.self) { try store.all() }
        var registrar = try registrar()
        #expect(try enrol(&registrar, try SecretKeys.generate(), token) == "object.storage")
    }
}
