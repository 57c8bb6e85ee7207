// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// A kind of number that is written with a unit, and its units; the same table reads and writes.
package enum Quantity: Hashable, Sendable {
    /// Bits per second: `10Mbit`.
    case bandwidth
    /// Hertz: `1GHz`.
    case frequency
    /// Watts: `0.5W`.
    case power
    /// Parts per million: `50ppm`; may be negative.
    case rate

    /// A unit's name and how many base units it is worth.
    package typealias Unit = (name: String, factor: Double)

    /// The units, largest first.
    package var units: [Unit] {
        switch self {
        case .bandwidth: [("Gbit", 1e9), ("Mbit", 1e6), ("kbit", 1e3), ("bit", 1)]
        case .frequency: [("GHz", 1e9), ("MHz", 1e6), ("kHz", 1e3), ("Hz", 1)]
        case .power: [("kW", 1e3), ("W", 1), ("mW", 1e-3)]
        case .rate: [("ppm", 1)]
        }
    }

    /// What it is, for errors: `a bandwidth`.
    package var name: String {
        switch self {
        case .bandwidth: "a bandwidth"
        case .frequency: "a frequency"
        case .power: "a power"
        case .rate: "a rate"
        }
    }

    /// How it is written.
    package var example: String {
        switch self {
        case .bandwidth: "10Mbit"
        case .frequency: "1GHz"
        case .power: "0.5W"
        case .rate: "50ppm"
        }
    }

    /// The bandwidth without a limit, in files.
    package static let unlimited = "unlimited"

    /// A value as files write it, in the largest unit in which it is at least 1 and reads back as the same value.
    package func text(_ value: Double) -> String {
        if self == .bandwidth, value == .infinity { return Self.unlimited }
        for (name, factor) in units where abs(value) >= factor && value / factor * factor == value {
            return PlainValue.trimmed((value / factor).description) + name
        }
        let base = units.first { $0.factor == 1 }?.name ?? ""
        return PlainValue.trimmed(value.description) + base
    }
}

extension PlainValue {
    /// A number with its unit: `10Mbit`.
    package static func quantity(_ value: Double, _ quantity: Quantity) -> PlainValue { .text(quantity.text(value)) }
}
