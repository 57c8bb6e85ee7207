// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// A document of plain values in a fixed order: what a topology looks like when it is written down.
package indirect enum PlainValue: Hashable, Sendable {
    /// One key of a mapping.
    package struct Field: Hashable, Sendable {
        package let key: String
        package let value: PlainValue
        package init(_ key: String, _ value: PlainValue) {
            self.key = key
            self.value = value
        }
    }

    case text(String)
    /// A number as it is written.
    case number(String)
    case flag(Bool)
    case null
    case list([PlainValue])
    case mapping([Field])

    /// A whole number in decimal digits.
    package static func number(_ value: some BinaryInteger) -> PlainValue { .number(String(value)) }

    /// The shortest text that reads back as the same value; whole numbers lose their fraction.
    package static func number(_ value: Double) -> PlainValue { .number(trimmed(value.description)) }

    /// The shortest text that reads back as the same value; whole numbers lose their fraction.
    package static func number(_ value: Float) -> PlainValue { .number(trimmed(value.description)) }

    /// A duration in the largest unit that holds it whole: `60s`, `1500ms`.
    package static func duration(_ value: Duration) -> PlainValue { .text(value.unitText) }

    static func trimmed(_ text: String) -> String {
        text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}

extension Duration {
    /// The duration in seconds with up to three decimals, or in the smaller unit that holds it whole: `60s`, `13.5s`,
    /// `250ms`.
    package var unitText: String {
        let (seconds, attoseconds) = components
        for (unit, perUnit) in [("ms", 1_000_000_000_000_000), ("us", 1_000_000_000_000)] as [(String, Int64)]
        where attoseconds % perUnit == 0 {
            let fraction = attoseconds / perUnit
            if unit == "ms", attoseconds == 0 { return "\(seconds)s" }
            if seconds == 0 { return "\(fraction)\(unit)" }
            guard unit == "ms", seconds > 0 else { break }
            var digits = String(fraction)
            digits = String(repeating: "0", count: 3 - digits.count) + digits
            while digits.last == "0" { digits.removeLast() }
            return "\(seconds).\(digits)s"
        }
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? "\(seconds)s" : "\(whole &+ attoseconds / 1_000_000_000)ns"
    }
}

// MARK: - YAML

extension PlainValue {
    /// One line of the document in block style, with the path of what it says.
    package struct Line: Hashable, Sendable {
        package let text: String
        package let path: String
        /// Whether the line carries a value, not only the head of a block.
        package let isLeaf: Bool
    }

    /// The document as YAML in block style; lists of scalars stay on one line.
    package func yamlLines() -> [Line] {
        guard case .mapping(let fields) = self else { return [Line(text: yamlScalar, path: "", isLeaf: true)] }
        return fields.flatMap { $0.value.lines(key: $0.key, path: $0.key, indent: 0) }
    }

    private func lines(key: String, path: String, indent: Int) -> [Line] {
        let head = String(repeating: " ", count: indent) + PlainValue.text(key).yamlScalar + ":"
        switch self {
        case .mapping(let fields) where !fields.isEmpty:
            return [Line(text: head, path: path, isLeaf: false)]
                + fields.flatMap { $0.value.lines(key: $0.key, path: "\(path).\($0.key)", indent: indent + 2) }
        case .list(let items) where items.contains(where: \.isMapping):
            return [Line(text: head, path: path, isLeaf: false)]
                + items.enumerated().flatMap { $1.itemLines(path: "\(path)[\($0)]", indent: indent + 2) }
        case .text, .number, .flag, .null, .list, .mapping:
            return [Line(text: "\(head) \(yamlScalar)", path: path, isLeaf: true)]
        }
    }

    private func itemLines(path: String, indent: Int) -> [Line] {
        let dash = String(repeating: " ", count: indent) + "- "
        guard case .mapping(let fields) = self, !fields.isEmpty else {
            return [Line(text: dash + yamlScalar, path: path, isLeaf: true)]
        }
        var lines = fields.flatMap { $0.value.lines(key: $0.key, path: "\(path).\($0.key)", indent: indent + 2) }
        let first = lines[0]
        lines[0] = Line(text: dash + first.text.dropFirst(indent + 2), path: first.path, isLeaf: first.isLeaf)
        return lines
    }

    private var isMapping: Bool {
        if case .mapping = self { return true }
        return false
    }

    /// The value on one line of YAML.
    package var yamlScalar: String {
        switch self {
        case .text(let text): Self.isPlain(text) ? text : Self.quoted(text)
        case .number(let text): text
        case .flag(let flag): flag ? "true" : "false"
        case .null: "null"
        case .list(let items): "[" + items.map(\.yamlScalar).joined(separator: ", ") + "]"
        case .mapping(let fields):
            "{"
                + fields.map { "\(PlainValue.text($0.key).yamlScalar): \($0.value.yamlScalar)" }
                .joined(separator: ", ") + "}"
        }
    }

    /// Whether text reads back as itself without quotes.
    private static func isPlain(_ text: String) -> Bool {
        let bytes = text.utf8
        guard let first = bytes.first, (97...122).contains(first) || (65...90).contains(first) || isAmount(bytes) else {
            return false
        }
        guard !["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"].contains(text.lowercased())
        else { return false }
        let isPlain = bytes.allSatisfy { byte in
            switch byte {
            case 48...58, 65...90, 97...122: true
            case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "*"): true
            default: false
            }
        }
        return isPlain && bytes.last != UInt8(ascii: ":")
    }

    /// Whether text is a decimal number with a unit, like `60s` or `-1.5Gbit`.
    private static func isAmount(_ bytes: String.UTF8View) -> Bool {
        var rest = bytes.first == UInt8(ascii: "-") ? bytes.dropFirst() : bytes[...]
        let count = rest.count
        rest = rest.drop { (48...57).contains($0) }
        guard rest.count < count else { return false }
        if rest.first == UInt8(ascii: ".") {
            let fraction = rest.dropFirst()
            rest = fraction.drop { (48...57).contains($0) }
            guard rest.count < fraction.count else { return false }
        }
        // 1e5, 0o7 and 0x1 are numbers.
        guard let first = rest.first, !"eEoxX".utf8.contains(first) else { return false }
        return rest.allSatisfy { (97...122).contains($0) || (65...90).contains($0) }
    }
}

