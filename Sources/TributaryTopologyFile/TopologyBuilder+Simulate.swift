// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryTopology

extension TopologyBuilder {
    /// What the section `simulate` says, over tiers whose names and fan-outs are known.
    static func simulation(_ value: FileValue?, tiers: [Tier]) -> SimulationSettings {
        var settings = SimulationSettings()
        for tier in tiers.dropFirst() { settings.links[tier.name] = .default }
        for (name, entry) in value?["links"]?.mapping ?? [:] { settings.links[name] = link(entry, .default) }
        for (name, entry) in value?["node-links"]?.mapping ?? [:] {
            let base = tiers.dropFirst().first { $0.canHold(name) }.map { settings.link(ofTier: $0.name) }
            settings.nodeLinks[name] = link(entry, base ?? .default)
        }
        settings.compute = value?["compute"].map(compute) ?? .default
        settings.availability = value?["availability"].map(availability) ?? .always
        settings.energy = energy(value?["energy"], .default, settings.compute)
        let deviceLink = tiers.last.map { settings.link(ofTier: $0.name) } ?? .default
        settings.classes = (value?["classes"]?.list ?? []).map { deviceClass($0, settings, deviceLink) }
        settings.faults = (value?["faults"]?.list ?? []).map(fault)
        return settings
    }

    private static func link(_ value: FileValue, _ base: LinkSettings) -> LinkSettings {
        let bandwidth = value["bandwidth"]
        return LinkSettings(
            bandwidthUp: bandwidth?.number ?? bandwidth?["up"]?.number ?? base.bandwidthUp,
            bandwidthDown: bandwidth?.number ?? bandwidth?["down"]?.number ?? base.bandwidthDown,
            latency: value["latency"]?.duration ?? base.latency, jitter: value["jitter"]?.duration ?? base.jitter,
            loss: value["loss"]?.number ?? base.loss)
    }

    private static func compute(_ value: FileValue) -> ComputeModel {
        switch value.kind {
        case "constant":
            .constant(value["time"]?.duration ?? .milliseconds(10))
        case "lognormal":
            .lognormal(median: value["median"]?.duration ?? .milliseconds(10), sigma: value["sigma"]?.number ?? 1)
        case "cpu":
            .cpu(
                frequency: value["frequency"]?.number ?? ComputeEnergy.frequencyDefault,
                cyclesPerBit: value["cycles-per-bit"]?.number ?? 20)
        default: .default
        }
    }

    private static func availability(_ value: FileValue) -> AvailabilityModel {
        switch value.kind {
        case "diurnal":
            let mean = value["mean"]?.number ?? 1
            return .diurnal(
                mean: mean, amplitude: value["amplitude"]?.number ?? AvailabilityModel.amplitudeDefault(mean: mean),
                peak: value["peak"]?.duration ?? AvailabilityModel.peakDefault,
                zones: value["zones"]?.list?.map { Int($0?.number ?? 0) } ?? [0])
        case "markov":
            return .markov(
                up: value["up"]?.duration ?? .seconds(1), down: value["down"]?.duration ?? .seconds(1))
        case "trace":
            return .trace(path: value["path"]?.text ?? "")
        default:
            return .always
        }
    }

    private static func energy(_ value: FileValue?, _ base: EnergyModel, _ compute: ComputeModel) -> EnergyModel {
        EnergyModel(
            compute: computeEnergy(value?["compute"], base.compute, compute),
            transmitPower: value?["transmit"]?.number ?? base.transmitPower,
            receivePower: value?["receive"]?.number ?? base.receivePower)
    }

    private static func computeEnergy(
        _ value: FileValue?, _ base: ComputeEnergy, _ compute: ComputeModel
    ) -> ComputeEnergy {
        switch value?.kind {
        case "power":
            return .power(watts: value?["draw"]?.number ?? 0)
        case "capacitance":
            var frequency = ComputeEnergy.frequencyDefault
            if case .cpu(let clock, _) = compute { frequency = clock }
            return .capacitance(
                alpha: value?["alpha"]?.number ?? ComputeEnergy.alphaDefault,
                frequency: value?["frequency"]?.number ?? frequency)
        default:
            return base
        }
    }

    private static func deviceClass(
        _ value: FileValue?, _ settings: SimulationSettings, _ deviceLink: LinkSettings
    ) -> DeviceClass {
        let ownCompute = value?["compute"].map(compute)
        return DeviceClass(
            name: value?["name"]?.text ?? "class", share: value?["share"]?.number ?? 1, compute: ownCompute,
            link: value?["link"].map { link($0, deviceLink) },
            availability: value?["availability"].map(availability),
            energy: value?["energy"].map { energy($0, settings.energy, ownCompute ?? settings.compute) })
    }

    private static func fault(_ value: FileValue?) -> Fault {
        let action = KeyTable.faults.first { value?[$0.kind] != nil }?.kind ?? "partition"
        let whom = value?[action]
        let probability = value?["probability"]?.number ?? 0
        let kind: Fault.Kind =
            switch action {
            case "kill": .kill
            case "slow": .slow(factor: value?["factor"]?.number ?? 1)
            case "skew":
                .clockSkew(offset: value?["offset"]?.duration ?? .zero, rate: value?["rate"]?.number ?? 0)
            case "corrupt": .corrupt(probability)
            case "duplicate": .duplicate(probability)
            case "reorder": .reorder(probability, delay: value?["delay"]?.duration ?? .milliseconds(1))
            case "drop": .drop(probability)
            default: .partition
            }
        return Fault(
            kind: kind, target: whom?["tier"]?.text.map { .tier($0) } ?? .node(NodeName(whom?.text ?? "")),
            from: value?[kind.startKey]?.duration ?? .zero, until: value?[kind.endKey]?.duration)
    }
}

extension Tier {
    /// Whether a node of this name may stand in the tier, as far as the tier itself can tell.
    fileprivate func canHold(_ node: String) -> Bool {
        switch fanOut {
        case .one: false
        case .names(let names): names.contains(node)
        case .count, .perParent:
            node.hasPrefix(name + "-")
                && node.utf8.dropFirst(name.utf8.count + 1).allSatisfy { (48...57).contains($0) }
        }
    }
}
