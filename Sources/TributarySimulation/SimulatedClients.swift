// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryProtocol
import TributaryTopology

/// The devices below a simulated node: arithmetic on client indices, whatever their number.
///
/// All of them count as connected; who is awake and not cut off can be chosen.
struct SimulatedClients: ClientPopulation {
    let tree: Tree
    let declared: ClientSet
    let fleet: Fleet
    let faults: FaultState

    var count: UInt64 { declared.count }

    var names: [NodeName] { [] }

    mutating func join(_ client: ClientIndex, name: NodeName) {}

    mutating func leave(_ name: NodeName) -> Bool { client(named: name) != nil }

    func client(named name: NodeName) -> ClientIndex? {
        guard let client = tree.client(named: name), declared.contains(client) else { return nil }
        return client
    }

    func choose(_ selection: Selection, round: UInt32, seed: UInt64, at now: Moment) -> [ChosenClient] {
        let chosen: [ClientIndex]
        switch selection {
        case .fraction(let fraction, let overSelect):
            let threshold = fraction * overSelect
            chosen = declared.indices.filter { client in
                (threshold >= 1 || Cohort.draw(seed: seed, round: round, client: client) < threshold)
                    && isReachable(client, at: now)
            }
        case .count(let count, let overSelect):
            chosen = Cohort.permutation(of: declared, round: round, seed: seed)
                .walk(Cohort.asked(count, overSelect: overSelect)) { isReachable($0, at: now) }
        }
        return chosen.map { ChosenClient(client: $0, name: tree.deviceName($0)) }
    }

    private func isReachable(_ client: ClientIndex, at now: Moment) -> Bool {
        fleet.availability(of: client).isAwake(client, at: now)
            && (faults.isQuiet || !faults.isDeviceCut(tree.deviceName(client)))
    }
}
