// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryTopology

/// What may stand under a key.
indirect enum Shape: Sendable {
    case text
    case integer(ClosedRange<UInt64>)
    case number
    /// A number with a unit of time: `60s`, `500ms`.
    case duration
    /// A duration that may be negative.
    case offset
    /// A number with a unit: `10Mbit`, `0.5W`.
    case quantity(Quantity)
    /// A number, or one in percent: `0.01`, `1%`.
    case share
    case signedInteger(ClosedRange<Int>)
    /// `tcp://host:port`.
    case endpoint
    case choice([String])
    case list(Shape)
    case section(Section)
    /// A mapping whose key `kind` chooses the other keys.
    case variants([Variant])
    /// A whole number, or a mapping whose key `kind` says how to draw one.
    case countOr(ClosedRange<UInt64>, [Variant])
    /// A mapping from any name to a section.
    case named(Section)
    /// A mapping that one of its keys, a variant's name, tells from its kin: `partition: eu-west` beside `from`.
    case actions([Variant])
    /// A scalar of a shape, or a mapping.
    case scalarOr(Shape, Section)
    /// One of a few words, or a list.
    case choiceOrList([String], Shape)
}

extension Shape {
    /// Whether a mapping of this shape may have the key itself.
    func hasKey(_ name: String) -> Bool {
        switch self {
        case .section(let section), .scalarOr(_, let section): section.key(name) != nil
        case .variants(let variants), .countOr(_, let variants): variants.contains { $0.section.key(name) != nil }
        case .text, .integer, .number, .duration, .offset, .quantity, .share, .signedInteger, .endpoint, .choice,
            .list, .named, .actions, .choiceOrList:
            false
        }
    }
}

/// One key of a section.
struct KeySpecification: Sendable {
    let name: String
    let shape: Shape
    let isRequired: Bool
    /// What it means, in a few words: shown by editors.
    let about: String
    /// In `tiers`: which of the tiers may have the key.
    let place: Place

    enum Place: Sendable {
        case anywhere
        /// Root and aggregators.
        case aggregators
        /// The last tier.
        case devices
        /// Every tier but the root.
        case belowRoot
    }

    init(_ name: String, _ shape: Shape, required: Bool = false, _ about: String, place: Place = .anywhere) {
        self.name = name
        self.shape = shape
        self.isRequired = required
        self.about = about
        self.place = place
    }
}

/// The keys of one mapping.
struct Section: Sendable {
    let keys: [KeySpecification]
    /// Sets of keys of which only one may be given.
    var exclusive: [[String]] = []

    func key(_ name: String) -> KeySpecification? { keys.first { $0.name == name } }
}

/// One choice of `kind` and the keys that go with it.
struct Variant: Sendable {
    let kind: String
    let section: Section
    let about: String

    init(_ kind: String, _ about: String, _ keys: [KeySpecification] = []) {
        self.kind = kind
        self.about = about
        self.section = Section(keys: keys)
    }
}
