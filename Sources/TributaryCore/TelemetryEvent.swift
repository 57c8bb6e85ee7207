// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// What a node tells its operator: facts of rounds and members, never parameters, updates or keys.
package enum TelemetryEvent: Hashable, Sendable {
    /// A child said hello and was welcomed; `clientCount` clients are now connected below the node.
    case childJoined(NodeName, clientCount: UInt64)
    /// A child is gone, on purpose or not.
    case childGone(NodeName, ReasonCode, clientCount: UInt64)
    /// The node's own parent welcomed it.
    case welcomed
    /// The connection to the parent is gone; the node reconnects by itself.
    case parentGone
    /// The root waits: `connected` of `expected` clients are there, `needed` must be.
    case gathering(connected: UInt64, needed: UInt64, expected: UInt64)
    /// A round was opened below the node.
    case roundOpened(RoundNumber, evaluate: Bool, chosen: UInt64)
    /// The node has started again and goes on with a round, in which clients have a receipt already.
    case roundResumed(RoundNumber, reported: UInt64)
    /// An update or sum was folded.
    case accepted(NodeName, RoundNumber, contributors: UInt64)
    /// Something from a peer, or from the node itself, was refused; nothing of it was used.
    case refused(NodeName, ReasonCode, text: String)
    /// A chosen member takes no further part in the round.
    case dropped(NodeName, RoundNumber, ReasonCode)
    /// Collecting ended at the node.
    case roundCollected(RoundNumber, reported: UInt64, chosen: UInt64, reason: ReasonCode?)
    /// A round's outcome.
    case roundClosed(RoundNumber, RoundClosed.Outcome)
    /// The node holds a new model.
    case stepped(RoundNumber, model: Digest)
    /// Metrics of a model: on the root's held-out set (`distributed` false) or summed over the devices.
    case evaluated(round: UInt32, distributed: Bool, metrics: [MetricCounter])
    /// Metrics that the devices reported while training.
    case trained(RoundNumber, metrics: [MetricCounter])
    /// The node cannot promise anything for want of space, or can again.
    case storageFull(Bool)
    /// A client began or finished local work.
    case training(RoundNumber)
    case uploaded(RoundNumber)
    /// The run is over.
    case finished(ReasonCode?)
}
