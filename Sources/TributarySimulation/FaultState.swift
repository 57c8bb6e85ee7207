// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryProtocol
import TributaryTopology

/// A clock that is wrong since `begin`: so far ahead, and so many parts per million faster.
struct ClockSkew {
    let begin: Moment
    let offset: Duration
    let rate: Double
}

/// What faults do at this moment, and to whom.
///
/// One thread runs a simulation; nobody else looks at its state.
final class FaultState: @unchecked Sendable {
    private let deviceTier: String
    private var active: [Fault] = []

    /// How messages fare on one link.
    struct Disturbance {
        var drop = 0.0
        var corrupt = 0.0
        var duplicate = 0.0
        var reorder = 0.0
        var reorderDelay = Duration.zero
    }

    init(deviceTier: String) { self.deviceTier = deviceTier }

    var isQuiet: Bool { active.isEmpty }

    func begin(_ fault: Fault) { active.append(fault) }

    func end(_ fault: Fault) {
        if let position = active.firstIndex(of: fault) { active.remove(at: position) }
    }

    /// Whether a device's link is cut, or the device is down.
    func isDeviceCut(_ name: NodeName) -> Bool { !isQuiet && isCut(name, tier: deviceTier) }

    /// Whether a node's link to its parent is cut, or the node is down.
    func isCut(_ name: NodeName, tier: String) -> Bool {
        active.contains { fault in
            switch fault.kind {
            case .partition, .kill: fault.hits(name, tier: tier)
            case .slow, .clockSkew, .corrupt, .duplicate, .reorder, .drop: false
            }
        }
    }

    /// Whether a node's process is down.
    func isDown(_ name: NodeName, tier: String) -> Bool {
        active.contains { $0.kind == .kill && $0.hits(name, tier: tier) }
    }

    /// What is wrong with a node's clock.
    func skews(_ name: NodeName, tier: String) -> [ClockSkew] {
        active.compactMap { fault in
            guard case .clockSkew(let offset, let rate) = fault.kind, fault.hits(name, tier: tier) else { return nil }
            return ClockSkew(begin: Moment(nanoseconds: fault.from.nanoseconds), offset: offset, rate: rate)
        }
    }

    /// How many times slower a node computes, sends and receives.
    func slowness(_ name: NodeName, tier: String) -> Double {
        active.reduce(1) { factor, fault in
            if case .slow(let more) = fault.kind, fault.hits(name, tier: tier) { factor * more } else { factor }
        }
    }

    /// What happens to messages between a node and its parent.
    func disturbance(_ name: NodeName, tier: String) -> Disturbance? {
        var found: Disturbance?
        for fault in active where fault.hits(name, tier: tier) {
            var state = found ?? Disturbance()
            switch fault.kind {
            case .drop(let probability): state.drop = max(state.drop, probability)
            case .corrupt(let probability): state.corrupt = max(state.corrupt, probability)
            case .duplicate(let probability): state.duplicate = max(state.duplicate, probability)
            case .reorder(let probability, let delay):
                state.reorder = max(state.reorder, probability)
                state.reorderDelay = max(state.reorderDelay, delay)
            case .partition, .kill, .slow, .clockSkew: continue
            }
            found = state
        }
        return found
    }
}

extension Fault {
    /// Whether the fault is about a node of a tier.
    func hits(_ name: NodeName, tier: String) -> Bool {
        switch target {
        case .node(let node): node == name
        case .tier(let named): named == tier
        }
    }
}
