// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

extension DataSpecification {
    /// The fields of shards, skew and drift, where the topology has them.
    var varietyFields: [PlainValue.Field] {
        var fields: [PlainValue.Field] = []
        if let shard { fields.append(.init("shard", .mapping([.init("examples", shard.examples.canonical)]))) }
        if let skew { fields.append(.init("skew", skew.canonical)) }
        if !drift.isEmpty { fields.append(.init("drift", .list(drift.map(\.canonical)))) }
        return fields
    }
}

extension ShardQuantity {
    var canonical: PlainValue {
        switch self {
        case .fixed(let count):
            .number(count)
        case .powerLaw(let exponent, let min, let max):
            .mapping([
                .init("kind", .text("power-law")), .init("exponent", .number(exponent)), .init("min", .number(min)),
                .init("max", .number(max)),
            ])
        case .logNormal(let median, let sigma, let min, let max):
            .mapping([
                .init("kind", .text("lognormal")), .init("median", .number(median)), .init("sigma", .number(sigma)),
                .init("min", .number(min)), .init("max", .number(max)),
            ])
        }
    }
}

extension SkewSpecification {
    var canonical: PlainValue {
        .mapping([
            .init("rotation", .number(rotation)), .init("gain", .number(gain)), .init("bias", .number(bias)),
            .init("noise", .number(noise)),
        ])
    }
}

extension DriftSpecification {
    var canonical: PlainValue {
        switch self {
        case .rotation(let ramp): .mapping([.init("kind", .text("rotation"))] + ramp.fields)
        case .bias(let ramp): .mapping([.init("kind", .text("bias"))] + ramp.fields)
        case .labels(let at, let swaps):
            .mapping([
                .init("kind", .text("labels")), .init("at", .number(at)),
                .init("swap", .list(swaps.map { .list([.number($0.first), .number($0.second)]) })),
            ])
        }
    }
}

extension DriftSpecification.Ramp {
    fileprivate var fields: [PlainValue.Field] {
        var fields: [PlainValue.Field] = [.init("per-round", .number(perRound)), .init("from", .number(from))]
        if let until { fields.append(.init("until", .number(until))) }
        return fields
    }
}
