// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// The clients directly below a node: a registry of connections in a deployment, arithmetic on indices in a simulation.
///
/// A node's machines ask these questions and no others; nothing else in the room walks clients outside a cohort.
package protocol ClientPopulation: Sendable {
    /// Clients that count as connected.
    var count: UInt64 { get }

    /// A client said hello and was welcomed, for the first time or again.
    mutating func join(_ client: ClientIndex, name: NodeName)

    /// A client is gone; returns whether it was connected.
    mutating func leave(_ name: NodeName) -> Bool

    /// The connected client of a name; `nil` when it is not connected. Asked for every message of a client.
    func client(named name: NodeName) -> ClientIndex?

    /// The connected clients that a selection chooses for a round, in ascending order of client index.
    ///
    /// A function of the selection, round, seed and who is connected: the order in which clients came is of no account.
    func choose(_ selection: Selection, round: UInt32, seed: UInt64, at now: Moment) -> [ChosenClient]

    /// The connected clients that must be told about the end of a run, in ascending order of client index.
    var names: [NodeName] { get }
}

/// A client that takes part in a round.
package struct ChosenClient: Hashable, Sendable {
    package var client: ClientIndex
    package var name: NodeName

    package init(client: ClientIndex, name: NodeName) {
        self.client = client
        self.name = name
    }
}
