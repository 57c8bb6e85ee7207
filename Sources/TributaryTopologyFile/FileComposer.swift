// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Yams

/// Composes a file's text into nodes with positions.
///
/// Yams refuses a mapping with a duplicate key as a whole and tells where the first of the equal keys stands. The
/// composer then replaces that key's first character by one from a private-use plane, which keeps every position, and
/// composes again: in the end each duplicate stands in the result at its own place, and all other errors are found too.
struct FileComposer {
    /// The file's root; `nil` for a file without content, or after an error.
    var root: Node?
    /// The first characters of the keys that were replaced, by their substitutes.
    private var replaced: [Unicode.Scalar: Unicode.Scalar] = [:]

    /// More repeated keys than this end the search for further ones; each costs composing the file again.
    private static let replacementCountMax = 64
    /// The bytes that may be composed again for the sake of repeated keys.
    private static let recomposedByteCountMax = 8 * 1024 * 1024
    private static let firstSubstitute: UInt32 = 0xF_0000

    init(_ text: String, _ diagnostics: inout Diagnostics) {
        var text = text
        while true {
            do {
                root = try Yams.compose(yaml: text, .basic, .default, .utf8)
                return
            } catch let error as YamlError {
                if case .duplicatedKeysInMapping(_, let context) = error,
                    let changed = replaceKey(in: text, context.mark)
                {
                    text = changed
                    continue
                }
                Self.report(error, text, &diagnostics)
            } catch {
                diagnostics.add(.syntax, at: nil, "", "the file cannot be read as YAML: \(error)")
            }
            root = nil
            return
        }
    }

    /// Whether some mapping has a key more than once.
    var hasRepeatedKeys: Bool { !replaced.isEmpty }

    /// A key as it was written, and whether an equal one follows in the same mapping.
    func original(of key: String) -> (name: String, isRepeated: Bool) {
        guard let first = key.unicodeScalars.first, let was = replaced[first] else { return (key, false) }
        var scalars = key.unicodeScalars
        scalars.removeFirst()
        scalars.insert(was, at: scalars.startIndex)
        return (String(scalars), true)
    }

    /// The text with the first character of the key at `mark` replaced; `nil` when that cannot be done.
    private mutating func replaceKey(in text: String, _ mark: Mark) -> String? {
        let count = replaced.count
        guard count < Self.replacementCountMax, count * text.utf8.count < Self.recomposedByteCountMax,
            let substitute = Unicode.Scalar(Self.firstSubstitute + UInt32(count))
        else { return nil }
        var scalars = text.unicodeScalars
        var index = scalars.startIndex
        for _ in 1..<max(1, mark.line) {
            guard let end = scalars[index...].firstIndex(of: "\n") else { return nil }
            index = scalars.index(after: end)
        }
        guard mark.column >= 1,
            var place = scalars.index(index, offsetBy: mark.column - 1, limitedBy: scalars.endIndex),
            place < scalars.endIndex
        else { return nil }
        if scalars[place] == "\"" || scalars[place] == "'" { place = scalars.index(after: place) }
        guard place < scalars.endIndex, !["\"", "'", "\n", "\\", "[", "{"].contains(scalars[place]) else { return nil }
        replaced[substitute] = scalars[place]
        scalars.replaceSubrange(place...place, with: CollectionOfOne(substitute))
        return String(scalars)
    }

    private static func report(_ error: YamlError, _ text: String, _ diagnostics: inout Diagnostics) {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
            let place = FilePosition(line: mark.line, column: mark.column)
            if character(at: place, in: text) == "\t" {
                diagnostics.add(.syntax, at: place, "", "a tab stands where only spaces may; indent with spaces")
                return
            }
            let reason = context.map { " \($0.text)" } ?? ""
            diagnostics.add(.syntax, at: place, "", "not valid YAML: \(problem)\(reason)")
        case .composer(_, let problem, let mark, _):
            let place = FilePosition(line: mark.line, column: mark.column)
            if problem.contains("another document") {
                diagnostics.add(.document, at: place, "", "a second document starts here; one file holds one topology")
            } else {
                diagnostics.add(.syntax, at: place, "", "not valid YAML: \(problem)")
            }
        case .duplicatedKeysInMapping(let duplicates, let context):
            let place = FilePosition(line: context.mark.line, column: context.mark.column)
            diagnostics.add(.duplicateKey, at: place, duplicates.first ?? "", "key given more than once")
        case .reader(let problem, _, _, _), .writer(let problem), .emitter(let problem), .representer(let problem):
            diagnostics.add(.syntax, at: nil, "", "not valid YAML: \(problem)")
        case .no, .memory, .dataCouldNotBeDecoded:
            diagnostics.add(.syntax, at: nil, "", "the file cannot be read as YAML")
        }
    }

    private static func character(at place: FilePosition, in text: String) -> Unicode.Scalar? {
        let lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
        guard place.line >= 1, place.line <= lines.count else { return nil }
        return lines[place.line - 1].dropFirst(place.column - 1).first
    }
}

extension Node {
    /// Where the node starts.
    var position: FilePosition? { mark.map { FilePosition(line: $0.line, column: $0.column) } }

    /// What the node is, in words for errors.
    var typeName: String {
        switch self {
        case .mapping: return "a mapping"
        case .sequence: return "a list"
        case .alias: return "an alias"
        case .scalar(let scalar):
            guard scalar.style == .plain || scalar.style == .any else { return "text" }
            switch scalar.string {
            case "", "~", "null", "Null", "NULL": return "nothing"
            case "true", "True", "TRUE", "false", "False", "FALSE": return "a truth value"
            case let text where Double(text) != nil: return "the number \(text.shortened)"
            case let text: return "'\(text.shortened)'"
            }
        }
    }
}

extension String {
    /// At most 40 characters of the text, for errors.
    var shortened: String { count <= 40 ? self : prefix(40) + "..." }
}
