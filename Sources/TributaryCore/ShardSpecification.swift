// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// Each device draws a shard of its own, by its client index alone, in place of a share of one fixed table.
package struct ShardSpecification: Hashable, Sendable {
    /// How many examples a device draws.
    package var examples: ShardQuantity
    package init(examples: ShardQuantity) { self.examples = examples }
}

/// How many examples the devices of a fleet hold: a law from which each device draws its own number.
package enum ShardQuantity: Hashable, Sendable {
    /// The most examples that one device can draw; a device holds them in memory.
    package static let countMax = 1_000_000

    /// The same number on every device.
    case fixed(Int)
    /// A density in proportion to `x^-exponent` on `min...max`: few devices hold much, most hold little.
    case powerLaw(exponent: Double, min: Int, max: Int)
    /// `median * e^(sigma z)` with standard normal z, clipped to `min...max`.
    case logNormal(median: Double, sigma: Double, min: Int, max: Int)

    /// The fewest and the most examples that a device can draw; as given, even when the ends are the wrong way round.
    package var ends: (min: Int, max: Int) {
        switch self {
        case .fixed(let count): (count, count)
        case .powerLaw(_, let min, let max), .logNormal(_, _, let min, let max): (min, max)
        }
    }
}

/// How the devices' sensors differ: standard deviations, over the devices, of what each does to its own examples.
///
/// The root's held-out examples stay as they are.
package struct SkewSpecification: Hashable, Sendable {
    /// Of the angle by which a device turns its images, in degrees, 0...180.
    package var rotation: Double
    /// Of the logarithm of the factor by which a device multiplies its features, at least 0.
    package var gain: Double
    /// Of the offset that a device adds to its features, in units of the features, at least 0.
    package var bias: Double
    /// Of the white noise on each feature of each example, the same on all devices, in units of the features.
    package var noise: Double

    package init(rotation: Double = 0, gain: Double = 0, bias: Double = 0, noise: Double = 0) {
        self.rotation = rotation
        self.gain = gain
        self.bias = bias
        self.noise = noise
    }
}

/// How the world changes while the federation learns: the same on all devices and in the root's held-out examples.
package enum DriftSpecification: Hashable, Sendable {
    /// A change that grows by the same amount each round.
    package struct Ramp: Hashable, Sendable {
        /// Degrees, or units of the features, by which each round differs from the one before.
        package var perRound: Double
        /// The last round without a change.
        package var from: UInt32
        /// The last round of growth, after which the change stays; `nil` for no end.
        package var until: UInt32?

        package init(perRound: Double, from: UInt32 = 1, until: UInt32? = nil) {
            self.perRound = perRound
            self.from = from
            self.until = until
        }

        /// How far the change has come in a round.
        package func amount(in round: UInt32) -> Double {
            let reached = Swift.min(round, until ?? .max)
            return reached > from ? perRound * Double(reached - from) : 0
        }
    }

    /// Two classes that change their meaning for one another.
    package struct Swap: Hashable, Sendable {
        package var first: Int
        package var second: Int
        package init(_ first: Int, _ second: Int) {
            self.first = first
            self.second = second
        }
    }

    /// Images turn, counter-clockwise for a positive number of degrees.
    case rotation(Ramp)
    /// All features shift.
    case bias(Ramp)
    /// From a round on, classes are swapped in pairs; each class is in one pair at most.
    case labels(at: UInt32, swaps: [Swap])
}

extension DataSpecification.Source {
    /// The number of classes, where the source alone tells it.
    package var classCount: Int? {
        switch self {
        case .fashionMNIST: 10
        case .synthetic(_, _, let classes): classes
        case .idx, .csv, .npz: nil
        }
    }

    /// Whether examples can be images; files that decide it themselves can.
    package var canHoldImages: Bool {
        switch self {
        case .fashionMNIST, .idx, .npz: true
        case .csv, .synthetic: false
        }
    }
}
