// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import TributaryCore
import TributaryFiles

/// The number that a device's next update will bear, kept on disk so that it never repeats.
enum SequenceFile {
    static func read(_ node: NodeName, in directory: String) throws(FilesError) -> UInt64 {
        let path = path(node, directory)
        let bytes: [UInt8]
        do {
            bytes = try SmallFile.read(path, byteCountMax: 32)
        } catch {
            guard case .system(_, _, ENOENT) = error else { throw error }
            return 0
        }
        let digits = String(decoding: bytes, as: UTF8.self).prefix { $0.isNumber }
        guard let sequence = UInt64(digits) else {
            throw .malformed(path: path, at: "", problem: "not a number; remove it if this device starts anew")
        }
        return sequence
    }

    static func write(_ sequence: UInt64, _ node: NodeName, in directory: String) throws(FilesError) {
        try AtomicFile.write(Array("\(sequence)\n".utf8), to: path(node, directory))
    }

    private static func path(_ node: NodeName, _ directory: String) -> String {
        "\(directory)/\(node).sequence"
    }
}
