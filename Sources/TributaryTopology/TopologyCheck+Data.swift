// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

// Checks of how devices' examples differ: shards that they draw, skew and drift.

extension TopologyCheck {
    /// Checks `data.shard`, `data.skew` and `data.drift` as far as the file alone tells.
    mutating func checkVariety() {
        if let shard = topology.data.shard { checkShard(shard) }
        if let skew = topology.data.skew { checkSkew(skew) }
        for (index, drift) in topology.data.drift.enumerated() { checkDrift(drift, "data.drift[\(index)]") }
    }

    /// Checks that a site's devices can see what each of them shall see.
    mutating func checkSites(_ sites: PartitionSites, classesPerPartition: Int) {
        if sites.devices < 1 { report(.range, "data.partition.sites.devices", "a site has one device or more") }
        if sites.classes < classesPerPartition {
            report(
                .range, "data.partition.sites.classes",
                "each device sees \(classesPerPartition) classes, so a site cannot see \(sites.classes)")
        }
        if topology.data.shard != nil {
            report(
                .data, "data.partition.sites",
                "sites cut one table and leave no shards to draw; take 'shard' or 'sites' out")
        }
    }

    private mutating func checkShard(_ shard: ShardSpecification) {
        switch topology.data.partition {
        case .iid, .dirichlet, .pathological: break
        case .linear, .square, .exponential, .naturalID:
            report(
                .data, "data.shard",
                "a \(topology.data.partition.kindName) partition cuts one table exactly and leaves no shards to draw; "
                    + "take 'shard' out, or choose iid, dirichlet or pathological")
        }
        let countMax = ShardQuantity.countMax
        let (min, max) = shard.examples.ends
        let path = "data.shard.examples"
        switch shard.examples {
        case .fixed(let count):
            if !(1...countMax).contains(count) { report(.range, path, "must lie in 1...\(countMax)") }
            return
        case .powerLaw(let exponent, _, _):
            if !(exponent > 0 && exponent <= 100) { report(.range, "\(path).exponent", "must lie in (0, 100]") }
        case .logNormal(let median, let sigma, _, _):
            if !(median >= 1 && median <= Double(countMax)) {
                report(.range, "\(path).median", "must lie in 1...\(countMax)")
            }
            if !(sigma >= 0 && sigma <= 10) { report(.range, "\(path).sigma", "must lie in 0...10") }
        }
        if !(1...countMax).contains(min) { report(.range, "\(path).min", "must lie in 1...\(countMax)") }
        if !(1...countMax).contains(max) { report(.range, "\(path).max", "must lie in 1...\(countMax)") }
        if min > max { report(.range, "\(path).min", "the fewest examples, \(min), are more than the most, \(max)") }
    }

    private mutating func checkSkew(_ skew: SkewSpecification) {
        if !(skew.rotation >= 0 && skew.rotation <= 180) {
            report(.range, "data.skew.rotation", "a standard deviation in degrees lies in 0...180")
        } else if skew.rotation != 0 {
            checkImages("data.skew.rotation")
        }
        for (key, value) in [("gain", skew.gain), ("bias", skew.bias), ("noise", skew.noise)] {
            let limit = key == "gain" ? 10.0 : 1e6
            if !(value >= 0 && value <= limit) {
                report(.range, "data.skew.\(key)", "a standard deviation must lie in 0...\(Int(limit))")
            }
        }
    }

    private mutating func checkDrift(_ drift: DriftSpecification, _ path: String) {
        switch drift {
        case .rotation(let ramp):
            if !(abs(ramp.perRound) <= 180) { report(.range, "\(path).per-round", "degrees must lie in -180...180") }
            checkImages("\(path).kind")
            checkRamp(ramp, path)
        case .bias(let ramp):
            if !(abs(ramp.perRound) <= 1e6) { report(.range, "\(path).per-round", "must lie in -1000000...1000000") }
            checkRamp(ramp, path)
        case .labels(let at, let swaps):
            if at < 1 || at > Limits.roundCountMax {
                report(.range, "\(path).at", "must lie in 1...\(Limits.roundCountMax)")
            }
            if swaps.isEmpty { report(.range, "\(path).swap", "name at least one pair of classes") }
            checkSwaps(swaps, "\(path).swap")
        }
    }

    private mutating func checkRamp(_ ramp: DriftSpecification.Ramp, _ path: String) {
        if let until = ramp.until, until <= ramp.from {
            report(.range, "\(path).until", "must be after round \(ramp.from), where the drift begins")
        }
    }

    private mutating func checkSwaps(_ swaps: [DriftSpecification.Swap], _ path: String) {
        var seen: Set<Int> = []
        for (index, swap) in swaps.enumerated() {
            guard swap.first != swap.second else {
                report(.range, "\(path)[\(index)]", "a swap is a pair of two different classes, such as [0, 1]")
                continue
            }
            for label in [swap.first, swap.second] {
                if label < 0 || label >= topology.data.source.classCount ?? 65_536 {
                    let known = topology.data.source.classCount.map { "; the data's classes are 0..<\($0)" } ?? ""
                    report(.data, "\(path)[\(index)]", "there is no class \(label)\(known)")
                } else if !seen.insert(label).inserted {
                    report(.range, "\(path)[\(index)]", "class \(label) can be swapped once in one entry")
                }
            }
        }
    }

    private mutating func checkImages(_ path: String) {
        guard !topology.data.source.canHoldImages else { return }
        report(.data, path, "only images can be rotated; this source has none: use bias, gain or noise")
    }
}
