// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryProtocol
import TributaryRing
import TributaryTestSupport
import TributaryTopology

/// A population without memory: every third of its clients is out of reach, the others never say hello.
struct ArithmeticClients: ClientPopulation {
    let declared: ClientSet

    func isReachable(_ client: ClientIndex) -> Bool { !client.value.isMultiple(of: 3) }

    var count: UInt64 { declared.count - (declared.count + 2) / 3 }
    var names: [NodeName] { [] }
    mutating func join(_ client: ClientIndex, name: NodeName) {}
    mutating func leave(_ name: NodeName) -> Bool { false }

    func client(named name: NodeName) -> ClientIndex? {
        UInt64(name.value.dropFirst(2)).map { ClientIndex($0) }.flatMap { isReachable($0) ? $0 : nil }
    }

    func choose(_ selection: Selection, round: UInt32, seed: UInt64, at now: Moment) -> [ChosenClient] {
        let chosen: [ClientIndex]
        switch selection {
        case .fraction(let fraction, let overSelect):
            chosen = declared.indices.filter {
                isReachable($0) && Cohort.draw(seed: seed, round: round, client: $0) < fraction * overSelect
            }
        case .count(let count, let overSelect):
            chosen = Cohort.permutation(of: declared, round: round, seed: seed)
                .walk(Cohort.asked(count, overSelect: overSelect), isReachable: isReachable)
        }
        return chosen.map { ClientPopulationTests.device($0.value) }
    }
}

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

    @Test("a population without memory keeps the same laws")
    func lawsOfArithmetic() {
        let population = ArithmeticClients(declared: ClientSet(0..<100))
        let connected = population.declared.indices.filter(population.isReachable).map { Self.device($0.value) }
        #expect(PopulationLaws(declared: population.declared, connected: connected).violations(of: population) == [])
    }

    @Test("a node with a hundred million clients, none of whom said hello, asks ten of them")
    func aRootOverArithmetic() throws {
        let population = ArithmeticClients(declared: ClientSet(0..<100_000_000))
        let ring = try RingParameters(deltaBound: 8, weightMax: 1024, cohortMax: 1024)
        let root = AggregatorConfiguration.Root(
            roundCount: 1, deadline: .seconds(60), seed: 1, selection: .count(10, overSelect: 1),
            train: TrainSettings(work: .epochs(1), batch: 8, optimizer: .sgd(learningRate: 0.1, momentum: 0)))
        let configuration = AggregatorConfiguration(
            node: NodeName("cloud"), root: root,
            stepping: .init(optimizer: .fedAvg(learningRate: 1), edgeRounds: 1, ring: ring), quorum: 1,
            expectedClientCount: population.count, children: MemoryTree.Directory(roles: [:]), topology: nil)
        var machine = AggregatorMachine(
            configuration: configuration, run: RunID("test"), layout: try MemoryTree.layout(), model: RetryTests.model,
            clients: population)
        let asked = machine.handle(.alarm, at: Moment(nanoseconds: 0)).compactMap { action -> NodeName? in
            guard case .send(let envelope, .child(let name)) = action, case .plan = envelope.message else { return nil }
            return name
        }
        let chosen = population.choose(root.selection, round: 1, seed: 1, at: Moment(nanoseconds: 0))
        #expect(asked == chosen.map(\.name))
        #expect(asked.count == 10)
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
