// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryTopology

/// A value that the command line gives in place of the file's: `tiers.camera.train.batch=8`.
package struct TopologySetting: Hashable, Sendable, CustomStringConvertible {
    /// Where the value belongs, as it was given: `tiers.camera.train.batch`, `tiers[2].quorum`.
    package let path: String
    /// YAML on one line, as it was given; `null` takes a key out.
    package let value: String
    /// The path's keys, names and numbers of list items, at least one.
    let steps: [String]

    /// - Throws: `TopologySettingError` for a path without form or a value that is no YAML.
    package init(path: String, value: String) throws(TopologySettingError) {
        guard let steps = Self.steps(of: path) else {
            throw TopologySettingError(
                text: "\(path)=\(value.shortened)",
                problem: "'\(path.shortened)' is no path; a path looks like tiers.camera.train.batch or tiers[2].quorum"
            )
        }
        self.path = path
        self.value = value
        self.steps = steps
        var diagnostics = Diagnostics(file: "")
        let node = node(afterLines: 0, &diagnostics)
        guard node == nil || !diagnostics.all.isEmpty else { return }
        let reason = diagnostics.all.first.map { ": \($0.message)" } ?? ""
        throw TopologySettingError(
            text: "\(path)=\(value.shortened)", problem: "'\(value.shortened)' is no value of a topology file\(reason)")
    }

    package var description: String { "\(path)=\(value)" }

    /// `a.b[2].c` as its parts; `nil` when it is none.
    private static func steps(of path: String) -> [String]? {
        guard path.utf8.count <= 512 else { return nil }
        var steps: [String] = []
        for part in path.split(separator: ".", omittingEmptySubsequences: false) {
            var pieces = part.split(separator: "[", omittingEmptySubsequences: false)
            let name = pieces.removeFirst()
            guard !name.isEmpty, !name.contains(where: { $0 == "]" || $0 == "\"" || $0 == "'" || $0.isWhitespace })
            else { return nil }
            steps.append(String(name))
            for piece in pieces {
                let digits = piece.dropLast()
                guard piece.last == "]", !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }) else {
                    return nil
                }
                steps.append(String(digits))
            }
        }
        return steps
    }
}

/// A setting that is not well formed; nothing of a file is known yet.
package struct TopologySettingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was given.
    package let text: String
    package let problem: String

    package init(text: String, problem: String) {
        self.text = text
        self.problem = problem
    }

    package var description: String { "--set \(text): \(problem)" }
}

/// The values that one path takes, one after the other: `data.partition.alpha=0.1,0.3,1`.
package struct TopologySettingAxis: Hashable, Sendable {
    package let path: String
    /// At least one.
    package let settings: [TopologySetting]

    /// Reads `PATH=VALUE,VALUE...`; commas inside quotes and brackets belong to a value.
    ///
    /// - Throws: `TopologySettingError` for what is not well formed.
    package init(_ text: String) throws(TopologySettingError) {
        guard let equals = text.firstIndex(of: "=") else {
            throw TopologySettingError(text: text.shortened, problem: "write it as PATH=VALUE, for example rounds=10")
        }
        let path = String(text[..<equals])
        var settings: [TopologySetting] = []
        for value in try Self.values(of: text[text.index(after: equals)...], in: text) {
            settings.append(try TopologySetting(path: path, value: value))
        }
        guard Set(settings.map(\.value)).count == settings.count else {
            throw TopologySettingError(text: text.shortened, problem: "the same value is given twice")
        }
        self.path = path
        self.settings = settings
    }

    /// A list's values without the blanks around them.
    private static func values(of list: Substring, in text: String) throws(TopologySettingError) -> [String] {
        var values: [String] = []
        var value = ""
        var closers: [Character] = []
        var quote: Character?
        // A quotation mark opens a text only where a value starts: it's is a word.
        var isStart = true
        var isEscaped = false
        // In single quotes a doubled one stands for itself.
        var closed: Character?
        for character in list {
            if character == ",", closers.isEmpty, quote == nil {
                values.append(value)
                value = ""
                isStart = true
                continue
            }
            value.append(character)
            if let open = quote {
                let isClosing = character == open && !isEscaped
                isEscaped = open == "\"" && character == "\\" && !isEscaped
                if isClosing { (quote, closed) = (nil, open) }
                continue
            }
            defer { closed = nil }
            switch character {
            case "'" where closed == "'": quote = character
            case "\"" where isStart, "'" where isStart: quote = character
            case "[": closers.append("]")
            case "{": closers.append("}")
            case "]", "}":
                guard closers.popLast() == character else {
                    throw TopologySettingError(text: text.shortened, problem: "'\(character)' closes nothing")
                }
            default: break
            }
            isStart = "[{,:".contains(character) || (isStart && character == " ")
        }
        if let open = quote ?? closers.last {
            throw TopologySettingError(text: text.shortened, problem: "\(open) is missing at the end")
        }
        values = (values + [value]).map { $0.trimmingBlanks }
        guard !values.contains("") else {
            throw TopologySettingError(
                text: text.shortened, problem: "a value is missing; write null to take a key out of the file")
        }
        return values
    }
}

extension String {
    /// The text without spaces at its ends.
    fileprivate var trimmingBlanks: String {
        var rest = self[...].drop { $0 == " " }
        while rest.last == " " { rest.removeLast() }
        return String(rest)
    }
}
