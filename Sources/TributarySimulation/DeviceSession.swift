// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryProtocol

/// A device while it has a part in a round; before and after, it does not exist.
final class DeviceSession {
    /// An object on its way to the device.
    struct Fetch {
        var object: ObjectReference
        /// Bytes that travel; fewer than the object has when some came before.
        var rest: UInt64
        var begin: Moment
        var end: Moment
    }

    let client: ClientIndex
    let name: NodeName
    let node: SimulatedNode
    var machine: ClientMachine
    /// The number of its first update.
    let sequence: UInt64
    var link: SimulatedLink
    /// The base model that it holds.
    var model: (digest: Digest, vector: ModelVector)?
    var fetch: Fetch?
    /// Leading bytes of a model whose transfer broke.
    var held: (digest: Digest, byteCount: UInt64)?
    /// The work of the plan that is on its way to the device, begun ahead of time.
    var ahead: TrainingTask?
    /// Deltas that its parent may fetch.
    var bodies: [Digest: TrainingTask] = [:]
    /// Whether it is awake and its connection stands.
    var isOnline = true
    var isEnded = false
    /// Whether it said hello and has heard nothing yet.
    var isGreeting = false
    /// How often its process started: what one began, the next does not finish.
    var starts: UInt32 = 0
    /// When it next wakes up or falls asleep, once that is scheduled.
    var nextChange: Moment?
    /// What the machine said last: whether no plan is at hand, and when it wants to hear that time has passed.
    var isIdle = true
    var nextAlarm: Moment?
    /// Messages on their way to it.
    var inboundCount = 0
    /// The next alarm that is scheduled.
    var alarm: (moment: Moment, ticket: EventQueue<SimulationEvent>.Ticket)?

    init(
        client: ClientIndex, name: NodeName, node: SimulatedNode, machine: ClientMachine, sequence: UInt64,
        link: SimulatedLink
    ) {
        self.client = client
        self.name = name
        self.node = node
        self.machine = machine
        self.sequence = sequence
        self.link = link
    }
}
