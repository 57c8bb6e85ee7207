// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

// The section `simulate` as it is written out: every default, in one order.

extension SimulationSettings {
    /// The section as a document; links in the order of the tiers.
    func canonical(tiers: [String]) -> PlainValue {
        let named = tiers.filter { links[$0] != nil } + links.keys.filter { !tiers.contains($0) }.sorted()
        var fields: [PlainValue.Field] = []
        if !named.isEmpty {
            fields.append(.init("links", .mapping(named.map { .init($0, link(ofTier: $0).canonical) })))
        }
        if !nodeLinks.isEmpty {
            let entries = nodeLinks.sorted { $0.key < $1.key }.map { PlainValue.Field($0.key, $0.value.canonical) }
            fields.append(.init("node-links", .mapping(entries)))
        }
        fields.append(.init("compute", compute.canonical))
        fields.append(.init("availability", availability.canonical))
        fields.append(.init("energy", energy.canonical))
        if !classes.isEmpty { fields.append(.init("classes", .list(classes.map(\.canonical)))) }
        if !faults.isEmpty { fields.append(.init("faults", .list(faults.map(\.canonical)))) }
        return .mapping(fields)
    }
}

extension LinkSettings {
    var canonical: PlainValue {
        let up = PlainValue.quantity(bandwidthUp, .bandwidth)
        let down = PlainValue.quantity(bandwidthDown, .bandwidth)
        return .mapping([
            .init("bandwidth", up == down ? up : .mapping([.init("up", up), .init("down", down)])),
            .init("latency", .duration(latency)), .init("jitter", .duration(jitter)), .init("loss", .number(loss)),
        ])
    }
}

extension ComputeModel {
    var canonical: PlainValue {
        let kind = PlainValue.Field("kind", .text(kindName))
        switch self {
        case .constant(let time):
            return .mapping([kind, .init("time", .duration(time))])
        case .lognormal(let median, let sigma):
            return .mapping([kind, .init("median", .duration(median)), .init("sigma", .number(sigma))])
        case .cpu(let frequency, let cyclesPerBit):
            return .mapping([
                kind, .init("frequency", .quantity(frequency, .frequency)),
                .init("cycles-per-bit", .number(cyclesPerBit)),
            ])
        }
    }
}

extension AvailabilityModel {
    var canonical: PlainValue {
        let kind = PlainValue.Field("kind", .text(kindName))
        switch self {
        case .always:
            return .mapping([kind])
        case .diurnal(let mean, let amplitude, let peak, let zones):
            return .mapping([
                kind, .init("mean", .number(mean)), .init("amplitude", .number(amplitude)),
                .init("peak", .duration(peak)), .init("zones", .list(zones.map { .number($0) })),
            ])
        case .markov(let up, let down):
            return .mapping([kind, .init("up", .duration(up)), .init("down", .duration(down))])
        case .trace(let path):
            return .mapping([kind, .init("path", .text(path))])
        }
    }
}

extension EnergyModel {
    var canonical: PlainValue {
        .mapping([
            .init("compute", compute.canonical), .init("transmit", .quantity(transmitPower, .power)),
            .init("receive", .quantity(receivePower, .power)),
        ])
    }
}

extension ComputeEnergy {
    var canonical: PlainValue {
        let kind = PlainValue.Field("kind", .text(kindName))
        switch self {
        case .power(let watts):
            return .mapping([kind, .init("draw", .quantity(watts, .power))])
        case .capacitance(let alpha, let frequency):
            return .mapping([
                kind, .init("alpha", .number(alpha)), .init("frequency", .quantity(frequency, .frequency)),
            ])
        }
    }
}

extension DeviceClass {
    var canonical: PlainValue {
        var fields: [PlainValue.Field] = [.init("name", .text(name)), .init("share", .number(share))]
        if let compute { fields.append(.init("compute", compute.canonical)) }
        if let link { fields.append(.init("link", link.canonical)) }
        if let availability { fields.append(.init("availability", availability.canonical)) }
        if let energy { fields.append(.init("energy", energy.canonical)) }
        return .mapping(fields)
    }
}

extension Fault {
    var canonical: PlainValue {
        let whom: PlainValue =
            switch target {
            case .node(let name): .text(name.value)
            case .tier(let name): .mapping([.init("tier", .text(name))])
            }
        var fields: [PlainValue.Field] = [.init(kind.name, whom)]
        switch kind {
        case .partition, .kill:
            break
        case .slow(let factor):
            fields.append(.init("factor", .number(factor)))
        case .clockSkew(let offset, let rate):
            fields.append(.init("offset", .duration(offset)))
            fields.append(.init("rate", .quantity(rate, .rate)))
        case .corrupt(let probability), .duplicate(let probability), .drop(let probability):
            fields.append(.init("probability", .number(probability)))
        case .reorder(let probability, let delay):
            fields.append(.init("probability", .number(probability)))
            fields.append(.init("delay", .duration(delay)))
        }
        fields.append(.init(kind.startKey, .duration(from)))
        if let until { fields.append(.init(kind.endKey, .duration(until))) }
        return .mapping(fields)
    }
}

extension Fault.Kind {
    /// The key of the fault's beginning.
    package var startKey: String { self == .kill ? "at" : "from" }
    /// The key of the fault's end.
    package var endKey: String { self == .kill ? "restart" : "to" }
}
