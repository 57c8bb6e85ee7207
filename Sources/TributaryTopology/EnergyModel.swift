// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// The formulas and the default constants are those of HierFAVG (Liu, Zhang, Song and Letaief 2020, "Client-Edge-Cloud
// Hierarchical Federated Learning", https://arxiv.org/abs/1905.06641): E_comp = alpha / 2 x cycles x f^2, E_comm =
// p x time, with alpha = 2e-28, f = 1 GHz, p = 0.5 W. The paper counts nothing for receiving, and neither does the
// default.

/// What a device spends on computing and on its radio.
package struct EnergyModel: Hashable, Sendable {
    package var compute: ComputeEnergy
    /// Drawn while the device sends, in watts, at least 0.
    package var transmitPower: Double
    /// Drawn while the device receives, in watts, at least 0.
    package var receivePower: Double

    /// HierFAVG's constants: 0.1 nJ a cycle, that is 0.1 W at 1 GHz, 0.5 W while sending, nothing for receiving.
    package static let `default` = EnergyModel()

    package init(
        compute: ComputeEnergy = .default, transmitPower: Double = EnergyModel.transmitPowerDefault,
        receivePower: Double = EnergyModel.receivePowerDefault
    ) {
        self.compute = compute
        self.transmitPower = transmitPower
        self.receivePower = receivePower
    }

    /// In watts.
    package static let transmitPowerDefault = 0.5
    /// In watts.
    package static let receivePowerDefault = 0.0
}

/// What a device spends on computing.
package enum ComputeEnergy: Hashable, Sendable {
    /// A constant draw while it computes, at least 0.
    case power(watts: Double)
    /// `alpha / 2 x cycles x frequency^2` joules, where `cycles = computing time x frequency` (Hz); both are positive.
    ///
    /// `alpha` is the chip's effective capacitance in farads.
    case capacitance(alpha: Double, frequency: Double)

    /// In farads.
    package static let alphaDefault = 2e-28
    /// In hertz.
    package static let frequencyDefault = 1e9
    /// HierFAVG's processor.
    package static let `default` = ComputeEnergy.capacitance(alpha: alphaDefault, frequency: frequencyDefault)

    /// The name of the kind in files.
    package var kindName: String {
        switch self {
        case .power: "power"
        case .capacitance: "capacitance"
        }
    }

    /// The draw while the device computes, in watts: `alpha / 2 x frequency^3` for a capacitance.
    package var watts: Double {
        switch self {
        case .power(let watts): watts
        case .capacitance(let alpha, let frequency): alpha / 2 * frequency * frequency * frequency
        }
    }
}
