// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// The numbers of independent implementations, as the scripts beside them wrote them.
package enum OracleFile {
    /// Decodes `Tests/Oracles/<path>`.
    ///
    /// - Throws: when the file is missing or has another shape.
    package static func decode<Value: Decodable>(_ type: Value.Type, _ path: String) throws -> Value {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let data = try Data(contentsOf: root.appending(path: "Tests/Oracles/\(path)"))
        return try JSONDecoder().decode(type, from: data)
    }
}
