// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryTopology
import Yams

// Numbers with units, shares and signed numbers.

extension FileWalker {
    /// A number with one of the quantity's units; whether it is possible is checked with the topology.
    mutating func quantity(_ node: Node, _ string: String, _ quantity: Quantity, _ path: String) -> FileValue? {
        if quantity == .bandwidth, string == Quantity.unlimited { return .number(.infinity) }
        let (digits, unit) = Self.split(string)
        guard let value = Self.number(digits) else {
            return mismatch(node, Self.expectation(of: .quantity(quantity)), path)
        }
        if let factor = quantity.units.first(where: { $0.name == unit })?.factor { return .number(value * factor) }
        let names = quantity.units.map(\.name)
        let list =
            names.count == 1 ? names[0] : names.dropLast().joined(separator: ", ") + " or " + names[names.count - 1]
        if unit.isEmpty {
            diagnostics.add(
                .type, at: node.position, path,
                "\(quantity.name) needs a unit: \(list), for example \(digits.shortened)\(names[names.count / 2])")
        } else if quantity == .bandwidth, let bits = Self.bits(value, unit) {
            diagnostics.add(
                .type, at: node.position, path, "bandwidths count bits: use \(list); \(string.shortened) is \(bits)")
        } else {
            let lower = unit.lowercased()
            diagnostics.add(
                .type, at: node.position, path, "unknown unit '\(unit.shortened)'; use \(list)",
                suggestion: names.first { $0.lowercased() == lower }.map { digits + $0 })
        }
        return nil
    }

    /// What a bandwidth in bytes is in bits: `100kB/s` is `800kbit`.
    private static func bits(_ value: Double, _ unit: String) -> String? {
        let factors = ["B": 8.0, "kB": 8e3, "MB": 8e6, "GB": 8e9]
        let name = unit.hasSuffix("/s") ? String(unit.dropLast(2)) : unit
        return factors[name].map { Quantity.bandwidth.text(value * $0) }
    }

    /// A number, or one in percent.
    mutating func share(_ node: Node, _ string: String, _ path: String) -> FileValue? {
        let (digits, unit) = Self.split(string)
        guard let value = Self.number(digits), unit.isEmpty || unit == "%" else {
            return mismatch(node, Self.expectation(of: .share), path)
        }
        return .number(unit.isEmpty ? value : value / 100)
    }

    mutating func signedInteger(
        _ node: Node, _ string: String, _ range: ClosedRange<Int>, _ path: String
    ) -> FileValue? {
        guard let value = Int(string) else { return mismatch(node, "a whole number", path) }
        guard range.contains(value) else {
            let bounds = "\(range.lowerBound)...\(range.upperBound)"
            diagnostics.add(.range, at: node.position, path, "must lie in \(bounds), found \(string.shortened)")
            return nil
        }
        return .number(Double(value))
    }

    /// The number at the start of a text, an exponent included, and the rest.
    static func split(_ string: String) -> (digits: String, unit: String) {
        let scalars = Array(string.unicodeScalars)
        func isDigit(_ index: Int) -> Bool { index < scalars.count && ("0"..."9").contains(scalars[index]) }
        func isSign(_ index: Int) -> Bool { index < scalars.count && ["+", "-"].contains(scalars[index]) }
        var end = isSign(0) ? 1 : 0
        while isDigit(end) || (end < scalars.count && scalars[end] == ".") { end += 1 }
        if end < scalars.count, ["e", "E"].contains(scalars[end]) {
            var exponent = isSign(end + 1) ? end + 2 : end + 1
            if isDigit(exponent) {
                while isDigit(exponent) { exponent += 1 }
                end = exponent
            }
        }
        func text(_ part: ArraySlice<Unicode.Scalar>) -> String {
            var view = String.UnicodeScalarView()
            view.append(contentsOf: part)
            return String(view)
        }
        return (text(scalars[..<end]), text(scalars[end...]))
    }
}
