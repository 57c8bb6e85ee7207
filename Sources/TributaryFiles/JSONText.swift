// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// The part of JSON (RFC 8259) that a safetensors header uses: objects, arrays, texts and whole numbers, strictly.
struct JSONText {
    /// Nesting of an honest header is 3.
    private static let depthMax = 8

    /// A problem and the byte at which it was found.
    struct Failure: Error {
        var position: Int
        var problem: String
    }

    enum Value {
        case text(String)
        case number(UInt64)
        case array([Value])
        case object([String: Value])
    }

    private let bytes: [UInt8]
    private var position = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Reads one value, with spaces allowed around it and nothing else.
    static func parse(_ bytes: [UInt8]) throws(Failure) -> Value {
        var parser = JSONText(bytes)
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.position == bytes.count else { throw parser.failure("text follows the value") }
        return value
    }

    /// A text in quotes, with everything escaped that must be.
    static func quote(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\u{0}"..<"\u{20}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    private func failure(_ problem: String) -> Failure { Failure(position: position, problem: problem) }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[position]) { position += 1 }
    }

    /// Takes a byte when it comes next, after spaces.
    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ byte: UInt8) throws(Failure) {
        guard take(byte) else { throw failure("'\(UnicodeScalar(byte))' is missing") }
    }

    private mutating func value(depth: Int) throws(Failure) -> Value {
        guard depth < Self.depthMax else { throw failure("values are nested more than \(Self.depthMax) deep") }
        if take(0x7b) { return .object(try object(depth: depth)) }
        if take(0x5b) { return .array(try array(depth: depth)) }
        if take(0x22) { return .text(try text()) }
        return .number(try number())
    }

    private mutating func object(depth: Int) throws(Failure) -> [String: Value] {
        var members: [String: Value] = [:]
        if take(0x7d) { return members }
        repeat {
            try expect(0x22)
            let key = try text()
            try expect(0x3a)
            let value = try value(depth: depth + 1)
            guard members.updateValue(value, forKey: key) == nil else {
                throw failure("the key '\(key.prefix(64))' appears twice")
            }
        } while take(0x2c)
        try expect(0x7d)
        return members
    }

    private mutating func array(depth: Int) throws(Failure) -> [Value] {
        var values: [Value] = []
        if take(0x5d) { return values }
        repeat { values.append(try value(depth: depth + 1)) } while take(0x2c)
        try expect(0x5d)
        return values
    }

    private mutating func number() throws(Failure) -> UInt64 {
        let digits = bytes[position...].prefix { (0x30...0x39).contains($0) }
        guard let number = UInt64(String(decoding: digits, as: UTF8.self)), digits.count == 1 || digits.first != 0x30
        else { throw failure("neither an object, an array, a text nor a whole number") }
        position += digits.count
        if position < bytes.count, [0x2e, 0x45, 0x65].contains(bytes[position]) {
            throw failure("a number is not whole")
        }
        return number
    }

    /// Reads a text whose opening quote was taken.
    private mutating func text() throws(Failure) -> String {
        var content: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case 0x22:
                guard let text = String(validating: content, as: UTF8.self) else {
                    throw failure("a text is not UTF-8")
                }
                return text
            case 0x5c: content.append(contentsOf: String(try escape()).utf8)
            case 0x00..<0x20: throw failure("a control character stands in a text")
            default: content.append(byte)
            }
        }
        throw failure("a text has no end")
    }

    private mutating func escape() throws(Failure) -> Character {
        guard position < bytes.count else { throw failure("a text has no end") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case 0x22, 0x5c, 0x2f: return Character(UnicodeScalar(byte))
        case 0x62: return "\u{8}"
        case 0x66: return "\u{c}"
        case 0x6e: return "\n"
        case 0x72: return "\r"
        case 0x74: return "\t"
        case 0x75: return Character(try unicodeEscape())
        default: throw failure("an unknown escape stands in a text")
        }
    }

    private mutating func unicodeEscape() throws(Failure) -> UnicodeScalar {
        let first = try hexadecimal()
        if let scalar = UnicodeScalar(first) { return scalar }
        guard (0xd800..<0xdc00).contains(first), position + 1 < bytes.count, bytes[position] == 0x5c,
            bytes[position + 1] == 0x75
        else { throw failure("half a surrogate pair stands in a text") }
        position += 2
        let second = try hexadecimal()
        guard (0xdc00..<0xe000).contains(second),
            let scalar = UnicodeScalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
        else { throw failure("half a surrogate pair stands in a text") }
        return scalar
    }

    private mutating func hexadecimal() throws(Failure) -> UInt32 {
        let digits = bytes[position...].prefix(4)
        guard digits.count == 4, !digits.contains(0x2b), !digits.contains(0x2d),
            let number = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw failure("an escape lacks its four hexadecimal digits") }
        position += 4
        return number
    }
}
