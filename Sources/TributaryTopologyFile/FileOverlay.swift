// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryTopology
import Yams

// Settings are composed as if each stood on a line of its own behind the file's last. So every node keeps a position,
// the walker and the checks know nothing of settings, and a position beyond the file tells which setting is meant.

/// Tells what a position means: a place in the file or a setting of the command line.
struct FileOrigins: Sendable {
    /// A setting, and the path that it turned out to mean: `tiers.camera.quorum` is `tiers[2].quorum`.
    struct Setting: Hashable, Sendable {
        let given: String
        let path: String
    }

    let file: String
    /// Lines of the file; further ones are settings.
    var lineCount = Int.max
    var settings: [Setting] = []

    func setting(at position: FilePosition?) -> Setting? {
        guard let position, position.line > lineCount, position.line - lineCount <= settings.count else { return nil }
        return settings[position.line - lineCount - 1]
    }

    /// A diagnostic that names the file's place, or the setting in its stead.
    func diagnostic(
        _ severity: TopologyIssue.Severity, _ code: String, at position: FilePosition?, _ path: String,
        _ message: String, suggestion: String?
    ) -> TopologyDiagnostic {
        let setting = setting(at: position)
        return TopologyDiagnostic(
            severity: severity, code: code, file: file, position: setting == nil ? position : nil, path: path,
            message: message, suggestion: suggestion, setting: setting)
    }
}

extension TopologySetting {
    /// The value as a node that stands on the line after so many others; `nil` after an error, which is reported.
    func node(afterLines count: Int, _ diagnostics: inout Diagnostics) -> Node? {
        guard !value.contains(where: \.isNewline) else {
            diagnostics.add(.syntax, at: nil, "", "it must stand on one line")
            return nil
        }
        guard let text = FileScan.decode(Array(value.utf8), &diagnostics), FileScan.run(text, &diagnostics) else {
            return nil
        }
        let composer = FileComposer(String(repeating: "\n", count: count) + text, &diagnostics)
        guard !composer.hasRepeatedKeys else {
            diagnostics.add(.duplicateKey, at: nil, "", "a key is given twice")
            return nil
        }
        return composer.root
    }
}

/// Lays settings over a composed file: replaces values, adds keys whose parents exist or can be made, takes keys out.
struct FileOverlay {
    private struct Refusal: Error {
        let code: FileCode
        let message: String
        var suggestion: String?
    }

    private let composer: FileComposer
    /// Where the setting at hand stands.
    private var mark: Mark?
    /// The path so far, as the walker spells it.
    private var path = ""

    private init(_ composer: FileComposer) { self.composer = composer }

    /// Lays settings over a file's root, a later one over an earlier one; reports those that find no place.
    static func apply(
        _ settings: [TopologySetting], to composer: inout FileComposer, lineCount: Int,
        _ diagnostics: inout Diagnostics
    ) {
        guard !settings.isEmpty, var root = composer.root else { return }
        diagnostics.origins.lineCount = lineCount
        for (index, setting) in settings.enumerated() {
            diagnostics.origins.settings.append(.init(given: setting.path, path: setting.path))
            guard let value = setting.node(afterLines: lineCount + index, &diagnostics) else { continue }
            var overlay = FileOverlay(composer)
            overlay.mark = value.mark
            do throws(Refusal) {
                try overlay.put(value.typeName == "nothing" ? nil : value, at: setting.steps[...], in: &root)
                diagnostics.origins.settings[index] = .init(given: setting.path, path: overlay.path)
            } catch {
                let position = value.mark.map { FilePosition(line: $0.line, column: $0.column) }
                diagnostics.add(error.code, at: position, setting.path, error.message, suggestion: error.suggestion)
            }
        }
        composer.root = root
    }

    /// Puts a value below a node; `nil` takes out what is there.
    private mutating func put(_ value: Node?, at steps: ArraySlice<String>, in node: inout Node) throws(Refusal) {
        guard let step = steps.first else { return }
        switch node {
        case .mapping(let mapping): node = .mapping(try putting(value, step, steps.dropFirst(), in: mapping))
        case .sequence(let sequence): node = .sequence(try putting(value, step, steps.dropFirst(), in: sequence))
        case .scalar, .alias:
            throw Refusal(
                code: .type, message: "'\(path)' is \(node.typeName), which has no '\(step)'; set '\(path)' as a whole")
        }
    }

    private mutating func putting(
        _ value: Node?, _ step: String, _ rest: ArraySlice<String>, in mapping: Node.Mapping
    ) throws(Refusal) -> Node.Mapping {
        path += path.isEmpty ? step : ".\(step)"
        var pairs = mapping.map { ($0.key, $0.value) }
        let place = pairs.firstIndex { composer.original(of: $0.0.scalar?.string ?? "").name == step }
        let key = Node.scalar(.init(step, .implicit, .any, mark))
        guard let value else {
            guard let place else { return mapping }
            if rest.isEmpty { pairs.remove(at: place) } else { try put(nil, at: rest, in: &pairs[place].1) }
            return Node.Mapping(pairs, mapping.tag, mapping.style, mapping.mark)
        }
        if rest.isEmpty {
            if let place { pairs[place] = (key, value) } else { pairs.append((key, value)) }
        } else if let place, pairs[place].1.typeName != "nothing" {
            try put(value, at: rest, in: &pairs[place].1)
        } else {
            var inner = Node.mapping(.init([], .implicit, .any, mark))
            try put(value, at: rest, in: &inner)
            if let place { pairs[place].1 = inner } else { pairs.append((key, inner)) }
        }
        return Node.Mapping(pairs, mapping.tag, mapping.style, mapping.mark)
    }

    private mutating func putting(
        _ value: Node?, _ step: String, _ rest: ArraySlice<String>, in sequence: Node.Sequence
    ) throws(Refusal) -> Node.Sequence {
        var items = Array(sequence)
        let names = items.map { item in
            item.mapping?.first { $0.key.scalar?.string == "name" }?.value.scalar?.string
        }
        guard let place = names.firstIndex(of: step) ?? Int(step), place >= 0 else {
            let known = names.compactMap(\.self)
            let list = known.isEmpty ? "count its items from 0" : "it has \(known.joined(separator: ", "))"
            throw Refusal(
                code: .unknownKey, message: "'\(path)' has no '\(step)'; \(list)",
                suggestion: Spelling.closest(to: step, among: known))
        }
        guard place < items.count else {
            throw Refusal(
                code: .range,
                message: items.isEmpty
                    ? "'\(path)' is empty; set it as a whole"
                    : "'\(path)' ends with number \(items.count - 1); set it as a whole to make it longer")
        }
        path += "[\(place)]"
        if !rest.isEmpty {
            try put(value, at: rest, in: &items[place])
        } else if let value {
            items[place] = value
        } else {
            items.remove(at: place)
        }
        return Node.Sequence(items, sequence.tag, sequence.style, sequence.mark)
    }
}
