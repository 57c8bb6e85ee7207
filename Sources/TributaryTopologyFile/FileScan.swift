// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

/// Looks through a file's bytes for what must not be there, before any YAML is composed.
///
/// Aliases make a small file mean a huge one, and composing them costs before they can be counted, so they are found
/// in the text. A token starts where YAML lets a node start: after a line's indentation, `- `, `? `, `: `, and inside
/// brackets after `,`, `[` and `{`.
struct FileScan {
    /// Brackets inside brackets; an honest file needs four.
    static let depthMax = 32

    private enum Quote {
        case none
        case single
        case double
    }

    private var quote = Quote.none
    private var isTokenStart = true
    /// Inside the name of an anchor, alias or tag; a value may follow it.
    private var isInName = false
    private var flowDepth = 0
    private var line = 1
    private var column = 1

    /// Decodes a file as UTF-8 without NUL and other control characters.
    static func decode(_ bytes: [UInt8], _ diagnostics: inout Diagnostics) -> String? {
        var body = bytes[...]
        if body.starts(with: [0xEF, 0xBB, 0xBF]) { body = body.dropFirst(3) }
        var position = (line: 1, column: 1)
        var decoder = UTF8()
        var iterator = body.makeIterator()
        while true {
            let place = FilePosition(line: position.line, column: position.column)
            switch decoder.decode(&iterator) {
            case .emptyInput:
                return String(decoding: body, as: UTF8.self)
            case .error:
                diagnostics.add(.encoding, at: place, "", "the file is not UTF-8; save it as UTF-8")
                return nil
            case .scalarValue("\n"):
                position = (position.line + 1, 1)
            case .scalarValue(let scalar):
                if (scalar.value < 0x20 && scalar != "\t" && scalar != "\r") || scalar.value == 0x7F {
                    let name = scalar.value == 0 ? "a NUL byte" : "a control character"
                    diagnostics.add(.encoding, at: place, "", "the file contains \(name); remove it")
                    return nil
                }
                position.column += 1
            }
        }
    }

    /// Reports anchors, aliases, tags and brackets that nest too deeply; returns whether there were none.
    static func run(_ text: String, _ diagnostics: inout Diagnostics) -> Bool {
        var scan = FileScan()
        let count = diagnostics.all.count
        let scalars = Array(text.unicodeScalars)
        var index = 0
        while index < scalars.count {
            guard scan.flowDepth <= depthMax else {
                let place = FilePosition(line: scan.line, column: scan.column - 1)
                diagnostics.add(.syntax, at: place, "", "brackets nest more than \(depthMax) deep")
                return false
            }
            index += scan.step(scalars, at: index, &diagnostics)
        }
        return diagnostics.all.count == count
    }

    /// Looks at one scalar; returns how many were consumed.
    private mutating func step(
        _ scalars: [Unicode.Scalar], at index: Int, _ diagnostics: inout Diagnostics
    ) -> Int {
        let scalar = scalars[index]
        let next = index + 1 < scalars.count ? scalars[index + 1] : "\n"
        if scalar == "\n" {
            line += 1
            column = 1
            isInName = false
            if quote == .none { isTokenStart = true }
            return 1
        }
        defer { column += 1 }
        switch quote {
        case .single, .double:
            return stepQuoted(scalar, next)
        case .none:
            break
        }
        if isInName { isInName = ![" ", "\t", "\r", ",", "]", "}"].contains(scalar) }
        if isInName || scalar == " " || scalar == "\t" || scalar == "\r" { return 1 }
        let previous = index > 0 ? scalars[index - 1] : "\n"
        if scalar == "#", [" ", "\t", "\n"].contains(previous) {
            let rest = scalars[index...].prefix { $0 != "\n" }.count
            column += rest - 1
            return rest
        }
        stepPlain(scalar, next, &diagnostics)
        return 1
    }

    private mutating func stepQuoted(_ scalar: Unicode.Scalar, _ next: Unicode.Scalar) -> Int {
        if quote == .double, scalar == "\\", next != "\n" {
            column += 1
            return 2
        }
        if quote == .single, scalar == "'", next == "'" {
            column += 1
            return 2
        }
        if (quote == .double && scalar == "\"") || (quote == .single && scalar == "'") {
            quote = .none
            isTokenStart = false
        }
        return 1
    }

    private mutating func stepPlain(_ scalar: Unicode.Scalar, _ next: Unicode.Scalar, _ diagnostics: inout Diagnostics)
    {
        let isBeforeGap = [" ", "\t", "\r", "\n"].contains(next)
        let place = FilePosition(line: line, column: column)
        switch scalar {
        case "[" where isTokenStart || flowDepth > 0, "{" where isTokenStart || flowDepth > 0:
            flowDepth += 1
            isTokenStart = true
        case "]" where flowDepth > 0, "}" where flowDepth > 0:
            flowDepth -= 1
            isTokenStart = false
        case "," where flowDepth > 0:
            isTokenStart = true
        case ":" where isBeforeGap || flowDepth > 0:
            isTokenStart = true
        case "-" where isTokenStart && isBeforeGap, "?" where isTokenStart && isBeforeGap:
            break
        case "\"" where isTokenStart:
            quote = .double
        case "'" where isTokenStart:
            quote = .single
        case "*" where isTokenStart && !isBeforeGap, "&" where isTokenStart && !isBeforeGap:
            diagnostics.add(.alias, at: place, "", "anchors and aliases are not supported; write the value out")
            isInName = true
        case "!" where isTokenStart:
            diagnostics.add(.alias, at: place, "", "tags are not supported; leave the tag out")
            isInName = true
        default:
            isTokenStart = false
        }
    }
}
