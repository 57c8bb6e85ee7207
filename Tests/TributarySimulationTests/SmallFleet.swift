// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryLearning
import TributaryTopology

@testable import TributarySimulation

/// A small federation on synthetic data.
struct SmallFleet {
    var topology: Topology
    var traces: AvailabilityTraces?

    /// Tiers of aggregators below the root, each with so many nodes per parent, and devices per aggregator.
    ///
    /// Devices take a second for a batch, so that rounds last long enough for trouble.
    init(
        aggregators: [UInt64] = [], devices: UInt64 = 6, rounds: UInt32 = 3, seed: UInt64 = 1,
        training: Training = SmallFleet.training, deadline: Duration = .seconds(60)
    ) {
        var tiers = [Tier(name: "cloud", fanOut: .one, deadline: deadline)]
        for (depth, count) in aggregators.enumerated() {
            tiers.append(Tier(name: "tier\(Self.letters[depth])", fanOut: .perParent(count)))
        }
        tiers.append(Tier(name: "device", fanOut: .perParent(devices), training: training))
        topology = Topology(
            federation: "small", seed: seed, model: .linear,
            data: DataSpecification(
                source: .synthetic(examples: 240, features: 4, classes: 3), partition: .iid, holdOut: 0.2),
            rounds: rounds, tiers: tiers,
            simulation: SimulationSettings(
                links: Dictionary(
                    uniqueKeysWithValues: tiers.dropFirst().map {
                        ($0.name, LinkSettings(latency: .milliseconds(20)))
                    }),
                compute: .constant(.seconds(1))))
    }

    private static let letters = ["a", "b", "c"]

    static let training = Training(
        settings: TrainSettings(work: .epochs(1), batch: 8, optimizer: .sgd(learningRate: 0.1, momentum: 0)))

    /// The fleet with something changed.
    func with(_ change: (inout Topology) -> Void) -> SmallFleet {
        var copy = self
        change(&copy.topology)
        return copy
    }

    func with(faults: Fault...) -> SmallFleet { with { $0.simulation.faults = faults } }

    func setup(threads: Int = 1, checkpoint: SimulationCheckpoint? = nil) throws -> Simulation.Setup {
        let tree = try Tree(topology)
        let shards = try #require(
            try FederatedShards(
                synthetic: topology.data, clientCount: tree.deviceCount,
                deviceHoldOut: topology.evaluation.onDevices?.holdOut, seed: topology.seed))
        let architecture = try ModelArchitecture(
            specification: topology.model, featureShape: shards.featureShape, classCount: shards.classCount)
        let heldOut = topology.training.settings.isNone ? nil : try shards.heldOut()
        let work = FleetWork(
            architecture: architecture, shards: shards, shardsChange: shards.law.isDrifting,
            refusesExcess: topology.training.onExcess == .refuse)
        return Simulation.Setup(
            tree: tree, digest: Digest(words: 1, 2, 3, 4), layout: architecture.layout,
            parameters: architecture.initialParameters(seed: topology.seed), work: work,
            evaluate: heldOut.map { examples in
                { parameters, _ in
                    let result = try Evaluation.run(architecture, parameters: parameters.span, examples: examples)
                    return [
                        MetricCounter(name: "accuracy", sum: Double(result.correct), count: result.count),
                        MetricCounter(name: "loss", sum: result.lossSum, count: result.count),
                    ].compactMap(\.self)
                }
            },
            traces: traces, threadCount: threads, checkpoint: checkpoint)
    }

    /// Runs to the end.
    func run(threads: Int = 1, checkpoint: SimulationCheckpoint? = nil) throws -> Outcome {
        try Outcome.follow(try setup(threads: threads, checkpoint: checkpoint)).outcome
    }
}

/// What became of a run.
struct Outcome {
    /// Events after which a small run has lost its way.
    static let eventCountMax: UInt64 = 3_000_000

    var rows: [RunRecord.Round] = []
    var isFinished = false
    var error: (any Error)?
    /// What the watch saw that may not be.
    var violations: [String] = []
    var events: [(who: NodeName, event: TelemetryEvent, at: Moment)] = []
    var end = Moment(nanoseconds: 0)
    var model: [Float]?
    /// Events of the simulation, messages and alarms included.
    var eventCount: UInt64 = 0

    var sha256: String? { rows.last { $0.modelSHA256 != nil }?.modelSHA256 }
    /// Rounds in which a model came out.
    var committed: [RunRecord.Round] { rows.filter { $0.failure == nil } }

    /// Follows a run with an eye on every event, until its end or until `isEnough` says so after a round.
    static func follow(
        _ setup: Simulation.Setup, until isEnough: (Outcome) -> Bool = { _ in false }
    ) throws -> (outcome: Outcome, simulation: Simulation) {
        let watch = RunWatch(setup.tree, after: setup.checkpoint?.round ?? 0)
        let simulation = try Simulation(setup, observer: { watch.see($0, $1, at: $2) })
        var outcome = Outcome()
        do {
            loop: while simulation.eventCount < eventCountMax {
                switch try simulation.advance(eventCountMax: 256) {
                case .working: break
                case .round(let row):
                    outcome.rows.append(row)
                    if isEnough(outcome) { break loop }
                case .finished:
                    outcome.isFinished = true
                    break loop
                }
            }
            if simulation.eventCount >= eventCountMax { watch.complain("the run does not end") }
        } catch {
            outcome.error = error
        }
        outcome.violations = watch.violations
        outcome.events = watch.events
        outcome.end = simulation.now
        outcome.model = simulation.model
        outcome.eventCount = simulation.eventCount
        return (outcome, simulation)
    }

    /// How often an event happened.
    func count(_ isMeant: (TelemetryEvent) -> Bool) -> Int { events.count { isMeant($0.event) } }

    /// Refusals by reason, over all rounds.
    var refused: [String: UInt64] { rows.reduce(into: [:]) { $0.merge($1.refused, uniquingKeysWith: +) } }

    /// Members of a tier that took no part, by reason, over all rounds.
    func dropped(_ tier: String) -> [String: UInt64] {
        rows.reduce(into: [:]) { $0.merge($1.dropped[tier] ?? [:], uniquingKeysWith: +) }
    }
}
