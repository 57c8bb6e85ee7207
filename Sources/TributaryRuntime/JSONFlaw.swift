// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// Finds where a text stops being JSON (RFC 8259): the decoder says only that it does.
struct JSONFlaw: Error, Hashable {
    /// Both start at 1; columns are bytes.
    let line: Int
    let column: Int
    let problem: String

    /// The first flaw of a text; `nil` for JSON.
    static func first(in bytes: [UInt8]) -> JSONFlaw? {
        var scan = Scan(bytes: bytes)
        do throws(Scan.Stop) {
            try scan.value(depth: 0)
            scan.skipSpace()
            if scan.position < bytes.count { throw Scan.Stop(problem: "text follows the value") }
            return nil
        } catch {
            let before = bytes[..<scan.position]
            let start = before.lastIndex(of: 10).map { $0 + 1 } ?? 0
            return JSONFlaw(
                line: before.count { $0 == 10 } + 1, column: scan.position - start + 1, problem: error.problem)
        }
    }

    private struct Scan {
        struct Stop: Error { let problem: String }

        let bytes: [UInt8]
        var position = 0

        mutating func skipSpace() {
            while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
        }

        /// Takes a byte when it comes next, after spaces.
        private mutating func take(_ byte: UInt8) -> Bool {
            skipSpace()
            guard position < bytes.count, bytes[position] == byte else { return false }
            position += 1
            return true
        }

        private mutating func expect(_ byte: UInt8) throws(Stop) {
            guard take(byte) else {
                let isEnd = position >= bytes.count
                throw Stop(problem: isEnd ? "the text ends too early" : "'\(UnicodeScalar(byte))' is missing")
            }
        }

        mutating func value(depth: Int) throws(Stop) {
            guard depth < 64 else { throw Stop(problem: "values are nested more than 64 deep") }
            if take(UInt8(ascii: "{")) {
                if take(UInt8(ascii: "}")) { return }
                repeat {
                    try expect(UInt8(ascii: "\""))
                    try text()
                    try expect(UInt8(ascii: ":"))
                    try value(depth: depth + 1)
                } while take(UInt8(ascii: ","))
                try expect(UInt8(ascii: "}"))
            } else if take(UInt8(ascii: "[")) {
                if take(UInt8(ascii: "]")) { return }
                repeat { try value(depth: depth + 1) } while take(UInt8(ascii: ","))
                try expect(UInt8(ascii: "]"))
            } else if take(UInt8(ascii: "\"")) {
                try text()
            } else {
                try word()
            }
        }

        /// The rest of a text whose first quote was taken.
        private mutating func text() throws(Stop) {
            while position < bytes.count {
                let byte = bytes[position]
                if byte < 0x20 { throw Stop(problem: "a control character stands in a text") }
                position += byte == UInt8(ascii: "\\") ? 2 : 1
                if byte == UInt8(ascii: "\"") { return }
            }
            position = bytes.count
            throw Stop(problem: "a text has no end")
        }

        /// A number, `true`, `false` or `null`.
        private mutating func word() throws(Stop) {
            guard position < bytes.count else { throw Stop(problem: "the text ends too early") }
            let letters = bytes[position...].prefix {
                (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || [0x2B, 0x2D, 0x2E, 0x45].contains($0)
            }
            let word = String(decoding: letters, as: UTF8.self)
            guard ["true", "false", "null"].contains(word) || (word.first?.isLetter == false && Double(word) != nil)
            else {
                throw Stop(problem: "no value stands here")
            }
            position += letters.count
        }
    }
}
