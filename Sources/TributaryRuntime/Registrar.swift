// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryBus
import TributaryClient
package import TributaryCore
import TributaryCrypto
import TributaryFiles
package import TributaryTopology

/// Decides who is admitted to one aggregator: follows its key directory, and enrols who comes with a token.
///
/// A token's use is counted, and the new key's file written, before the answer leaves; the same key with the same
/// token gets the same answer again and uses nothing up.
package struct Registrar: Sendable {
    /// Why somebody is not enrolled.
    package struct Refusal: Error, Hashable, Sendable {
        package var reason: ReasonCode
        package var text: String
    }

    /// The places that an aggregator has for children.
    package struct Places: Sendable {
        package var node: NodeName
        /// The tier of its children.
        package var tier: String
        package var children: [NodeName]
        package var devices: ClientSet
        package var deviceName: @Sendable (ClientIndex) -> NodeName
        package var role: @Sendable (NodeName) -> Hello.Role?
    }

    private let places: Places
    private let parentKey: CurvePublicKey
    private let tokens: TokenStore
    private var reader: AllowListReader
    /// The list of the last look.
    package private(set) var list: AllowList

    /// `list`: what `reader` loaded.
    package init(_ places: Places, parentKey: CurvePublicKey, reader: AllowListReader, list: AllowList) {
        self.places = places
        self.parentKey = parentKey
        self.reader = reader
        self.list = list
        tokens = TokenStore(reader.directory)
    }

    /// Looks at the directory; see `AllowListReader`.
    package mutating func look() -> AllowListReader.Look {
        let look = reader.look()
        list = look.list
        return look
    }

    /// Enrols a node; its key is in the directory, and in `list`, on return.
    ///
    /// `now`: seconds since 1970; a token's life is a matter of the calendar, as its holder reads it.
    package mutating func enrol(
        _ join: Join, _ key: CurvePublicKey, endpoint: String, now: UInt64
    ) -> Result<Joined, Refusal> {
        do {
            let name = try place(join, key, now: now)
            guard let role = places.role(name) else { throw Self.noPlace(name, places) }
            return .success(Joined(node: name, role: role, parent: places.node, endpoint: endpoint))
        } catch let refusal as Refusal {
            return .failure(refusal)
        } catch {
            return .failure(Refusal(reason: .storage, text: "the parent could not store it: \(error); try again later"))
        }
    }

    private mutating func place(_ join: Join, _ key: CurvePublicKey, now: UInt64) throws -> NodeName {
        let keys = try proven(join, key)
        guard var token = try tokens.record(of: JoinToken.digest(of: join.secret)), token.node == places.node,
            token.tier == places.tier
        else {
            throw Refusal(
                reason: .wrongToken, text: "'\(places.node)' has no such token; ask for a new one, and copy all of it")
        }
        _ = look()
        // Who is admitted already, by whatever way, needs no use of the token.
        if let name = list.keys.first(where: { $0.value == keys })?.key, join.node == nil || join.node == name,
            places.role(name) != nil
        {
            return name
        }
        if let name = token.joined[key] {
            guard join.node == nil || join.node == name else {
                throw Refusal(reason: .nameTaken, text: "this key has joined as '\(name)' already")
            }
            try admit(keys, as: name)
            return name
        }
        guard now < token.expiry else {
            throw Refusal(reason: .expiredToken, text: "the token has expired; ask for a new one")
        }
        guard token.usesLeft > 0 else {
            throw Refusal(reason: .usedToken, text: "the token has been used as often as it may; ask for a new one")
        }
        let name = try vacancy(join.node, keys)
        try checkIsFree(keys, for: name)
        token.usesLeft -= 1
        token.joined[key] = name
        try tokens.write(token)
        try admit(keys, as: name)
        return name
    }

    /// The sender's keys, when it holds the secret half of both.
    private func proven(_ join: Join, _ key: CurvePublicKey) throws -> PublicKeys {
        let proof = Join.proof(curveKey: key.text, parentKey: parentKey.text)
        guard let signing = VerifyingKey(join.signingKey), signing.verifies(join.signature, of: proof) else {
            throw Refusal(reason: .wrongSignature, text: "the signing key is not the sender's own")
        }
        return PublicKeys(curve: key, signing: signing)
    }

    private mutating func admit(_ keys: PublicKeys, as name: NodeName) throws {
        if list.keys[name] == keys { return }
        guard list.keys[name] == nil else {
            throw Refusal(reason: .nameTaken, text: "'\(name)' has another key by now")
        }
        try checkIsFree(keys, for: name)
        try reader.directory.write(publicKeys: keys.lines, of: name)
        _ = look()
        guard list.keys[name] == keys else {
            throw Refusal(reason: .unreadableKeys, text: "the parent cannot read its keys; tell its operator")
        }
    }

    private func checkIsFree(_ keys: PublicKeys, for name: NodeName) throws {
        do {
            try reader.directory.checkIsFree(keys, for: name, among: list.keys)
        } catch KeyError.revoked {
            throw Refusal(
                reason: .revokedKey, text: "this key was taken back; remove the state directory to make another")
        } catch KeyError.shared(let other, _) {
            throw Refusal(reason: .nameTaken, text: "this key is admitted as '\(other)' already")
        }
    }

    /// The name asked for, or the first place without a key; one whose key was taken back is given by name alone.
    private func vacancy(_ wanted: NodeName?, _ keys: PublicKeys) throws -> NodeName {
        let directory = reader.directory
        if let wanted {
            guard places.role(wanted) != nil else { throw Self.noPlace(wanted, places) }
            guard !directory.has(.publicKey, of: wanted) else {
                throw Refusal(reason: .nameTaken, text: "'\(wanted)' has another key; choose another name")
            }
            return wanted
        }
        // Names that were promised, and whose key a crash kept from being written, wait for their holder.
        let promised = Set(((try? tokens.all()) ?? []).flatMap(\.joined.values))
        func isFree(_ name: NodeName) -> Bool {
            !promised.contains(name) && !directory.has(.publicKey, of: name) && !directory.has(.revoked, of: name)
        }
        if let free = places.children.first(where: isFree) { return free }
        if let free = places.devices.indices.lazy.map(places.deviceName).first(where: isFree) { return free }
        throw Refusal(
            reason: .noVacancy,
            text: "every '\(places.tier)' below '\(places.node)' has a key; the topology has no place left")
    }

    private static func noPlace(_ name: NodeName, _ places: Places) -> Refusal {
        Refusal(
            reason: .wrongIdentity,
            text: "the topology gives '\(places.node)' no '\(name)'; name one of its \(places.tier) nodes, or none")
    }
}
