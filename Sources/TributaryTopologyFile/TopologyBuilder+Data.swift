// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryTopology

extension TopologyBuilder {
    static func shard(_ value: FileValue?) -> ShardSpecification? {
        guard let examples = value?["examples"] else { return nil }
        func count(_ key: String, _ otherwise: Int) -> Int {
            examples[key]?.integer.map { Int(clamping: $0) } ?? otherwise
        }
        switch examples.kind {
        case "power-law":
            return ShardSpecification(
                examples: .powerLaw(
                    exponent: examples["exponent"]?.number ?? 1, min: count("min", 1),
                    max: count("max", ShardQuantity.countMax)))
        case "lognormal":
            return ShardSpecification(
                examples: .logNormal(
                    median: examples["median"]?.number ?? 1, sigma: examples["sigma"]?.number ?? 0,
                    min: count("min", 1), max: count("max", ShardQuantity.countMax)))
        default:
            return ShardSpecification(examples: .fixed(Int(clamping: examples.integer ?? 1)))
        }
    }

    static func skew(_ value: FileValue?) -> SkewSpecification? {
        guard let value else { return nil }
        func number(_ key: String) -> Double { value[key]?.number ?? 0 }
        return SkewSpecification(
            rotation: number("rotation"), gain: number("gain"), bias: number("bias"), noise: number("noise"))
    }

    /// The drifts of a list; an entry that was wrong stands as one that changes nothing, so that places stay right.
    static func drift(_ value: FileValue?) -> [DriftSpecification] {
        (value?.list ?? []).map { value in
            func round(_ key: String) -> UInt32? { value?[key]?.integer.map { UInt32(clamping: $0) } }
            let ramp = DriftSpecification.Ramp(
                perRound: value?["per-round"]?.number ?? 0, from: round("from") ?? 1, until: round("until"))
            switch value?.kind {
            case "rotation": return .rotation(ramp)
            case "labels":
                return .labels(at: round("at") ?? 1, swaps: (value?["swap"]?.list ?? []).map(swap))
            default: return .bias(ramp)
            }
        }
    }

    /// A pair of classes; anything else than a pair swaps a class with itself, which the checks refuse.
    private static func swap(_ value: FileValue?) -> DriftSpecification.Swap {
        let labels = (value?.list ?? []).map { Int(clamping: $0?.integer ?? 0) }
        return labels.count == 2
            ? DriftSpecification.Swap(labels[0], labels[1])
            : DriftSpecification.Swap(labels.first ?? 0, labels.first ?? 0)
    }
}
