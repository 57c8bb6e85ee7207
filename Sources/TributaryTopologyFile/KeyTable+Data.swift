// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryTopology

/// The keys by which devices' examples come to differ.
extension KeyTable {
    private typealias Key = KeySpecification

    static let shard = Section(keys: [
        Key(
            "examples", .countOr(exampleCounts, quantities), required: true,
            "Examples that a device draws: a number, or a law that each device draws its own from.")
    ])

    private static let exampleCounts: ClosedRange<UInt64> = 1...UInt64(ShardQuantity.countMax)

    static let quantities = [
        Variant(
            "power-law", "A density in proportion to x^-exponent from min to max.",
            [
                Key("exponent", .number, required: true, "In (0, 100]: greater leaves fewer large shards."),
                Key("min", .integer(exampleCounts), required: true, "The fewest examples of a device."),
                Key("max", .integer(exampleCounts), required: true, "The most examples of a device."),
            ]),
        Variant(
            "lognormal", "The median times e to the power of sigma times a standard normal number.",
            [
                Key("median", .number, required: true, "Half of the devices hold at most so many examples."),
                Key("sigma", .number, required: true, "The standard deviation of the logarithm, 0 to 10."),
                Key("min", .integer(exampleCounts), "Fewer become so many; 1."),
                Key("max", .integer(exampleCounts), "More become so many; \(ShardQuantity.countMax)."),
            ]),
    ]

    static let skew = Section(keys: [
        Key("rotation", .number, "The standard deviation of a device's angle in degrees; images only; 0."),
        Key("gain", .number, "The standard deviation of the logarithm of a device's factor; 0."),
        Key("bias", .number, "The standard deviation of a device's offset, in units of the features; 0."),
        Key("noise", .number, "The standard deviation of white noise on each feature, in units of the features; 0."),
    ])

    private static let ramp = [
        Key("from", .integer(1...UInt64(Limits.roundCountMax)), "The last round without a change; 1."),
        Key("until", .integer(1...UInt64(Limits.roundCountMax)), "The last round of growth; the change stays."),
    ]

    static let drifts = [
        Variant(
            "rotation", "Images turn a little more each round.",
            [Key("per-round", .number, required: true, "Degrees counter-clockwise, -180 to 180.")] + ramp),
        Variant(
            "bias", "All features shift a little more each round.",
            [Key("per-round", .number, required: true, "In units of the features.")] + ramp),
        Variant(
            "labels", "From a round on, pairs of classes are swapped.",
            [
                Key("at", .integer(1...UInt64(Limits.roundCountMax)), required: true, "The first round so changed."),
                Key(
                    "swap", .list(.list(.integer(0...65_535))), required: true,
                    "Pairs of class numbers: [[0, 1], [4, 7]]."),
            ]),
    ]
}
