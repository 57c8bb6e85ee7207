// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryTopology

/// Small topologies for tests.
enum Example {
    static func topology(_ tiers: [Tier], nodes: [String: NodeOverride] = [:]) -> Topology {
        Topology(
            federation: "example", model: .linear,
            data: DataSpecification(
                source: .synthetic(examples: 100, features: 4, classes: 2), partition: .iid, holdOut: 0.2),
            rounds: 3, tiers: tiers, nodes: nodes)
    }

    /// A cloud, so many regions, and devices.
    static func regions(_ regions: UInt64, devices: FanOut, nodes: [String: NodeOverride] = [:]) -> Topology {
        topology(
            [
                Tier(name: "cloud", fanOut: .one), Tier(name: "region", fanOut: .count(regions)),
                Tier(name: "camera", fanOut: devices),
            ], nodes: nodes)
    }
}
