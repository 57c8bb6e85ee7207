// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryTopology

// What goes wrong, as the topology says.

extension EventDriver {
    /// Begins or ends a fault.
    mutating func play(_ fault: Fault, _ index: Int, begins: Bool) {
        if begins {
            faults.begin(fault)
            if let end = fault.until {
                events.push(.fault(index, begins: false), at: Moment(nanoseconds: end.nanoseconds))
            }
        } else {
            faults.end(fault)
        }
        switch fault.kind {
        case .partition: begins ? partition(fault) : heal(fault)
        case .kill: begins ? kill(fault) : restart(fault)
        case .clockSkew:
            for node in nodes where fault.hits(node.name, tier: node.tierName) {
                node.skews = faults.skews(node.name, tier: node.tierName)
                scheduleAlarm(node)
            }
        case .slow, .corrupt, .duplicate, .reorder, .drop: break
        }
    }

    /// The devices that a fault is about and that take part in a round.
    private mutating func sessions(hit fault: Fault) -> [DeviceSession] {
        nodes.flatMap { node in
            node.sessions.values.filter { fault.hits($0.name, tier: deviceTierName) }.sorted { $0.client < $1.client }
        }
    }

    private mutating func partition(_ fault: Fault) {
        for node in nodes where fault.hits(node.name, tier: node.tierName) {
            cut(node, noticedAfter: Self.livenessTime)
        }
        for session in sessions(hit: fault) { deviceChanges(session) }
    }

    private mutating func heal(_ fault: Fault) {
        for node in nodes where fault.hits(node.name, tier: node.tierName) {
            events.push(.connect(node), at: now + reconnectPause(&node.link.random))
        }
        for session in sessions(hit: fault) {
            events.push(.deviceChanges(session), at: now + reconnectPause(&session.link.random))
        }
    }

    private mutating func kill(_ fault: Fault) {
        for session in sessions(hit: fault) {
            goOffline(session)
            events.push(
                .deviceMissed(session, connection: session.link.connection),
                at: now + .nanoseconds(session.link.down.delay))
            if fault.until == nil { end(session) } else { forget(session) }
        }
        for node in nodes where fault.hits(node.name, tier: node.tierName) {
            node.isAlive = false
            scheduleAlarm(node)
            cut(node, noticedAfter: .nanoseconds(node.link.up.delay))
            node.bench.forgetAllButDisk()
            node.wanted = [:]
            for child in children(of: node) { cut(child, noticedAfter: .zero) }
            for session in node.sessions.values.sorted(by: { $0.client < $1.client }) { goOffline(session) }
        }
    }

    private mutating func restart(_ fault: Fault) {
        for session in sessions(hit: fault) {
            events.push(.deviceChanges(session), at: now + reconnectPause(&session.link.random))
        }
        // Another fault may hold a node down for longer.
        for node in nodes where fault.hits(node.name, tier: node.tierName) {
            guard !node.isAlive, !faults.isDown(node.name, tier: node.tierName) else { continue }
            start(node)
            for child in children(of: node) {
                events.push(.connect(child), at: now + reconnectPause(&child.link.random))
            }
            for session in node.sessions.values.sorted(by: { $0.client < $1.client }) {
                events.push(.deviceChanges(session), at: now + reconnectPause(&session.link.random))
            }
        }
    }

    private mutating func children(of node: SimulatedNode) -> [SimulatedNode] {
        node.children.values.sorted { $0.position < $1.position }
    }
}
