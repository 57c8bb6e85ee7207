// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// Text that is HTML or SVG already: everything else passes through `Markup.text`, so that nothing goes in unescaped.
package struct Markup: Hashable, Sendable {
    /// The markup itself.
    package let html: String

    private init(html: String) { self.html = html }

    /// Nothing.
    static let empty = Markup(html: "")

    /// Plain text with everything escaped that means something in HTML or may not stand in XML.
    static func text(_ text: String) -> Markup { Markup(html: escaped(text)) }

    /// Markup of our own, written in the source.
    static func literal(_ text: StaticString) -> Markup { Markup(html: text.description) }

    /// An element with attributes and children; attribute values are escaped, empty elements are closed.
    static func element(
        _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:], _ children: [Markup]
    ) -> Markup {
        var html = "<\(name)"
        for (key, value) in attributes { html += " \(key)=\"\(escaped(value))\"" }
        html += ">"
        for child in children { html += child.html }
        return Markup(html: html + "</\(name)>")
    }

    /// An element that holds plain text.
    static func element(
        _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:], text: String
    ) -> Markup {
        element(name, attributes, [.text(text)])
    }

    /// One after the other.
    static func join(_ parts: [Markup], separator: StaticString = "") -> Markup {
        Markup(html: parts.map(\.html).joined(separator: separator.description))
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\t", "\n", "\r": result.unicodeScalars.append(scalar)
            case _ where scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value) || scalar.value & 0xFFFE == 0xFFFE:
                result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
