// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryTopology
import Yams

extension FileWalker {
    mutating func scalar(_ node: Node, _ shape: Shape, _ path: String) -> FileValue? {
        guard case .scalar(let scalar) = node, node.typeName != "nothing" else {
            return mismatch(node, Self.expectation(of: shape), path)
        }
        let isPlain = scalar.style == .plain || scalar.style == .any
        switch shape {
        case .text:
            return text(node, scalar.string, path)
        case .choice(let words):
            return choice(node, scalar.string, words, path)
        case .integer(let range):
            return isPlain
                ? integer(node, scalar.string, range, path) : mismatch(node, Self.expectation(of: shape), path)
        case .number:
            guard isPlain, let value = Self.number(scalar.string) else {
                return mismatch(node, Self.expectation(of: shape), path)
            }
            return .number(value)
        case .duration:
            return duration(node, scalar.string, path)
        case .offset:
            return duration(node, scalar.string, path, isSigned: true)
        case .quantity(let quantity):
            return self.quantity(node, scalar.string, quantity, path)
        case .share:
            return share(node, scalar.string, path)
        case .signedInteger(let range):
            return signedInteger(node, scalar.string, range, path)
        case .endpoint:
            guard let endpoint = Endpoint(scalar.string) else {
                return mismatch(node, Self.expectation(of: shape), path)
            }
            return .endpoint(endpoint)
        case .list, .section, .variants, .countOr, .named, .actions, .scalarOr, .choiceOrList:
            return nil
        }
    }

    static func expectation(of shape: Shape) -> String {
        switch shape {
        case .text: "text"
        case .integer: "a whole number"
        case .number: "a number"
        case .duration: "a duration such as 60s or 500ms"
        case .offset: "a duration such as 2s or -500ms"
        case .quantity(let quantity): "\(quantity.name) such as \(quantity.example)"
        case .share: "a share such as 0.01 or 1%"
        case .signedInteger: "a whole number"
        case .endpoint: "an address such as tcp://127.0.0.1:7101"
        case .choice(let words): words.count == 1 ? "\(words[0])" : "one of \(words.joined(separator: ", "))"
        case .list: "a list"
        case .section, .variants, .countOr, .named, .actions: "a mapping"
        case .choiceOrList(let words, _): "\(words.joined(separator: ", ")) or a list"
        case .scalarOr(let shape, _): "\(expectation(of: shape)) or a mapping"
        }
    }

    private mutating func text(_ node: Node, _ string: String, _ path: String) -> FileValue? {
        let type = node.typeName
        if type == "a truth value" || type.hasPrefix("the number") {
            diagnostics.add(
                .type, at: node.position, path, "expected text, found \(type); write \"\(string.shortened)\" for text")
            return nil
        }
        guard !string.isEmpty, string.utf8.count <= 4096 else {
            diagnostics.add(.range, at: node.position, path, "the text must have 1 to 4096 bytes")
            return nil
        }
        return .text(string)
    }

    private mutating func choice(_ node: Node, _ string: String, _ words: [String], _ path: String) -> FileValue? {
        guard words.contains(string) else {
            diagnostics.add(
                .choice, at: node.position, path,
                "expected \(Self.expectation(of: .choice(words))), found \(node.typeName)",
                suggestion: words.count > 1 ? Spelling.closest(to: string, among: words) : nil)
            return nil
        }
        return .text(string)
    }

    private mutating func integer(
        _ node: Node, _ string: String, _ range: ClosedRange<UInt64>, _ path: String
    ) -> FileValue? {
        let digits = string.utf8.drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") }
        guard string.utf8.count - digits.count <= 1, !digits.isEmpty, digits.allSatisfy({ (48...57).contains($0) })
        else { return mismatch(node, "a whole number", path) }
        if let value = UInt64(string), range.contains(value) { return .integer(value) }
        let bounds = "\(range.lowerBound)...\(range.upperBound)"
        diagnostics.add(.range, at: node.position, path, "must lie in \(bounds), found \(string.shortened)")
        return nil
    }

    /// A finite decimal number; hexadecimal, infinite and not-a-number forms are none.
    static func number(_ string: String) -> Double? {
        let isDecimal = string.utf8.allSatisfy { byte in
            switch byte {
            case 48...57, UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
                true
            default: false
            }
        }
        guard isDecimal, let value = Double(string), value.isFinite else { return nil }
        return value
    }

    private mutating func duration(
        _ node: Node, _ string: String, _ path: String, isSigned: Bool = false
    ) -> FileValue? {
        let unitStart = string.firstIndex { $0.isLetter } ?? string.endIndex
        let nanoseconds: Double? =
            switch string[unitStart...] {
            case "ns": 1
            case "us": 1e3
            case "ms": 1e6
            case "s": 1e9
            case "m": 60e9
            case "h": 3600e9
            default: nil
            }
        guard let value = Self.number(String(string[..<unitStart])) else {
            return mismatch(node, Self.expectation(of: isSigned ? .offset : .duration), path)
        }
        guard let nanoseconds else {
            diagnostics.add(
                .type, at: node.position, path,
                unitStart == string.endIndex
                    ? "a duration needs a unit: ns, us, ms, s, m or h, for example \(string.shortened)s"
                    : "unknown unit '\(String(string[unitStart...]).shortened)'; use ns, us, ms, s, m or h")
            return nil
        }
        let total = (value * nanoseconds).rounded()
        guard isSigned || total >= 0, abs(total) <= 31_557_600e9 else {
            let range = isSigned ? "must be shorter than a year" : "must lie between nothing and a year"
            diagnostics.add(.range, at: node.position, path, "a duration \(range)")
            return nil
        }
        return .duration(.nanoseconds(Int64(total)))
    }
}
