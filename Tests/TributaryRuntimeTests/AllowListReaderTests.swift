// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TributaryClient
import TributaryCore
import TributaryCrypto
import TributaryFiles

@testable import TributaryRuntime

struct AllowListReaderTests {
    private let place: Workplace
    private let names = ["a", "b", "c"].map { NodeName($0) }
    private var reader: AllowListReader

    init() throws {
        place = try Workplace()
        let wanted = Set(names)
        reader = AllowListReader(place.keys) { wanted.contains($0) }
    }

    private func admit(_ name: String) throws -> PublicKeys {
        let keys = try SecretKeys.generate().publicKeys
        try place.keys.write(publicKeys: keys.lines, of: NodeName(name))
        return keys
    }

    @Test func filesComeAndGo() throws {
        var reader = reader
        let a = try admit("a")
        #expect(try reader.load().keys == [names[0]: a])
        let b = try admit("b")
        _ = try admit("stranger")
        #expect(reader.look().list.keys == [names[0]: a, names[1]: b])
        try place.remove("a.pub")
        let look = reader.look()
        #expect(look.list.keys == [names[1]: b] && look.trouble.isEmpty)
        // Written within the same moment with the same length: the times do not tell, the contents do.
        let other = try admit("b")
        #expect(reader.look().list.keys == [names[1]: other])
    }

    @Test func whatCannotBeReadChangesNothing() throws {
        var reader = reader
        let (a, b) = (try admit("a"), try admit("b"))
        let whole = try reader.load()
        for broken in [
            "", "x", String(a.curveText.prefix(39)),
            a.curveText + "\n" + String(a.signing?.description.dropLast() ?? ""),
        ] {
            try place.write(broken, "a.pub")
            let look = reader.look()
            #expect(look.list == whole && look.trouble.count == 1, "\(broken)")
        }
        // Trouble with one file does not hold another's change up.
        try place.remove("b.pub")
        #expect(reader.look().list.keys == [names[0]: a])
        try place.keys.write(publicKeys: b.lines, of: names[1])
        try place.remove("a.pub")
        #expect(reader.look().list.keys == [names[1]: b])
        // The directory itself.
        let gone = reader.look().list
        try FileManager.default.moveItem(atPath: place.path, toPath: place.path + "-away")
        let look = reader.look()
        try FileManager.default.moveItem(atPath: place.path + "-away", toPath: place.path)
        #expect(look.list == gone && look.trouble.count == 1)
    }

    @Test func aNewcomerCannotTakeAnothersKey() throws {
        var reader = reader
        let b = try admit("b")
        _ = try reader.load()
        // 'a' comes first by name, and last in time.
        try place.keys.write(publicKeys: b.lines, of: names[0])
        let look = reader.look()
        #expect(look.list.keys == [names[1]: b] && look.trouble.count == 1)
        try place.remove("b.pub")
        #expect(reader.look().list.keys == [names[0]: b])
    }

    @Test func aRevokedKeyStaysOutWhateverTheFilesSay() throws {
        var reader = reader
        let (a, b) = (try admit("a"), try admit("b"))
        _ = try reader.load()
        try place.keys.revoke(names[0])
        #expect(reader.look().list.keys == [names[1]: b])
        try place.keys.write(publicKeys: a.lines, of: names[0])
        #expect(reader.look().list.keys == [names[1]: b])
        // Under another name, or with either half alone.
        let fresh = try SecretKeys.generate().publicKeys
        let half = PublicKeys(curve: fresh.curve, signing: a.signing)
        try place.keys.write(publicKeys: half.lines, of: names[2])
        #expect(reader.look().list.keys == [names[1]: b])
        try place.keys.write(publicKeys: fresh.lines, of: names[2])
        #expect(reader.look().list.keys == [names[1]: b, names[2]: fresh])
        #expect(try place.text(of: "a.revoked") == a.lines.map { $0 + "\n" }.joined())
        #expect(throws: KeyError.self) { try place.keys.add(half, of: NodeName("d")) }
    }

    @Test func aNodeThatStartsNeedsAllOfIt() throws {
        var reader = reader
        _ = try admit("a")
        try place.write("half", "b.pub")
        #expect(throws: KeyError.self) { try reader.load() }
        try place.remove("b.pub")
        try FileManager.default.setAttributes([.posixPermissions: 0o770], ofItemAtPath: place.path)
        #expect(throws: FilesError.self) { try reader.load() }
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: place.path)
        #expect(try reader.load().keys.count == 1)
    }

    @Test(arguments: [0o640, 0o604, 0o660, 0o700 | 0o044])
    func aSecretThatOthersCanReadIsRefused(mode: Int) throws {
        try place.keys.create(names[0])
        let path = place.keys.file(.secret, of: names[0])
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        #expect(try place.keys.secretKeys(of: names[0]).signing != nil)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        let error = #expect(throws: FilesError.self) { try place.keys.secretKeys(of: names[0]) }
        #expect(error?.description.contains("chmod 600 \(path)") == true)
    }
}
