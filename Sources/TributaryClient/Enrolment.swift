// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryBus
package import TributaryCore
package import TributaryFiles

/// What a node that has joined knows about its place, kept in its state directory.
package struct Enrolment: Hashable, Sendable {
    package var node: NodeName
    package var role: Hello.Role
    package var parent: NodeName
    package var parentKey: CurvePublicKey
    package var endpoint: String

    package init(node: NodeName, role: Hello.Role, parent: NodeName, parentKey: CurvePublicKey, endpoint: String) {
        self.node = node
        self.role = role
        self.parent = parent
        self.parentKey = parentKey
        self.endpoint = endpoint
    }

    private static func path(_ directory: String) -> String { "\(directory)/enrolment" }

    /// Where the keys of an enrolled node lie.
    package static func keys(in directory: String) -> String { "\(directory)/keys" }

    /// What is kept in a state directory; `nil` when its node has not joined.
    ///
    /// - Throws: `FilesError` when the file cannot be read.
    package static func read(in directory: String) throws(FilesError) -> Enrolment? {
        let path = path(directory)
        guard Directory.exists(path) else { return nil }
        let text = String(decoding: try SmallFile.read(path, byteCountMax: 4096), as: UTF8.self)
        var values: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1).map { String($0) }
            if words.count == 2 { values[words[0]] = words[1] }
        }
        guard values["tributary-enrolment"] == "1", let node = values["node"], let parent = values["parent"],
            let parentKey = values["parent-key"].flatMap({ CurvePublicKey($0) }), let endpoint = values["endpoint"]
        else {
            throw .malformed(path: path, at: "", problem: "not an enrolment; remove the directory and join again")
        }
        let client = values["client-index"].flatMap { UInt64($0) }
        return Enrolment(
            node: NodeName(node), role: client.map { .client(ClientIndex($0)) } ?? .aggregator,
            parent: NodeName(parent), parentKey: parentKey, endpoint: endpoint)
    }

    /// Keeps it.
    ///
    /// - Throws: `FilesError` when the file cannot be written.
    package func write(in directory: String) throws(FilesError) {
        var text = "tributary-enrolment 1\nnode \(node)\n"
        if case .client(let client) = role { text += "client-index \(client)\n" }
        text += "parent \(parent)\nparent-key \(parentKey)\nendpoint \(endpoint)\n"
        try AtomicFile.write(Array(text.utf8), to: Self.path(directory), permissions: 0o600)
    }
}
