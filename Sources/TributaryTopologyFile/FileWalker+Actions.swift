// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryTopology
import Yams

// Mappings that are told by one of their keys, and values that may be a scalar or a mapping.

extension FileWalker {
    /// A scalar of one shape, or a mapping.
    mutating func scalarOr(_ node: Node, _ shape: Shape, _ section: Section, _ path: String) -> FileValue? {
        switch node {
        case .mapping:
            return value(node, .section(section), path)
        case .scalar(let scalar) where node.typeName != "nothing":
            guard case .choice(let words) = shape, !words.contains(scalar.string) else {
                return self.scalar(node, shape, path)
            }
            fallthrough
        case .scalar, .sequence, .alias:
            return mismatch(node, "\(Self.expectation(of: shape)) or a mapping", path)
        }
    }

    /// One of the words that may stand in place of a list.
    mutating func scalar(_ node: Node, _ shape: Shape, _ words: [String], _ path: String) -> FileValue? {
        guard case .scalar(let scalar) = node, words.contains(scalar.string) else {
            return mismatch(node, Self.expectation(of: shape), path)
        }
        return .text(scalar.string)
    }

    /// A mapping in which exactly one key says what it is about: `partition: eu-west` beside `from` and `to`.
    mutating func action(_ node: Node, _ actions: [Variant], _ path: String) -> FileValue? {
        let names = actions.map(\.kind)
        guard case .mapping = node else {
            return mismatch(node, "a mapping with one of \(names.joined(separator: ", "))", path)
        }
        let entries = entries(node, path)
        let given = entries.filter { names.contains($0.name) }
        guard let first = given.first, let action = actions.first(where: { $0.kind == first.name }) else {
            reportMissing(names, node, entries, path)
            return nil
        }
        for entry in given.dropFirst() {
            diagnostics.add(
                .exclusiveKeys, at: entry.position, join(path, entry.name),
                "only one of \(names.joined(separator: ", ")) can be given; '\(first.name)' is there already")
        }
        let rest = entries.filter { entry in entry.name == first.name || !names.contains(entry.name) }
        return mapping(rest, node, action.section, path, others: actions)
    }

    private mutating func reportMissing(_ names: [String], _ node: Node, _ entries: [Entry], _ path: String) {
        diagnostics.distrust(path)
        for entry in entries {
            guard let suggestion = Spelling.closest(to: entry.name, among: names) else { continue }
            diagnostics.add(
                .unknownKey, at: entry.position, join(path, entry.name), "unknown key", suggestion: suggestion)
            return
        }
        diagnostics.add(
            .missingKey, at: node.position, path, "missing key, one of \(names.joined(separator: ", "))")
    }
}
