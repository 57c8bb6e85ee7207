// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryTopology
import Yams

/// Walks composed nodes along the table of keys: checks form, keeps positions, and yields plain values.
struct FileWalker {
    let composer: FileComposer
    var diagnostics: Diagnostics
    private(set) var places: FilePlaces

    init(_ composer: FileComposer, _ diagnostics: Diagnostics) {
        self.composer = composer
        self.diagnostics = diagnostics
        places = FilePlaces(diagnostics.origins)
    }

    mutating func value(_ node: Node, _ shape: Shape, _ path: String) -> FileValue? {
        places.values[path] = node.position
        switch shape {
        case .list(let element): return list(node, element, path)
        case .section(let section): return mapping(node, section, path)
        case .variants(let variants): return variant(node, variants, path)
        case .countOr(let range, let variants):
            if case .mapping = node { return variant(node, variants, path) }
            return scalar(node, .integer(range), path)
        case .named(let section): return named(node, section, path)
        case .actions(let actions): return action(node, actions, path)
        case .scalarOr(let shape, let section): return scalarOr(node, shape, section, path)
        case .choiceOrList(let words, let element):
            if case .sequence = node { return list(node, element, path) }
            return scalar(node, shape, words, path)
        case .text, .integer, .number, .duration, .offset, .quantity, .share, .signedInteger, .endpoint, .choice:
            return scalar(node, shape, path)
        }
    }

    // MARK: Containers

    private mutating func list(_ node: Node, _ element: Shape, _ path: String) -> FileValue? {
        guard case .sequence(let sequence) = node else { return mismatch(node, "a list", path) }
        return .list(sequence.enumerated().map { value($1, element, "\(path)[\($0)]") })
    }

    private mutating func mapping(_ node: Node, _ section: Section, _ path: String) -> FileValue? {
        guard case .mapping = node else { return mismatch(node, "a mapping", path) }
        return mapping(entries(node, path), node, section, path, others: [])
    }

    private mutating func variant(_ node: Node, _ variants: [Variant], _ path: String) -> FileValue? {
        let kinds = variants.map(\.kind)
        guard case .mapping = node else {
            return mismatch(node, "a mapping with 'kind' (one of \(kinds.joined(separator: ", ")))", path)
        }
        let entries = entries(node, path)
        guard let kindNode = entries.first(where: { $0.name == "kind" })?.value else {
            diagnostics.add(
                .missingKey, at: node.position, path, "missing key \"kind\" (one of \(kinds.joined(separator: ", ")))")
            return nil
        }
        guard case .text(let kind)? = value(kindNode, .choice(kinds), join(path, "kind")),
            let variant = variants.first(where: { $0.kind == kind })
        else {
            diagnostics.distrust(path)
            return nil
        }
        let rest = entries.filter { $0.name != "kind" }
        var result = mapping(rest, node, variant.section, path, others: variants)?.mapping ?? [:]
        result["kind"] = .text(kind)
        return .mapping(result)
    }

    private mutating func named(_ node: Node, _ section: Section, _ path: String) -> FileValue? {
        guard case .mapping = node else { return mismatch(node, "a mapping from names", path) }
        var result: [String: FileValue] = [:]
        for entry in entries(node, path) {
            let inner = join(path, entry.name)
            places.keys[inner] = entry.position
            result[entry.name] = value(entry.value, .section(section), inner)
        }
        return .mapping(result)
    }

    struct Entry {
        let name: String
        let position: FilePosition?
        let value: Node
    }

    /// The entries of a mapping; keys that are no text and repetitions are reported and left out.
    mutating func entries(_ node: Node, _ path: String) -> [Entry] {
        guard case .mapping(let mapping) = node else { return [] }
        var entries: [Entry] = []
        for (key, value) in mapping {
            guard case .scalar(let scalar) = key else {
                diagnostics.add(.type, at: key.position, path, "a key must be text, found \(key.typeName)")
                continue
            }
            let name = composer.original(of: scalar.string).name
            entries.append(Entry(name: name, position: key.position, value: value))
        }
        entries.sort { ($0.position ?? .start) < ($1.position ?? .start) }
        var first: [String: FilePosition] = [:]
        return entries.filter { entry in
            guard let place = first[entry.name] else {
                first[entry.name] = entry.position ?? .start
                return true
            }
            diagnostics.add(
                .duplicateKey, at: entry.position, join(path, entry.name),
                "key given twice (first in line \(place.line))")
            return false
        }
    }

    mutating func mapping(
        _ entries: [Entry], _ node: Node, _ section: Section, _ path: String, others: [Variant]
    ) -> FileValue? {
        var result: [String: FileValue] = [:]
        for entry in entries {
            let inner = join(path, entry.name)
            guard let key = section.key(entry.name) else {
                reportUnknown(entry.name, entry.position, section, path, others)
                continue
            }
            places.keys[inner] = entry.position
            result[entry.name] = value(entry.value, key.shape, inner)
        }
        let given = Set(entries.map(\.name))
        for key in section.keys where key.isRequired && !given.contains(key.name) {
            guard !diagnostics.isBroken(join(path, key.name)) else { continue }
            diagnostics.add(.missingKey, at: node.position, path, "missing key \"\(key.name)\"")
            diagnostics.distrust(join(path, key.name))
        }
        for rivals in section.exclusive {
            let present = entries.filter { rivals.contains($0.name) }
            for entry in present.dropFirst() {
                diagnostics.add(
                    .exclusiveKeys, at: entry.position, join(path, entry.name),
                    "only one of \(rivals.joined(separator: ", ")) can be given; '\(present[0].name)' is there already")
            }
        }
        return .mapping(result)
    }

    private mutating func reportUnknown(
        _ name: String, _ position: FilePosition?, _ section: Section, _ path: String, _ others: [Variant]
    ) {
        guard !diagnostics.isFull else { return }
        let inner = join(path, name)
        let owners = others.filter { $0.section.key(name) != nil }.map(\.kind)
        if name == "<<" {
            diagnostics.add(.unknownKey, at: position, inner, "merge keys are not supported; write the keys out")
        } else if !owners.isEmpty {
            diagnostics.add(
                .unknownKey, at: position, inner, "this key belongs to kind \(owners.joined(separator: ", ")) only")
        } else if let suggestion = Spelling.closest(to: name, among: section.keys.map(\.name)) {
            diagnostics.add(.unknownKey, at: position, inner, "unknown key", suggestion: suggestion)
            diagnostics.distrust(join(path, suggestion))
        } else if let owner = section.keys.first(where: { $0.shape.hasKey(name) }) {
            diagnostics.add(
                .unknownKey, at: position, inner, "unknown key", suggestion: join(owner.name, name))
        } else {
            let known = section.keys.map(\.name).joined(separator: ", ")
            diagnostics.add(
                .unknownKey, at: position, inner, known.isEmpty ? "unknown key" : "unknown key; known here: \(known)")
        }
    }

    func join(_ path: String, _ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    mutating func mismatch(_ node: Node, _ expected: String, _ path: String) -> FileValue? {
        diagnostics.add(.type, at: node.position, path, "expected \(expected), found \(node.typeName)")
        return nil
    }
}

extension FilePosition {
    /// The first character of a file.
    static let start = FilePosition(line: 1, column: 1)
}
