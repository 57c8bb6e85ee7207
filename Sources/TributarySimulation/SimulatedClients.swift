// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import TributaryCore
internal import TributaryProtocol
internal import TributaryTopology

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
        Cohort.choose(selection, from: declared, round: round, seed: seed) { client in
            fleet.availability(of: client).isAwake(client, at: now)
                && (faults.isQuiet || !faults.isDeviceCut(tree.deviceName(client)))
        }.map { ChosenClient(client: $0, name: tree.deviceName($0)) }
    }
}
