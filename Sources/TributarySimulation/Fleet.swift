// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import CTributaryKernels
import TributaryCore
import TributaryLearning
import TributaryTopology

/// What single devices are like: class, link, speed, energy and waking hours, each a function of seed and client index.
///
/// Nothing is kept for a device, so a fleet of any size costs the same.
struct Fleet: Sendable {
    let seed: UInt64
    private let tree: Tree
    private let settings: SimulationSettings
    private let tierLink: LinkSettings
    /// Upper ends of the classes' shares, ascending to 1; empty without classes.
    private let shares: [Double]
    private let availabilities: [Availability]

    /// A topology's fleet; `traces` are the waking times of the trace file that the settings name, by client index.
    init(_ tree: Tree, traces: AvailabilityTraces?) {
        self.tree = tree
        seed = tree.topology.seed
        settings = tree.topology.simulation
        tierLink = settings.links[tree.topology.tiers.last?.name ?? ""] ?? LinkSettings.default
        let total = settings.classes.reduce(0) { $0 + $1.share }
        var end = 0.0
        shares = settings.classes.map { deviceClass in
            end += deviceClass.share / total
            return end
        }
        let settings = settings
        let models = [settings.availability] + settings.classes.map { $0.availability ?? settings.availability }
        let seed = tree.topology.seed
        availabilities = models.map { Availability($0, seed: seed, traces: traces) }
    }

    /// A device's class; `nil` when there are none.
    func deviceClass(of client: ClientIndex) -> DeviceClass? {
        classIndex(of: client).map { settings.classes[$0] }
    }

    private func classIndex(of client: ClientIndex) -> Int? {
        guard !shares.isEmpty else { return nil }
        var random = CounterRandom(seed: seed, purpose: .deviceClass, client: client.value)
        let draw = random.nextUniform()
        return shares.firstIndex { draw < $0 } ?? shares.count - 1
    }

    /// When a device is awake.
    func availability(of client: ClientIndex) -> Availability {
        availabilities[classIndex(of: client).map { $0 + 1 } ?? 0]
    }

    /// A device's link to its parent.
    func link(of client: ClientIndex, named name: NodeName) -> LinkSettings {
        settings.nodeLinks.isEmpty
            ? deviceClass(of: client)?.link ?? tierLink
            : settings.nodeLinks[name.value] ?? deviceClass(of: client)?.link ?? tierLink
    }

    /// An aggregator's link to its parent.
    func link(ofAggregator position: Int) -> LinkSettings {
        let node = tree.aggregators[position]
        return settings.nodeLinks[node.name.value]
            ?? settings.links[tree.topology.tiers[node.tier].name] ?? LinkSettings.default
    }

    // MARK: Work

    /// How long a device computes for one batch of a round.
    ///
    /// `bitCount`: bits of one batch's features, for processors that are described by cycles.
    func batchTime(of client: ClientIndex, in number: RoundNumber, bitCount: Double) -> Duration {
        switch deviceClass(of: client)?.compute ?? settings.compute {
        case .constant(let duration): return duration
        case .lognormal(let median, let sigma):
            var random = CounterRandom(seed: seed, purpose: .compute, round: number, client: client.value)
            var normal = NormalSampler()
            let factor = tributary_learn_exp_double(sigma * normal.next(&random))
            return .nanoseconds(Int64(min(Double(median.nanoseconds) * factor, Self.nanosecondsMax)))
        case .cpu(let frequency, let cyclesPerBit):
            return .nanoseconds(Int64(min(bitCount * cyclesPerBit / frequency * 1e9, Self.nanosecondsMax)))
        }
    }

    private static let nanosecondsMax = Double(Limits.durationMax.nanoseconds)

    /// What a device draws while it computes, and while its radio sends and receives.
    func energy(of client: ClientIndex) -> EnergyModel { deviceClass(of: client)?.energy ?? settings.energy }

    /// The energy of computing for a time, in joules.
    func computeEnergy(of client: ClientIndex, time: Duration) -> Double {
        energy(of: client).compute.watts * time.seconds
    }
}
