// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// A connected child.
package struct Child: Hashable, Sendable {
    package var name: NodeName
    package var role: Hello.Role
    /// Connected clients: 1 for a client, what it said last for an aggregator.
    package var clientCount: UInt64
}

/// Who is connected below a node: aggregators one by one, clients as the population tells.
package struct Membership: Sendable {
    package private(set) var clients: any ClientPopulation
    private var aggregators: [NodeName: Child] = [:]
    /// Clients below the aggregators.
    private var clientCountBelow: UInt64 = 0

    package init(clients: any ClientPopulation = ConnectedClients()) {
        self.clients = clients
    }

    /// Clients connected below the node.
    package var clientCount: UInt64 { clientCountBelow + clients.count }

    /// The number of connected children.
    package var count: Int { aggregators.count + Int(clamping: clients.count) }

    /// The connected aggregators in order of name.
    package var allAggregators: [Child] { aggregators.values.sorted { $0.name < $1.name } }

    /// Everybody who must hear of the end of a run: aggregators by name, then clients by index.
    package var names: [NodeName] { aggregators.keys.sorted() + clients.names }

    /// The connected child of a name.
    package subscript(name: NodeName) -> Child? {
        aggregators[name]
            ?? clients.client(named: name).map { Child(name: name, role: .client($0), clientCount: 1) }
    }

    /// Whether a child is connected.
    package func contains(_ name: NodeName) -> Bool {
        aggregators[name] != nil || clients.client(named: name) != nil
    }

    /// Adds a child, or replaces it when it comes back.
    package mutating func join(_ name: NodeName, role: Hello.Role) {
        remove(name)
        switch role {
        case .client(let client): clients.join(client, name: name)
        case .aggregator: aggregators[name] = Child(name: name, role: role, clientCount: 0)
        }
    }

    /// Takes an aggregator's word for the clients below it.
    package mutating func ready(_ name: NodeName, clientCount count: UInt64) {
        guard let child = aggregators[name] else { return }
        clientCountBelow = clientCountBelow - child.clientCount + count
        aggregators[name]?.clientCount = count
    }

    /// Forgets a child; returns whether it was connected.
    @discardableResult
    package mutating func remove(_ name: NodeName) -> Bool {
        guard let child = aggregators.removeValue(forKey: name) else { return clients.leave(name) }
        clientCountBelow -= child.clientCount
        return true
    }
}
