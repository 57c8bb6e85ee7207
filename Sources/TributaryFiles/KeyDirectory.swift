// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc
package import TributaryCore

/// The key files of nodes, a few lines of text each.
///
/// `NAME.key`: the secret halves, mode 0600. `NAME.pub`: the public halves, for who admits the node or connects to it.
/// `NAME.revoked`: the public halves that were taken back; they stay refused, whatever the other files say.
package struct KeyDirectory: Hashable, Sendable {
    /// A line for each kind of key: 40 characters of Z85 (CURVE), 64 hexadecimal digits (Ed25519).
    package static let lineCountMax = 2
    private static let byteCountMax = 256
    /// A node whose key is taken back every day has a year's room.
    private static let revokedByteCountMax = 64 * 1024

    package let path: String

    package init(path: String) { self.path = path }

    /// The files' names.
    package enum Kind: String, CaseIterable, Sendable {
        case secret = "key"
        case publicKey = "pub"
        case revoked = "revoked"
    }

    /// The path of a node's file.
    package func file(_ kind: Kind, of node: NodeName) -> String { "\(path)/\(node).\(kind.rawValue)" }

    /// The node and the kind of a file's name; `nil` for other files.
    package static func parse(_ name: String) -> (node: NodeName, kind: Kind)? {
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex, !name.hasPrefix("."),
            let kind = Kind(rawValue: String(name[name.index(after: dot)...]))
        else { return nil }
        return (NodeName(String(name[..<dot])), kind)
    }

    // MARK: Reading

    /// The secret keys of a node, a line each.
    ///
    /// - Throws: `FilesError.missing` when there are none, `FilesError.notPrivate` when others can read them, or could
    ///   put others in their place.
    package func secretLines(of node: NodeName) throws(FilesError) -> [String] {
        let file = file(.secret, of: node)
        var status = stat()
        guard stat(file, &status) == 0 else { throw missing(file, node) }
        guard status.st_mode & 0o077 == 0 else {
            throw .notPrivate(path: file, problem: "can be read by others than its owner", remedy: "chmod 600 \(file)")
        }
        try checkIsPrivate()
        return try lines(file, byteCountMax: Self.byteCountMax)
    }

    /// Refuses a directory in which others than its owner can put files.
    ///
    /// - Throws: `FilesError.notPrivate`.
    package func checkIsPrivate() throws(FilesError) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & 0o022 != 0 else { return }
        var system = statvfs()
        // What is mounted for reading alone, as a cluster mounts secrets, is changed by nobody here.
        if statvfs(path, &system) == 0, system.f_flag & UInt(ST_RDONLY) != 0 { return }
        throw .notPrivate(
            path: path, problem: "others than its owner can put key files there", remedy: "chmod go-w \(path)")
    }

    /// The public keys of a node, a line each.
    ///
    /// - Throws: `FilesError.missing` when there are none.
    package func publicLines(of node: NodeName) throws(FilesError) -> [String] {
        let file = file(.publicKey, of: node)
        guard Directory.exists(file) else { throw missing(file, node) }
        return try lines(file, byteCountMax: Self.byteCountMax)
    }

    /// The public keys of a node that were taken back, a line each; none when none were.
    package func revokedLines(of node: NodeName) throws(FilesError) -> [String] {
        let file = file(.revoked, of: node)
        guard Directory.exists(file) else { return [] }
        return try lines(file, byteCountMax: Self.revokedByteCountMax)
    }

    /// Whether a node has a file here.
    package func has(_ kind: Kind, of node: NodeName) -> Bool { Directory.exists(file(kind, of: node)) }

    /// Every node with a file of a kind here, sorted.
    ///
    /// - Throws: `FilesError.system` when the directory cannot be read.
    package func nodes(with kind: Kind) throws(FilesError) -> [NodeName] {
        try Directory.names(in: path).compactMap { Self.parse($0) }.filter { $0.kind == kind }.map(\.node)
    }

    // MARK: Writing

    /// Writes both halves of new keys; what exists is never overwritten.
    ///
    /// - Throws: `FilesError.request` when the node has a key, `FilesError.system` when files cannot be written.
    package func write(secret: [String], publicKeys: [String], of node: NodeName) throws(FilesError) {
        for kind in [Kind.secret, .publicKey] where has(kind, of: node) {
            throw .request("\(file(kind, of: node)) exists; a key is never overwritten: remove it first")
        }
        try Directory.create(path, mode: 0o700)
        try AtomicFile.write(Self.bytes(secret), to: file(.secret, of: node), permissions: 0o600)
        try AtomicFile.write(Self.bytes(publicKeys), to: file(.publicKey, of: node))
    }

    /// Writes both halves of keys that a node has, whatever was cut short when they were written before.
    ///
    /// - Throws: `FilesError.system` when files cannot be written.
    package func replace(secret: [String], publicKeys: [String], of node: NodeName) throws(FilesError) {
        try AtomicFile.write(Self.bytes(secret), to: file(.secret, of: node), permissions: 0o600)
        try AtomicFile.write(Self.bytes(publicKeys), to: file(.publicKey, of: node))
    }

    /// Removes a node's files.
    ///
    /// - Throws: `FilesError.system` when one cannot be removed.
    package func removeAll(of node: NodeName) throws(FilesError) {
        for kind in Kind.allCases { try Directory.remove(file(kind, of: node)) }
    }

    /// Writes the public half of a node's keys, in place of others if there are any.
    ///
    /// - Throws: `FilesError.system` when the file cannot be written.
    package func write(publicKeys: [String], of node: NodeName) throws(FilesError) {
        try Directory.create(path, mode: 0o700)
        try AtomicFile.write(Self.bytes(publicKeys), to: file(.publicKey, of: node))
    }

    /// Takes a node's public keys back: notes them as revoked for good, then removes their file.
    ///
    /// - Throws: `FilesError.missing` when the node has none, `FilesError.system` when files cannot be written.
    package func revoke(_ node: NodeName) throws(FilesError) {
        let revoked = try publicLines(of: node)
        let known = try revokedLines(of: node)
        let file = file(.publicKey, of: node)
        // The order matters: dying in between leaves a key that is refused all the same.
        try AtomicFile.write(
            Self.bytes(known + revoked.filter { !known.contains($0) }), to: self.file(.revoked, of: node))
        try Directory.remove(file)
        try Directory.sync(path)
    }

    private func lines(_ file: String, byteCountMax: Int) throws(FilesError) -> [String] {
        let text = String(decoding: try SmallFile.read(file, byteCountMax: byteCountMax), as: UTF8.self)
        return text.split(whereSeparator: \.isWhitespace).map { String($0) }
    }

    private static func bytes(_ lines: [String]) -> [UInt8] { Array(lines.map { "\($0)\n" }.joined().utf8) }

    private func missing(_ file: String, _ node: NodeName) -> FilesError {
        .missing(path: file, remedy: "make a key with `tributary key new \(node) --keys \(path)`, or copy it there")
    }
}
