// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import TributaryCore
import TributaryFiles

/// The number from which on a device's updates have not been numbered yet, kept on disk so that none repeats.
///
/// The file is one line: the word `next`, the number, and the CRC-32 of `node's name/number` in hexadecimal digits.
enum SequenceFile {
    static func read(_ node: NodeName, in directory: String) throws(FilesError) -> UInt64 {
        let path = path(node, directory)
        let bytes: [UInt8]
        do {
            bytes = try SmallFile.read(path, byteCountMax: 64)
        } catch {
            guard case .system(_, _, ENOENT) = error else { throw error }
            return 0
        }
        let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        guard words.count == 3, let sequence = UInt64(digits: words[1]), bytes == Array(line(sequence, node).utf8)
        else {
            throw .malformed(
                path: path, at: "",
                problem: "the file is damaged or another device's; put back a copy, or write '\(remedy(node))'")
        }
        return sequence
    }

    /// A line that is right whatever was used: no device makes a million updates a second.
    private static func remedy(_ node: NodeName) -> String {
        String(line(UInt64(max(0, time(nil))) << 20, node).dropLast())
    }

    private static func line(_ sequence: UInt64, _ node: NodeName) -> String {
        let checksum = String(AppendLog.checksum(Array("\(node)/\(sequence)".utf8)), radix: 16)
        return "next \(sequence) \(checksum)\n"
    }

    static func write(_ sequence: UInt64, _ node: NodeName, in directory: String) throws(FilesError) {
        try AtomicFile.write(Array(line(sequence, node).utf8), to: path(node, directory))
    }

    private static func path(_ node: NodeName, _ directory: String) -> String {
        "\(directory)/\(node).sequence"
    }
}

/// Numbers of a device's updates that are set aside on disk, a block at a time, so that few updates wait for the disk.
///
/// A device that starts anew goes on behind the block: numbers grow, and may leave some out.
struct SequenceReserve {
    /// A device that trains every minute writes about once an hour.
    static let blockCount: UInt64 = 64

    let node: NodeName
    let directory: String
    /// Numbers below it are set aside.
    private(set) var end: UInt64

    /// Reads what was set aside before; the next update bears the number `end`.
    init(_ node: NodeName, in directory: String) throws(FilesError) {
        self.node = node
        self.directory = directory
        end = try SequenceFile.read(node, in: directory)
    }

    /// Sets a number aside, with a block of those after it, unless it is already.
    ///
    /// - Throws: `FilesError` when it could not be stored; the number must not be used then.
    mutating func cover(_ sequence: UInt64) throws(FilesError) {
        guard sequence >= end else { return }
        try SequenceFile.write(sequence + Self.blockCount, node, in: directory)
        end = sequence + Self.blockCount
    }
}
