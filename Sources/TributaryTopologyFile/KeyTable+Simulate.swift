// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryTopology

// The keys of the section `simulate`.

extension KeyTable {
    private typealias Key = KeySpecification

    static let simulate = Section(keys: [
        Key("links", .named(link), "By tier: the link of its nodes to their parents; perfect where nothing is said."),
        Key("node-links", .named(link), "By node: its own link; what is not said is its tier's."),
        Key("compute", .variants(computeModels), "How long a device computes on a batch; constant 10ms."),
        Key("availability", .variants(availabilityModels), "When devices are reachable; always."),
        Key("energy", .section(energy), "What devices spend."),
        Key("classes", .list(.section(deviceClass)), "Kinds of devices, drawn by their shares."),
        Key("faults", .list(.actions(faults)), "What goes wrong, and when, in time since the start of the run."),
    ])

    private static let link = Section(keys: [
        Key(
            "bandwidth", .scalarOr(.quantity(.bandwidth), ways),
            "Bits per second, both ways or as {up:, down:}; unlimited by default."),
        Key("latency", .duration, "The time one way; 0s."),
        Key("jitter", .duration, "The mean of an exponential delay on top; 0s."),
        Key("loss", .share, "The share of messages that get lost, below 1; 0."),
    ])

    private static let ways = Section(keys: [
        Key("up", .quantity(.bandwidth), "From the node to its parent."),
        Key("down", .quantity(.bandwidth), "From the parent to the node."),
    ])

    static let computeModels = [
        Variant(
            "constant", "The same time for every batch.",
            [Key("time", .duration, required: true, "The time of a batch.")]),
        Variant(
            "lognormal", "Log-normal times.",
            [
                Key("median", .duration, required: true, "The median time of a batch."),
                Key("sigma", .number, required: true, "The standard deviation of the time's logarithm, 0 to 4."),
            ]),
        Variant(
            "cpu", "Rows of the batch x bits of a row x cycles-per-bit / frequency.",
            [
                Key("frequency", .quantity(.frequency), required: true, "The processor's clock."),
                Key("cycles-per-bit", .number, required: true, "Cycles for one bit of features."),
            ]),
    ]

    static let availabilityModels = [
        Variant("always", "At any time."),
        Variant(
            "diurnal", "A wave over the day: mean + amplitude x cos(2 pi (local time - peak) / 24h).",
            [
                Key("mean", .share, required: true, "The mean share of reachable devices, in (0, 1]."),
                Key("amplitude", .share, "How far it swings; as far as the mean allows."),
                Key("peak", .duration, "The local time of day with most devices; 2h."),
                Key(
                    "zones", .list(.signedInteger(AvailabilityModel.zoneRange)),
                    "Hours ahead of UTC; each device draws one; [0]. A run starts at midnight UTC."),
            ]),
        Variant(
            "markov", "Comes and goes after exponential times.",
            [
                Key("up", .duration, required: true, "The mean time that a device stays."),
                Key("down", .duration, required: true, "The mean time that it is away."),
            ]),
        Variant(
            "trace", "As a CSV file says: device,from,to in seconds.",
            [Key("path", .text, required: true, "The file, relative to this one.")]),
    ]

    private static let energy = Section(keys: [
        Key("compute", .variants(computeEnergies), "Computing; capacitance by default."),
        Key("transmit", .quantity(.power), "The draw while sending; 0.5W."),
        Key("receive", .quantity(.power), "The draw while receiving; 0W."),
    ])

    static let computeEnergies = [
        Variant(
            "power", "A constant draw.",
            [Key("draw", .quantity(.power), required: true, "The draw while computing.")]),
        Variant(
            "capacitance", "alpha / 2 x cycles x frequency^2 joules.",
            [
                Key("alpha", .number, "The effective capacitance in farads; 2e-28."),
                Key("frequency", .quantity(.frequency), "The clock; that of a cpu compute model, else 1GHz."),
            ]),
    ]

    private static let deviceClass = Section(keys: [
        Key("name", .text, required: true, "The class's name: a-z, 0-9 and '-'."),
        Key("share", .share, required: true, "How many of the devices, relative to the other classes' shares."),
        Key("compute", .variants(computeModels), "In place of the fleet's."),
        Key("link", .section(link), "What differs from the device tier's link."),
        Key("availability", .variants(availabilityModels), "In place of the fleet's."),
        Key("energy", .section(energy), "What differs from the fleet's."),
    ])
}

// MARK: - Faults

extension KeyTable {
    static let faults = [
        fault("partition", "The link to the parent carries nothing; what is below the node stays connected to it."),
        Variant(
            "kill", "The process is killed, and starts again from its state directory.",
            [
                target, Key("at", .duration, required: true, "When it is killed."),
                Key("restart", .duration, "When it starts again, since the start of the run; never by default."),
            ].named("kill")),
        fault(
            "slow", "Batches take longer; for devices.",
            [Key("factor", .number, required: true, "How many times as long, at least 1.")]),
        fault(
            "skew", "The clock is wrong.",
            [
                Key("offset", .offset, "How far it is ahead, or behind when negative; 0s."),
                Key("rate", .quantity(.rate), "How much it gains from then on; 0ppm."),
            ]),
        fault("corrupt", "Messages on the link to the parent are damaged.", [probability]),
        fault("duplicate", "Messages on the link to the parent arrive twice.", [probability]),
        fault(
            "reorder", "Messages on the link to the parent are held back and overtaken.",
            [probability, Key("delay", .duration, required: true, "How long one is held back.")]),
        fault("drop", "Messages on the link to the parent get lost.", [probability]),
    ]

    private static let target = Key(
        "target",
        .scalarOr(
            .text,
            Section(keys: [Key("tier", .text, required: true, "All nodes of the tier.")])),
        required: true, "Whom it befalls: a node's name, or {tier: TIER} for all nodes of a tier.")

    private static let probability = Key("probability", .share, required: true, "How many of the messages, 0 to 1.")

    private static func fault(_ name: String, _ about: String, _ keys: [KeySpecification] = []) -> Variant {
        Variant(
            name, about,
            ([target] + keys + [
                Key("from", .duration, "When it begins; 0s."), Key("to", .duration, "When it ends; never by default."),
            ]).named(name))
    }
}

extension [KeySpecification] {
    /// The same keys with another name for the first one.
    fileprivate func named(_ name: String) -> [KeySpecification] {
        guard let first else { return [] }
        return [KeySpecification(name, first.shape, required: first.isRequired, first.about)] + dropFirst()
    }
}
