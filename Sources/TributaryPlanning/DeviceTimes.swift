// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryTopology

/// One kind of devices with one number of examples: its share of the fleet, and what decides its time.
struct DeviceKind {
    let share: Double
    let link: LinkSettings
    let compute: ComputeModel
    let energy: EnergyModel
    let work: WorkAmount
    /// The share of the devices of the kind that are awake.
    let availability: Double

    /// The kinds of a topology's devices, each with one number of examples.
    static func all(of topology: Topology, _ workload: Workload) -> [DeviceKind] {
        let settings = topology.simulation
        let tierLink = settings.link(ofTier: topology.tiers.last?.name ?? "")
        let classes = settings.classes.isEmpty ? [DeviceClass(name: "", share: 1)] : settings.classes
        let total = classes.reduce(0) { $0 + $1.share }
        return classes.flatMap { kind in
            workload.exampleCounts.map { examples in
                DeviceKind(
                    share: kind.share / total * examples.share, link: kind.link ?? tierLink,
                    compute: kind.compute ?? settings.compute, energy: kind.energy ?? settings.energy,
                    work: WorkAmount(
                        topology.training.settings, exampleCount: examples.count, featureCount: workload.featureCount),
                    availability: (kind.availability ?? settings.availability).mean)
            }
        }
    }
}

extension AvailabilityModel {
    /// The share of the devices that are awake on average; a trace is not read and counts as always.
    var mean: Double {
        switch self {
        case .always, .trace: 1
        case .diurnal(let mean, _, _, _): min(1, mean)
        case .markov(let up, let down): up.seconds / (up.seconds + down.seconds)
        }
    }

    /// The chance that a device which is awake stays so for a time, in seconds.
    func chanceToStay(_ seconds: Double) -> Double {
        guard case .markov(let up, _) = self, up > .zero else { return 1 }
        return SpecialFunctions.exp(-seconds / up.seconds)
    }
}

/// The time from a plan until a device's delta has arrived, for the devices below one aggregator.
struct DeviceTimes {
    /// One kind of devices, with its time.
    struct Part {
        let kind: DeviceKind
        let link: LinkTime
        let time: TimeDistribution
    }

    let parts: [Part]
    /// The time of any one of them.
    let any: TimeDistribution
    let dialogue: Dialogue

    init(_ dialogue: Dialogue, _ kinds: [DeviceKind]) {
        self.dialogue = dialogue
        parts = kinds.map { kind in
            let link = LinkTime(dialogue, over: kind.link)
            return Part(kind: kind, link: link, time: link.adding(kind.compute, kind.work))
        }
        // Only who is awake is chosen.
        let awake = kinds.reduce(0) { $0 + $1.share * $1.availability }
        any = .mixture(
            parts.map { ($0.time, awake > 0 ? $0.kind.share * $0.kind.availability / awake : $0.kind.share) })
    }

    /// The time of one device that has a link of its own.
    func time(over link: LinkSettings) -> TimeDistribution {
        let timing = LinkTime(dialogue, over: link)
        return .mixture(parts.map { (timing.adding($0.kind.compute, $0.kind.work), $0.kind.share) })
    }

    /// The kind that is most likely the last to answer when the round takes so many seconds.
    func critical(at seconds: Double) -> Part? {
        parts.max { left, right in
            let chances = [left, right].map { $0.kind.share * $0.time.survival(seconds * (1 - 1e-9)) }
            return (chances[0], left.time.end) < (chances[1], right.time.end)
        }
    }
}
