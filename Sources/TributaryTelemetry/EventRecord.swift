// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// An event as a name and ordered fields: the one form from which every line is written.
package struct EventRecord: Sendable {
    /// A field's value.
    package enum Value: Sendable, Hashable {
        case text(String)
        case integer(Int64)
        case number(Double)
        case flag(Bool)
    }

    /// How much a line matters to who reads the log.
    package enum Level: String, Sendable {
        case debug
        case info
        case warning
    }

    package var node: NodeName
    /// Lower-case words joined by hyphens, for example `round-opened`.
    package var name: String
    package var level: Level
    package var fields: [(key: String, value: Value)]

    package init(node: NodeName, name: String, level: Level = .info, fields: [(key: String, value: Value)]) {
        self.node = node
        self.name = name
        self.level = level
        self.fields = fields
    }

    /// One JSON object without line breaks; keys in a fixed order, numbers that are not finite as `null`.
    package var json: String {
        var parts = ["\"node\":\(JSONText.quoted(node.value))", "\"event\":\(JSONText.quoted(name))"]
        for (key, value) in fields {
            let text =
                switch value {
                case .text(let text): JSONText.quoted(text)
                case .integer(let integer): String(integer)
                case .number(let number): number.isFinite ? "\(number)" : "null"
                case .flag(let flag): flag ? "true" : "false"
                }
            parts.append("\(JSONText.quoted(key)):\(text)")
        }
        return "{" + parts.joined(separator: ",") + "}"
    }

    /// One line for people: level, node, event, then `key=value`.
    package var text: String {
        let pairs = fields.map { key, value in
            switch value {
            case .text(let text): text.contains(" ") ? "\(key)=\(JSONText.quoted(text))" : "\(key)=\(text)"
            case .integer(let integer): "\(key)=\(integer)"
            case .number(let number): "\(key)=\(number)"
            case .flag(let flag): "\(key)=\(flag)"
            }
        }
        return ([level.rawValue, node.value, name] + pairs).joined(separator: " ")
    }
}

/// Strings as JSON (RFC 8259).
package enum JSONText {
    /// The string in quotation marks, with everything escaped that must be.
    package static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
