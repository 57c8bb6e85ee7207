// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// Something that goes wrong in a simulation, where, and when.
package struct Fault: Hashable, Sendable {
    /// What goes wrong.
    package enum Kind: Hashable, Sendable {
        /// The link to the parent carries nothing, both ways; what is below the node stays connected to it.
        case partition
        /// The process ends at `from` as if killed, and starts again from its state directory at `until`.
        case kill
        /// A device's batches take `factor` times as long; at least 1.
        case slow(factor: Double)
        /// The node's clock is `offset` ahead (or, negative, behind) and gains `rate` ppm from then on.
        case clockSkew(offset: Duration, rate: Double)
        /// Each message on the link to the parent is damaged with this probability.
        case corrupt(Double)
        /// Each message on the link to the parent arrives twice with this probability.
        case duplicate(Double)
        /// Each message on the link to the parent is held back by `delay`, and overtaken, with this probability.
        case reorder(Double, delay: Duration)
        /// Each message on the link to the parent is lost with this probability.
        case drop(Double)

        /// The name of the kind in files.
        package var name: String {
            switch self {
            case .partition: "partition"
            case .kill: "kill"
            case .slow: "slow"
            case .clockSkew: "skew"
            case .corrupt: "corrupt"
            case .duplicate: "duplicate"
            case .reorder: "reorder"
            case .drop: "drop"
            }
        }
    }

    /// Whom it befalls.
    package enum Target: Hashable, Sendable {
        /// One aggregator or device.
        case node(NodeName)
        /// Every node of the tier with this name.
        case tier(String)
    }

    package var kind: Kind
    package var target: Target
    /// When it begins, in virtual time from the start of the run; at least 0.
    package var from: Duration
    /// When it ends, after `from`; `nil`: it never does.
    package var until: Duration?

    package init(kind: Kind, target: Target, from: Duration = .zero, until: Duration? = nil) {
        self.kind = kind
        self.target = target
        self.from = from
        self.until = until
    }

    /// Whether the fault is there at a moment of virtual time.
    package func isActive(at moment: Duration) -> Bool { moment >= from && until.map { moment < $0 } ?? true }
}
