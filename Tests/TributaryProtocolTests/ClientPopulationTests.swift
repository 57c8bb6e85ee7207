// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryProtocol
import TributaryTestSupport
import TributaryTopology

/// The registry of a deployed node, under the laws of every population and under its own.
struct ClientPopulationTests {
    static func device(_ index: UInt64) -> ChosenClient {
        ChosenClient(client: ClientIndex(index), name: NodeName("d-\(index)"))
    }

    /// A registry that `clients` joined in the order given.
    static func registry(_ clients: [ChosenClient], declared: ClientSet?) -> ConnectedClients {
        var registry = ConnectedClients(declared: declared)
        for chosen in clients { registry.join(chosen.client, name: chosen.name) }
        return registry
    }

    @Test("the laws hold for any domain, however few of it are connected, in any order of arrival")
    func laws() {
        var random = Generator(seed: 1)
        for declared in [ClientSet(0..<1), ClientSet(5..<205), ClientSet(union: [3..<40, 1000..<1100, 7000..<7001])] {
            for step in [1, 2, 50] {
                let connected = declared.indices.filter { Int($0.value) % step == 0 }.map { Self.device($0.value) }
                let laws = PopulationLaws(declared: declared, connected: connected)
                for _ in 0..<3 {
                    let arrivals = connected.shuffled(using: &random)
                    #expect(laws.violations(of: Self.registry(arrivals, declared: declared)) == [])
                }
            }
        }
    }

    @Test("without a declared set, those who are connected are the domain")
    func lawsWithoutADomain() {
        let connected = [2, 3, 5, 8, 13, 21, 34, 55].map { Self.device($0) }
        let laws = PopulationLaws(
            declared: ClientSet(union: connected.map { $0.client.value..<($0.client.value + 1) }), connected: connected)
        #expect(laws.violations(of: Self.registry(connected.reversed(), declared: nil)) == [])
    }

    @Test("who leaves is gone, who returns counts once, and an index has one holder")
    func comingAndGoing() {
        var registry = Self.registry((0..<10).map { Self.device($0) }, declared: ClientSet(0..<10))
        let (three, four) = (NodeName("d-3"), NodeName("d-4"))
        let left = [registry.leave(three), registry.leave(three)]
        #expect(left == [true, false])
        #expect(registry.client(named: three) == nil)
        registry.join(ClientIndex(4), name: four)
        #expect(registry.count == 9)
        registry.join(ClientIndex(4), name: NodeName("other"))
        #expect(registry.count == 9)
        #expect(registry.client(named: four) == nil)
        let names = registry.names.map(\.value)
        #expect(names == ["d-0", "d-1", "d-2", "other", "d-5", "d-6", "d-7", "d-8", "d-9"])
    }
}
