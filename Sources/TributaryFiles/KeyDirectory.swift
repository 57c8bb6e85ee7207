// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
package import TributaryCore

/// The key files of nodes: `NAME.key`, the secret half with mode 0600, and `NAME.pub`; one line of text each.
package struct KeyDirectory: Hashable, Sendable {
    /// A Z85 key is 40 characters.
    private static let byteCountMax = 128

    package let path: String

    package init(path: String) { self.path = path }

    /// The secret key of a node.
    ///
    /// - Throws: `FilesError.missing` when there is none, `FilesError.request` when others may read it.
    package func secret(of node: NodeName) throws(FilesError) -> String {
        let file = "\(path)/\(node).key"
        var status = stat()
        guard stat(file, &status) == 0 else { throw missing(file, node) }
        guard status.st_mode & 0o077 == 0 else {
            throw .request("\(file) can be read by others than its owner; run chmod 600 \(file)")
        }
        return try line(file)
    }

    /// The public key of a node.
    ///
    /// - Throws: `FilesError.missing` when there is none.
    package func publicKey(of node: NodeName) throws(FilesError) -> String {
        let file = "\(path)/\(node).pub"
        guard access(file, F_OK) == 0 else { throw missing(file, node) }
        return try line(file)
    }

    /// Whether a node has a file with its public key here.
    package func hasPublicKey(of node: NodeName) -> Bool { access("\(path)/\(node).pub", F_OK) == 0 }

    /// Every node with a public key here, sorted.
    ///
    /// - Throws: `FilesError.system` when the directory cannot be read.
    package func nodes() throws(FilesError) -> [NodeName] {
        try Directory.names(in: path).filter { $0.hasSuffix(".pub") }.map { NodeName(String($0.dropLast(4))) }
    }

    /// Writes both halves of a new key; what exists is never overwritten.
    ///
    /// - Throws: `FilesError.request` when the node has a key, `FilesError.system` when files cannot be written.
    package func write(secret: String, publicKey: String, of node: NodeName) throws(FilesError) {
        for suffix in ["key", "pub"] where access("\(path)/\(node).\(suffix)", F_OK) == 0 {
            throw .request("\(path)/\(node).\(suffix) exists; a key is never overwritten: remove it first")
        }
        try AtomicFile.write(Array("\(secret)\n".utf8), to: "\(path)/\(node).key", permissions: 0o600)
        try AtomicFile.write(Array("\(publicKey)\n".utf8), to: "\(path)/\(node).pub")
    }

    private func line(_ file: String) throws(FilesError) -> String {
        let bytes = try SmallFile.read(file, byteCountMax: Self.byteCountMax)
        return String(decoding: bytes.prefix { $0 > 32 }, as: UTF8.self)
    }

    private func missing(_ file: String, _ node: NodeName) -> FilesError {
        .missing(path: file, remedy: "make a key with `tributary key new \(node) --keys \(path)`, or copy it there")
    }
}
