// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryBus
import TributaryCore
import TributaryLearning
import TributaryProtocol
import TributaryRing
import TributarySimulation
import TributaryTopology

/// A simulated fleet's client-rounds per second, against what the same threads reach when they only train.
///
/// What is timed is what a user pays: machines, messages, links, training, sums and steps of every round. The limit
/// trains the same jobs without a tree: no plan, no message, no sum.
enum SimulationBenchmark {
    /// One fleet and its work.
    struct Case {
        var name: String
        var clientCount: UInt64
        var exampleCount: Int
        var featureCount: Int
        var hidden: Int
        var batch: UInt32
        /// Client-rounds of one repetition, about.
        var clientRoundCount: UInt64

        /// 2,410 parameters, 64 rows a client, four steps.
        static func small(clientCount: UInt64) -> Case {
            Case(
                name: "64-32-10, \(clientCount) clients", clientCount: clientCount, exampleCount: 64, featureCount: 64,
                hidden: 32, batch: 16, clientRoundCount: 40_000)
        }

        /// 101,770 parameters, 600 rows a client, 19 steps.
        static let large = Case(
            name: "784-128-10, 100 clients", clientCount: 100, exampleCount: 600, featureCount: 784, hidden: 128,
            batch: 32, clientRoundCount: 1_000)

        var rounds: UInt32 { UInt32(max(1, clientRoundCount / clientCount)) }
    }

    /// Figures of one case, in client-rounds per second.
    struct Figures {
        var rates: [Double] = []
        var limits: [Double] = []

        /// Spread as text: median, least and greatest.
        static func text(_ values: [Double]) -> String {
            let sorted = values.sorted()
            func show(_ value: Double) -> String { String(Int(value.rounded())) }
            return "\(show(median(values))) (\(show(sorted.first ?? 0)) to \(show(sorted.last ?? 0)))"
        }

        static func median(_ values: [Double]) -> Double {
            let sorted = values.sorted()
            return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
        }
    }

    /// Times every case, simulation and bare training in turn.
    ///
    /// - Throws: what a simulation throws.
    static func run(repetitions: Int, threadCount: Int) throws -> BenchmarkResult {
        let cases = [Case.small(clientCount: 100), .small(clientCount: 1_000), .large]
        var details: [(name: String, value: String)] = [
            ("threads", "\(threadCount)"), ("kernel", "\(KernelVariant.best)"),
            ("repetitions", "\(repetitions), median (least to greatest)"),
        ]
        var first = Figures()
        for (index, fleet) in cases.enumerated() {
            let figures = try measure(fleet, repetitions: repetitions, threadCount: threadCount)
            if index == 0 { first = figures }
            details.append((fleet.name, "\(Figures.text(figures.rates)) client-rounds/s"))
            details.append(("\(fleet.name), training alone", "\(Figures.text(figures.limits)) client-rounds/s"))
        }
        details.append(("peak resident", "\(Machine.peakResidentByteCount() >> 20) MiB"))
        return BenchmarkResult(
            name: "simulate", value: Figures.median(first.rates), unit: "client-rounds/s",
            limit: Figures.median(first.limits), details: details)
    }

    private static func measure(_ fleet: Case, repetitions: Int, threadCount: Int) throws -> Figures {
        let scene = try SimulationScene(fleet)
        var figures = Figures()
        for repetition in 0...repetitions {
            let rate = try scene.simulate(threadCount: threadCount)
            let limit = try scene.trainAlone(threadCount: threadCount)
            guard repetition > 0 else { continue }
            figures.rates.append(rate)
            figures.limits.append(limit)
        }
        return figures
    }
}

/// A benchmark's federation, with its examples in memory.
private struct SimulationScene {
    private let fleet: SimulationBenchmark.Case
    private let tree: Tree
    private let architecture: ModelArchitecture
    private let shards: FederatedShards
    private let parameters: [Float]
    private let work: FleetWork
    private let groups: [GroupPlan]

    /// Devices that differ, on links as homes have them: what fleets are simulated for.
    private static let world = SimulationSettings(
        links: ["device": LinkSettings(bandwidthUp: 10e6, bandwidthDown: 50e6, latency: .milliseconds(20))],
        compute: .lognormal(median: .milliseconds(10), sigma: 0.5))

    init(_ fleet: SimulationBenchmark.Case) throws {
        self.fleet = fleet
        let examples = Int(fleet.clientCount) * fleet.exampleCount
        let data = DataSpecification(
            source: .synthetic(examples: examples, features: fleet.featureCount, classes: 10), partition: .iid,
            holdOut: 0)
        let settings = TrainSettings(
            work: .epochs(1), batch: fleet.batch, optimizer: .sgd(learningRate: 0.05, momentum: 0))
        let topology = Topology(
            federation: "bench", seed: 1, model: .mlp(hidden: [fleet.hidden]), data: data, rounds: fleet.rounds,
            evaluation: EvaluationSettings(every: fleet.rounds + 1),
            tiers: [
                Tier(name: "cloud", fanOut: .one, deadline: .seconds(600)),
                Tier(
                    name: "device", fanOut: .perParent(fleet.clientCount),
                    training: Training(settings: settings)),
            ], simulation: Self.world)
        tree = try Tree(topology)
        architecture = try ModelArchitecture(
            specification: topology.model, featureShape: [fleet.featureCount], classCount: 10)
        guard
            let shards = try FederatedShards(
                synthetic: data, clientCount: fleet.clientCount, deviceHoldOut: nil, seed: topology.seed)
        else { preconditionFailure("the data is synthetic") }
        self.shards = shards
        parameters = architecture.initialParameters(seed: topology.seed)
        let ring = try RingParameters(deltaBound: 8, weightMax: 1 << 20, cohortMax: 1 << 12)
        groups = architecture.layout.groups.map { group in
            GroupPlan(
                name: group.name, parameterCount: UInt64(group.range.count), ring: ring, encoding: .float32,
                normaliser: .weight)
        }
        work = FleetWork(architecture: architecture, shards: shards, shardsChange: false, refusesExcess: false)
    }

    /// Client-rounds per second of the whole run, from the first event to the end.
    func simulate(threadCount: Int) throws -> Double {
        let simulation = try Simulation(
            Simulation.Setup(
                tree: tree, digest: Digest(words: 0, 0, 0, 0), layout: architecture.layout, parameters: parameters,
                work: work, evaluate: nil, threadCount: threadCount))
        let begin = Bus.now()
        while true {
            if case .finished = try simulation.advance(eventCountMax: 1 << 16) { break }
        }
        return Double(simulation.clientRoundCount) / (Bus.now() - begin).seconds
    }

    /// Client-rounds per second of training alone, clients dealt to threads.
    func trainAlone(threadCount: Int) throws -> Double {
        let rounds = tree.topology.rounds
        let begin = Bus.now()
        try work.train(
            rounds: rounds, clientCount: fleet.clientCount, settings: tree.topology.training.settings,
            base: parameters, groups: groups, seed: tree.topology.seed, threadCount: threadCount)
        return Double(UInt64(rounds) * fleet.clientCount) / (Bus.now() - begin).seconds
    }
}
