// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
package import TributaryTopology

/// A registry of the clients that are connected: the population of a deployed node.
package struct ConnectedClients: ClientPopulation {
    /// The clients that the topology puts directly below the node; `nil` when that is not known.
    private let declared: ClientSet?
    private var clients: [NodeName: ClientIndex] = [:]
    private var byIndex: [ClientIndex: NodeName] = [:]

    /// A registry with nobody in it; `declared` is the domain of counted draws.
    package init(declared: ClientSet? = nil) {
        self.declared = declared
    }

    package var count: UInt64 { UInt64(clients.count) }

    package var names: [NodeName] { everybody.map(\.name) }

    /// Adds a client, or takes its new index or name; an index has one holder.
    package mutating func join(_ client: ClientIndex, name: NodeName) {
        if let old = clients.updateValue(client, forKey: name), old != client { byIndex[old] = nil }
        if let other = byIndex.updateValue(name, forKey: client), other != name { clients[other] = nil }
    }

    /// Forgets a client; returns whether it was connected.
    package mutating func leave(_ name: NodeName) -> Bool {
        guard let client = clients.removeValue(forKey: name) else { return false }
        byIndex[client] = nil
        return true
    }

    /// The client index behind a name, while it is connected.
    package func client(named name: NodeName) -> ClientIndex? { clients[name] }

    /// Chooses among the connected: O(connected) for a share, O(count) for a count when most of the declared are here.
    package func choose(
        _ selection: Selection, round: UInt32, seed: UInt64, at now: Moment
    ) -> [ChosenClient] {
        switch selection {
        case .fraction(let fraction, let overSelect):
            let threshold = fraction * overSelect
            guard threshold < 1 else { return everybody }
            return chosen(byIndex.keys.filter { Cohort.draw(seed: seed, round: round, client: $0) < threshold })
        case .count(let count, let overSelect):
            let asked = Cohort.asked(count, overSelect: overSelect)
            guard asked < byIndex.count else { return everybody }
            let domain = domain
            let permutation = Cohort.permutation(of: domain, round: round, seed: seed)
            // Either way finds the same clients; a walk over a domain where few are connected would be the longer one.
            let steps = Double(asked) * Double(domain.count) / Double(byIndex.count)
            return steps < Double(byIndex.count)
                ? chosen(permutation.walk(asked) { byIndex[$0] != nil })
                : chosen(permutation.first(asked, of: byIndex.keys))
        }
    }

    /// Whom a counted draw is made among: the declared, and those that came because their parent is gone.
    private var domain: ClientSet {
        let connected = byIndex.keys.filter { declared?.contains($0) != true }.map { $0.value..<($0.value + 1) }
        return connected.isEmpty ? declared ?? ClientSet() : ClientSet(union: (declared?.ranges ?? []) + connected)
    }

    private var everybody: [ChosenClient] { chosen(Array(byIndex.keys)) }

    private func chosen(_ clients: [ClientIndex]) -> [ChosenClient] {
        clients.sorted().compactMap { client in byIndex[client].map { ChosenClient(client: client, name: $0) } }
    }
}
