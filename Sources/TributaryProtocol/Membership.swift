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

/// Who is connected below a node; holds those, never the whole population.
package struct Membership: Sendable {
    private var children: [NodeName: Child] = [:]

    package init() {}

    /// Clients connected below the node.
    package private(set) var clientCount: UInt64 = 0

    /// The number of connected children.
    package var count: Int { children.count }

    /// The connected children in order of name.
    package var all: [Child] { children.values.sorted { $0.name < $1.name } }

    /// The connected child of a name.
    package subscript(name: NodeName) -> Child? { children[name] }

    /// Adds a child, or replaces it when it comes back.
    package mutating func join(_ name: NodeName, role: Hello.Role) {
        remove(name)
        let count: UInt64 = if case .client = role { 1 } else { 0 }
        children[name] = Child(name: name, role: role, clientCount: count)
        clientCount += count
    }

    /// Takes an aggregator's word for the clients below it; a client always counts as one.
    package mutating func ready(_ name: NodeName, clientCount count: UInt64) {
        guard var child = children[name], child.role == .aggregator else { return }
        clientCount = clientCount - child.clientCount + count
        child.clientCount = count
        children[name] = child
    }

    /// Forgets a child; returns whether it was connected.
    @discardableResult
    package mutating func remove(_ name: NodeName) -> Bool {
        guard let child = children.removeValue(forKey: name) else { return false }
        clientCount -= child.clientCount
        return true
    }
}
