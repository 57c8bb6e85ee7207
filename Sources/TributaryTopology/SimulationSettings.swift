// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// What a simulation assumes about links, devices and trouble; a deployment never reads it.
///
/// Nothing here changes what is learnt when nobody is late, so nodes do not compare it.
package struct SimulationSettings: Hashable, Sendable {
    /// By tier name: the link from each node of the tier to its parent; `LinkSettings.default` for tiers not listed.
    package var links: [String: LinkSettings]
    /// By node name, aggregator or device: the node's own link to its parent, before its class's and its tier's.
    package var nodeLinks: [String: LinkSettings]
    /// How long a device trains.
    package var compute: ComputeModel
    /// When devices are reachable.
    package var availability: AvailabilityModel
    /// What devices spend.
    package var energy: EnergyModel
    /// Kinds of devices, each drawn with its share; empty: all devices are as the fields above say.
    package var classes: [DeviceClass]
    /// What goes wrong and when, in the file's order.
    package var faults: [Fault]

    package init(
        links: [String: LinkSettings] = [:], nodeLinks: [String: LinkSettings] = [:],
        compute: ComputeModel = .default, availability: AvailabilityModel = .always,
        energy: EnergyModel = .default, classes: [DeviceClass] = [], faults: [Fault] = []
    ) {
        self.links = links
        self.nodeLinks = nodeLinks
        self.compute = compute
        self.availability = availability
        self.energy = energy
        self.classes = classes
        self.faults = faults
    }

    /// The link of the nodes of a tier to their parents.
    package func link(ofTier name: String) -> LinkSettings { links[name] ?? .default }
}

/// Devices of one kind; `nil` keeps what the simulation says for all.
package struct DeviceClass: Hashable, Sendable {
    /// Letters a-z, digits and `-`; no two classes have the same name.
    package var name: String
    /// How many of the devices are of the class, relative to the sum of all classes' shares; positive.
    package var share: Double
    package var compute: ComputeModel?
    /// The link of the class's devices to their parents, in place of the device tier's.
    package var link: LinkSettings?
    package var availability: AvailabilityModel?
    package var energy: EnergyModel?

    package init(
        name: String, share: Double, compute: ComputeModel? = nil, link: LinkSettings? = nil,
        availability: AvailabilityModel? = nil, energy: EnergyModel? = nil
    ) {
        self.name = name
        self.share = share
        self.compute = compute
        self.link = link
        self.availability = availability
        self.energy = energy
    }
}
