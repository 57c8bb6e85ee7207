// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryProtocol
import TributaryTestSupport
import TributaryTopology

@testable import TributarySimulation

@Suite struct SimulatedClientsTests {
    private static func clients(
        _ fleet: SmallFleet, _ faults: [Fault] = [], position: Int = 0
    ) throws -> (clients: SimulatedClients, tree: Tree) {
        let tree = try Tree(fleet.topology)
        let state = FaultState(deviceTier: "device")
        for fault in faults { state.begin(fault) }
        let clients = SimulatedClients(
            tree: tree, declared: tree.aggregators[position].devices, fleet: Fleet(tree, traces: nil), faults: state)
        return (clients, tree)
    }

    @Test("a fleet that is always awake keeps the laws of populations", arguments: [(40, 0), (7, 2)])
    func laws(_ devices: Int, _ position: Int) throws {
        let aggregators: [UInt64] = position == 0 ? [] : [3]
        let (clients, tree) = try Self.clients(
            SmallFleet(aggregators: aggregators, devices: UInt64(devices)), position: position)
        let connected = clients.declared.indices.map { ChosenClient(client: $0, name: tree.deviceName($0)) }
        #expect(connected.count == devices)
        #expect(PopulationLaws(declared: clients.declared, connected: connected).violations(of: clients) == [])
    }

    @Test("who sleeps or is cut off is not chosen, and others come in their place")
    func reachable() throws {
        let fleet = SmallFleet(devices: 60).with {
            $0.simulation.availability = .markov(up: .seconds(50), down: .seconds(50))
        }
        let cut = Fault(kind: .partition, target: .node(NodeName("device-5")))
        let down = Fault(kind: .kill, target: .node(NodeName("device-6")))
        let (clients, tree) = try Self.clients(fleet, [cut, down])
        let now = Moment(nanoseconds: 123_000_000_000)
        let availability = Fleet(tree, traces: nil)
        let awake = clients.declared.indices.filter { client in
            availability.availability(of: client).isAwake(client, at: now) && ![5, 6].contains(client.value)
        }
        #expect(awake.count > 15 && awake.count < 45)
        let all = clients.choose(.all, round: 1, seed: 1, at: now).map(\.client)
        #expect(all == awake)
        let some = clients.choose(.count(10, overSelect: 1), round: 1, seed: 1, at: now).map(\.client)
        #expect(some.count == 10 && Set(some).isSubset(of: awake))
        let many = clients.choose(.count(59, overSelect: 1), round: 1, seed: 1, at: now).map(\.client)
        #expect(many == awake)
    }

    @Test("a fault of a tier is one of each of its nodes, for as long as it lasts")
    func faultState() {
        let state = FaultState(deviceTier: "device")
        let one = Fault(kind: .partition, target: .node(NodeName("device-1")))
        let all = Fault(kind: .kill, target: .tier("device"))
        #expect(state.isQuiet)
        state.begin(one)
        #expect(state.isDeviceCut(NodeName("device-1")) && !state.isDeviceCut(NodeName("device-2")))
        state.begin(all)
        #expect(state.isDeviceCut(NodeName("device-2")))
        #expect(!state.isCut(NodeName("a-1"), tier: "a"))
        state.end(one)
        #expect(state.isDeviceCut(NodeName("device-1")))
        state.end(all)
        #expect(state.isQuiet && !state.isDeviceCut(NodeName("device-1")))
    }

    @Test("slowness multiplies; of disturbances the worst counts")
    func disturbances() throws {
        let state = FaultState(deviceTier: "device")
        let name = NodeName("device-1")
        for fault in [
            Fault(kind: .slow(factor: 3), target: .node(name)), Fault(kind: .slow(factor: 2), target: .tier("device")),
            Fault(kind: .drop(0.1), target: .node(name)), Fault(kind: .drop(0.4), target: .tier("device")),
            Fault(kind: .reorder(0.2, delay: .seconds(2)), target: .node(name)),
        ] { state.begin(fault) }
        #expect(state.slowness(name, tier: "device") == 6)
        #expect(state.slowness(NodeName("device-2"), tier: "device") == 2)
        let found = try #require(state.disturbance(name, tier: "device"))
        #expect(found.drop == 0.4 && found.reorder == 0.2 && found.reorderDelay == .seconds(2) && found.corrupt == 0)
        #expect(state.disturbance(NodeName("x"), tier: "cloud") == nil)
    }
}
