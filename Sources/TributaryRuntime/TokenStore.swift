// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryBus
package import TributaryClient
package import TributaryCore
import TributaryCrypto
package import TributaryFiles

/// The tokens that an aggregator has handed out, a file each below its key directory.
///
/// A file holds a digest of the secret, how often and how long it still admits, and whom it has admitted.
package struct TokenStore: Sendable {
    /// A token as its parent knows it.
    package struct Record: Hashable, Sendable {
        package var digest: Digest
        /// The aggregator that the token admits to.
        package var node: NodeName
        /// The tier that it admits nodes of.
        package var tier: String
        /// Seconds since 1970.
        package var expiry: UInt64
        package var usesLeft: UInt64
        /// Whom it has admitted, by their CURVE keys.
        package var joined: [CurvePublicKey: NodeName] = [:]

        package init(digest: Digest, node: NodeName, tier: String, expiry: UInt64, usesLeft: UInt64) {
            self.digest = digest
            self.node = node
            self.tier = tier
            self.expiry = expiry
            self.usesLeft = usesLeft
        }

        /// The name of its file, and what people call it.
        package var id: String { String(digest.description.prefix(16)) }
    }

    /// Uses of one token.
    package static let useCountMax: UInt64 = 100_000
    /// A line for each node that a token admitted.
    private static let byteCountMax = 16 * 1024 * 1024
    private static let suffix = ".token"

    package let directory: String

    package init(_ keys: KeyDirectory) { directory = keys.path + "/tokens" }

    /// Makes a token; it is on the disk before it is returned.
    ///
    /// - Throws: `FilesError` when it cannot be stored.
    package func create(
        for node: NodeName, key: CurvePublicKey, tier: String, expiry: UInt64, uses: UInt64, endpoint: String?
    ) throws(FilesError) -> JoinToken {
        let secret = SecureRandom.bytes(count: Join.secretByteCount)
        let digest = JoinToken.digest(of: secret)
        try Directory.create(directory, mode: 0o700)
        try write(Record(digest: digest, node: node, tier: tier, expiry: expiry, usesLeft: uses))
        return JoinToken(expiry: expiry, parentKey: key, secret: secret, endpoint: endpoint)
    }

    /// The token of a digest; `nil` when there is none.
    ///
    /// - Throws: `FilesError` when its file cannot be read.
    package func record(of digest: Digest) throws(FilesError) -> Record? {
        let path = path(of: digest)
        guard Directory.exists(path) else { return nil }
        let record = try Self.read(path)
        return record.digest == digest ? record : nil
    }

    /// Every token, by expiry.
    ///
    /// - Throws: `FilesError` when the directory or a file cannot be read.
    package func all() throws(FilesError) -> [Record] {
        guard Directory.exists(directory) else { return [] }
        var records: [Record] = []
        for name in try Directory.names(in: directory) where name.hasSuffix(Self.suffix) && !name.hasPrefix(".") {
            records.append(try Self.read("\(directory)/\(name)"))
        }
        return records.sorted { ($0.expiry, $0.id) < ($1.expiry, $1.id) }
    }

    /// Stores a token's state; it is on the disk on return.
    ///
    /// - Throws: `FilesError` when it cannot be stored.
    package func write(_ record: Record) throws(FilesError) {
        var text = "tributary-token 1\ndigest \(record.digest)\nnode \(record.node)\ntier \(record.tier)\n"
        text += "expires \(record.expiry)\nuses-left \(record.usesLeft)\n"
        for (key, node) in record.joined.sorted(by: { $0.value < $1.value }) { text += "joined \(key) \(node)\n" }
        try AtomicFile.write(Array(text.utf8), to: path(of: record.digest), permissions: 0o600)
    }

    /// Removes a token; whom it has admitted stays admitted.
    ///
    /// - Throws: `FilesError` when the file cannot be removed.
    package func remove(_ record: Record) throws(FilesError) {
        try Directory.remove(path(of: record.digest))
    }

    private func path(of digest: Digest) -> String {
        "\(directory)/\(digest.description.prefix(16))\(Self.suffix)"
    }

    private static func read(_ path: String) throws(FilesError) -> Record {
        let text = String(decoding: try SmallFile.read(path, byteCountMax: byteCountMax), as: UTF8.self)
        var values: [String: String] = [:]
        var joined: [CurvePublicKey: NodeName] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map { String($0) }
            if words.count == 3, words[0] == "joined", let key = CurvePublicKey(words[1]) {
                joined[key] = NodeName(words[2])
            } else if words.count == 2 {
                values[words[0]] = words[1]
            }
        }
        guard values["tributary-token"] == "1", let digest = values["digest"].flatMap({ Digest(hexadecimal: $0) }),
            let node = values["node"], let tier = values["tier"],
            let expiry = values["expires"].flatMap({ UInt64($0) }),
            let usesLeft = values["uses-left"].flatMap({ UInt64($0) })
        else { throw .malformed(path: path, at: "", problem: "not a token's state; remove it and make another token") }
        var record = Record(digest: digest, node: NodeName(node), tier: tier, expiry: expiry, usesLeft: usesLeft)
        record.joined = joined
        return record
    }
}
