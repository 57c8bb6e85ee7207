// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryTopology

/// The JSON schema of topology files, for editors; made from the same table that the reader uses.
package enum TopologySchema {
    /// The schema (JSON Schema draft-07) as text, ending in a line break.
    package static var text: String { document.json(indent: 2) + "\n" }

    /// The schema as a value.
    package static var document: PlainValue {
        .mapping(
            [
                .init("$schema", .text("http://json-schema.org/draft-07/schema#")),
                .init("title", .text("Tributary topology")),
            ] + fields(of: KeyTable.root))
    }

    private static func fields(of section: Section, kind: Variant? = nil) -> [PlainValue.Field] {
        var properties = section.keys.map { key in
            PlainValue.Field(
                key.name, .mapping([.init("description", .text(key.about))] + fields(of: key.shape)))
        }
        var required = section.keys.filter(\.isRequired).map(\.name)
        if let kind {
            properties.insert(.init("kind", .mapping([.init("const", .text(kind.kind))])), at: 0)
            required.insert("kind", at: 0)
        }
        var result: [PlainValue.Field] = [.init("type", .text("object"))]
        if let kind { result.append(.init("description", .text(kind.about))) }
        result.append(.init("properties", .mapping(properties)))
        if !required.isEmpty { result.append(.init("required", .list(required.map { .text($0) }))) }
        result.append(.init("additionalProperties", .flag(false)))
        let rivals = section.exclusive.flatMap { pairs($0) }
        if !rivals.isEmpty {
            result.append(.init("not", .mapping([.init("anyOf", .list(rivals.map { requirement(of: $0) }))])))
        }
        return result
    }

    private static func requirement(of keys: [String]) -> PlainValue {
        .mapping([.init("required", .list(keys.map { .text($0) }))])
    }

    private static func pairs(_ keys: [String]) -> [[String]] {
        keys.indices.flatMap { first in keys[(first + 1)...].map { [keys[first], $0] } }
    }

    private static func fields(of shape: Shape) -> [PlainValue.Field] {
        switch shape {
        case .text:
            [.init("type", .text("string")), .init("minLength", .number(1))]
        case .integer(let range):
            [
                .init("type", .text("integer")), .init("minimum", .number(range.lowerBound)),
                .init("maximum", .number(range.upperBound)),
            ]
        case .number:
            [.init("type", .text("number"))]
        case .duration:
            [
                .init("type", .text("string")),
                .init("pattern", .text("^[0-9]+(\\.[0-9]+)?(ns|us|ms|s|m|h)$")),
            ]
        case .offset:
            [
                .init("type", .text("string")),
                .init("pattern", .text("^[+-]?[0-9]+(\\.[0-9]+)?(ns|us|ms|s|m|h)$")),
            ]
        case .quantity(let quantity):
            fields(of: quantity)
        case .share:
            [
                .init("type", .list([.text("number"), .text("string")])),
                .init("pattern", .text("^[0-9]+(\\.[0-9]+)?%$")),
                .init("examples", .list([.text("1%")])),
            ]
        case .signedInteger(let range):
            [
                .init("type", .text("integer")), .init("minimum", .number(range.lowerBound)),
                .init("maximum", .number(range.upperBound)),
            ]
        case .endpoint:
            [.init("type", .text("string")), .init("pattern", .text("^tcp://.+:[0-9]+$"))]
        case .choice(let words):
            [.init("enum", .list(words.map { .text($0) }))]
        case .list(let element):
            [.init("type", .text("array")), .init("items", .mapping(fields(of: element)))]
        case .section(let section):
            fields(of: section)
        case .variants(let variants):
            [.init("oneOf", .list(variants.map { .mapping(fields(of: $0.section, kind: $0)) }))]
        case .countOr(let range, let variants):
            [
                .init(
                    "anyOf",
                    .list([.mapping(fields(of: .integer(range))), .mapping(fields(of: .variants(variants)))]))
            ]
        case .named(let section):
            [.init("type", .text("object")), .init("additionalProperties", .mapping(fields(of: section)))]
        case .actions(let variants):
            [.init("oneOf", .list(variants.map { action($0) }))]
        case .choiceOrList(let words, let element):
            [.init("anyOf", .list([.mapping(fields(of: .choice(words))), .mapping(fields(of: .list(element)))]))]
        case .scalarOr(let shape, let section):
            [.init("anyOf", .list([.mapping(fields(of: shape)), .mapping(fields(of: section))]))]
        }
    }

    private static func fields(of quantity: Quantity) -> [PlainValue.Field] {
        let units = quantity.units.map(\.name).joined(separator: "|")
        let sign = quantity == .rate ? "[+-]?" : ""
        let word = quantity == .bandwidth ? "|^\(Quantity.unlimited)$" : ""
        return [
            .init("type", .text("string")),
            .init("pattern", .text("^\(sign)[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)?(\(units))$\(word)")),
            .init("examples", .list([.text(quantity.example)])),
        ]
    }

    private static func action(_ variant: Variant) -> PlainValue {
        .mapping([.init("description", .text(variant.about))] + fields(of: variant.section))
    }
}