// MARK: - JSON

extension PlainValue {
    /// The document as JSON, in its own order; `indent` of `nil` puts it on one line.
    package func json(indent: Int? = nil) -> String { json(indent: indent, depth: 0) }

    private func json(indent: Int?, depth: Int) -> String {
        switch self {
        case .text(let text): Self.quoted(text)
        case .number(let text): text
        case .flag(let flag): flag ? "true" : "false"
        case .null: "null"
        case .list(let items):
            Self.bracketed("[", items.map { $0.json(indent: indent, depth: depth + 1) }, "]", indent, depth)
        case .mapping(let fields):
            Self.bracketed(
                "{",
                fields.map {
                    Self.quoted($0.key) + (indent == nil ? ":" : ": ") + $0.value.json(indent: indent, depth: depth + 1)
                }, "}", indent, depth)
        }
    }

    private static func bracketed(
        _ open: String, _ items: [String], _ close: String, _ indent: Int?, _ depth: Int
    ) -> String {
        guard let indent, !items.isEmpty else { return open + items.joined(separator: ",") + close }
        let inner = "\n" + String(repeating: " ", count: indent * (depth + 1))
        return open + inner + items.joined(separator: "," + inner) + "\n"
            + String(repeating: " ", count: indent * depth) + close
    }

    /// A string literal that both JSON and YAML read.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F || (0x80..<0xA0).contains(scalar.value):
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
