// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryLearning
import TributaryTopology

@testable import TributarySimulation

/// Whole runs without trouble.
@Suite struct RunTests {
    /// A file with everything in it that draws numbers.
    private static let eventful = SmallFleet(aggregators: [2, 2], devices: 4, rounds: 5).with { topology in
        topology.simulation.compute = .lognormal(median: .seconds(1), sigma: 0.7)
        topology.simulation.availability = .markov(up: .seconds(40), down: .seconds(10))
        for name in topology.simulation.links.keys {
            topology.simulation.links[name] = LinkSettings(
                bandwidthUp: 1e6, bandwidthDown: 1e6, latency: .milliseconds(30), jitter: .milliseconds(40), loss: 0.05)
        }
        topology.simulation.classes = [
            DeviceClass(name: "fast", share: 0.5),
            DeviceClass(name: "slow", share: 0.5, compute: .constant(.seconds(3))),
        ]
        topology.tiers[3].cohort = .fraction(0.8, overSelect: 1)
        topology.simulation.faults = Self.faults
    }

    private static let faults = [
        Fault(kind: .partition, target: .node(NodeName("tiera-1")), from: .seconds(3), until: .seconds(9)),
        Fault(kind: .kill, target: .node(NodeName("tierb-0")), from: .seconds(6), until: .seconds(12)),
        Fault(kind: .kill, target: .node(NodeName("device-9")), from: .seconds(2), until: .seconds(12)),
        Fault(kind: .slow(factor: 3), target: .node(NodeName("device-1")), from: .seconds(1), until: .seconds(50)),
        Fault(kind: .clockSkew(offset: .seconds(2), rate: 500), target: .tier("tierb"), from: .seconds(5)),
        Fault(kind: .corrupt(0.1), target: .tier("device"), until: .seconds(30)),
        Fault(kind: .duplicate(0.3), target: .tier("tierb"), until: .seconds(60)),
        Fault(kind: .reorder(0.3, delay: .milliseconds(300)), target: .tier("device"), until: .seconds(60)),
        Fault(kind: .drop(0.1), target: .tier("tiera"), until: .seconds(60)),
    ]

    @Test("one seed, one run: the same rows and model on any number of threads and on repeats")
    func deterministic() throws {
        let first = try Self.eventful.run()
        #expect(first.isFinished && first.violations == [] && first.rows.count == 5 && first.sha256 != nil)
        for threads in [1, 2, 7] {
            let again = try Self.eventful.run(threads: threads)
            #expect(again.rows == first.rows && again.end == first.end && again.events.count == first.events.count)
        }
        let other = try Self.eventful.with { $0.seed = 2 }.run()
        #expect(other.sha256 != first.sha256 && other.end != first.end)
    }

    @Test("flat, three tiers and four learn the same model when nobody is late")
    func shapes() throws {
        let flat = try SmallFleet(devices: 12).run()
        let three = try SmallFleet(aggregators: [3], devices: 4).run()
        let four = try SmallFleet(aggregators: [2, 3], devices: 2).run(threads: 2)
        let uneven = try SmallFleet(aggregators: [1, 4], devices: 3).run()
        for outcome in [flat, three, four, uneven] {
            #expect(outcome.isFinished && outcome.violations == [] && outcome.committed.count == 3)
            #expect(outcome.rows.map(\.modelSHA256) == flat.rows.map(\.modelSHA256))
            #expect(outcome.rows.allSatisfy { $0.selected == 12 && $0.reported == 12 })
            #expect(outcome.rows.map(\.accuracy) == flat.rows.map(\.accuracy))
            #expect(outcome.refused.isEmpty)
        }
        #expect(Set(flat.rows.map(\.modelSHA256)).count == 3)
    }

    @Test("rows count each tier's nodes in their own round", arguments: [[], [3], [2, 2]] as [[UInt64]])
    func participation(_ aggregators: [UInt64]) throws {
        let outcome = try SmallFleet(aggregators: aggregators, devices: 4).run()
        let devices = aggregators.reduce(4, *)
        #expect(outcome.rows.count == 3)
        for row in outcome.rows {
            let device = try #require(row.participation["device"])
            #expect(device.chosen == devices && device.reported == devices, "round \(row.round)")
            if let first = aggregators.first {
                let tier = try #require(row.participation["tiera"])
                #expect(tier.chosen == first && tier.reported == first, "round \(row.round)")
            }
            // Of each device two batches of a second, at the least.
            #expect((row.virtualSeconds ?? 0) > 2)
            #expect((row.bytesUp["device"] ?? 0) > 0 && (row.bytesDown["device"] ?? 0) > 0)
            #expect((row.energyJoules["device"]?.compute ?? 0) > 0)
        }
    }

    @Test("a round lasts as long as its messages, its transfers and its training")
    func roundTime() throws {
        let outcome = try SmallFleet(devices: 1, rounds: 1).run()
        // 192 examples in batches of 8 are 24 s; plan, request, model, offer, request and delta are six times 20 ms.
        // The window of a transfer costs some microseconds more.
        #expect(abs((outcome.rows.first?.virtualSeconds ?? 0) - 24.12) < 1e-4)
    }

    @Test("edge rounds: a stepping tier steps twice for one round of the cloud")
    func edgeRounds() throws {
        let fleet = SmallFleet(aggregators: [3], devices: 4, rounds: 4).with {
            $0.tiers[1].edgeRounds = 2
            $0.tiers[1].optimizer = .fedAvg(learningRate: 1)
        }
        let outcome = try fleet.run()
        #expect(outcome.isFinished && outcome.violations == [] && outcome.committed.count == 4)
        let edgeSteps = outcome.events.count { who, event, _ in
            if case .stepped = event { who != NodeName("cloud") } else { false }
        }
        #expect(edgeSteps == 2 * 3 * 4)
        #expect(
            outcome.rows.allSatisfy { $0.selected == 3 && $0.reported == 3 }
                || outcome.rows.allSatisfy { $0.reported == 12 })
        #expect(outcome.sha256 != (try SmallFleet(aggregators: [3], devices: 4, rounds: 4).run().sha256))
        #expect(outcome.rows == (try fleet.run(threads: 2).rows))
    }

    @Test("a stepping tier with a server optimizer of its own keeps its state from round to round")
    func stepping() throws {
        func run(_ optimizer: ServerOptimizer) throws -> Outcome {
            try SmallFleet(aggregators: [2], devices: 3).with { $0.tiers[1].optimizer = optimizer }.run()
        }
        let plain = try run(.fedAvg(learningRate: 1))
        let momentum = try run(.fedAvgM(learningRate: 1, momentum: 0.9))
        #expect(plain.violations == [] && momentum.violations == [])
        #expect(plain.committed.count == 3 && momentum.committed.count == 3)
        // The first step has no momentum yet.
        #expect(plain.rows[0].modelSHA256 == momentum.rows[0].modelSHA256)
        #expect(plain.rows[1].modelSHA256 != momentum.rows[1].modelSHA256)
    }

    @Test("devices evaluate when it is due, and the model does not change by it")
    func survey() throws {
        let plain = SmallFleet(aggregators: [2], devices: 4, rounds: 4).with {
            $0.evaluation.onDevices = .init(every: 9, holdOut: 0.25)
        }
        let surveyed = plain.with { $0.evaluation.onDevices = .init(every: 2, holdOut: 0.25) }
        let (before, after) = (try plain.run(), try surveyed.run())
        #expect(before.sha256 == after.sha256 && after.violations == [] && after.isFinished)
        #expect(after.rows.map { $0.deviceAccuracy != nil } == [false, true, false, true])
        #expect(after.rows.compactMap(\.deviceAccuracy).allSatisfy { (0...1).contains($0) })
        #expect(before.rows.map { $0.deviceAccuracy != nil } == [false, false, false, true])
    }

    @Test("a stop rule ends the run at the round that meets it")
    func stop() throws {
        let outcome = try SmallFleet(devices: 4, rounds: 50).with {
            $0.stop = StopRule(metric: .accuracy, threshold: 0.6)
        }.run()
        #expect(outcome.isFinished && outcome.rows.count < 50)
        #expect((outcome.rows.last?.accuracy ?? 0) >= 0.6)
        #expect(outcome.rows.dropLast().allSatisfy { ($0.accuracy ?? 0) < 0.6 })
    }

    @Test("over-selection: a round closes when enough have reported, and the rest is surplus")
    func overSelection() throws {
        let outcome = try SmallFleet(devices: 30, rounds: 3).with {
            $0.tiers[1].cohort = .count(10, overSelect: 1.5)
            $0.simulation.compute = .lognormal(median: .seconds(1), sigma: 1)
        }.run()
        #expect(outcome.isFinished && outcome.violations == [] && outcome.committed.count == 3)
        for row in outcome.rows {
            #expect(row.selected == 15 && row.reported == 10)
            #expect(row.dropped["device"]?["update.surplus"] == 5)
        }
    }

    @Test("stragglers are late: the round ends at its deadline without them")
    func stragglers() throws {
        let slow = Fault(kind: .slow(factor: 1000), target: .node(NodeName("device-2")), until: .seconds(25))
        let outcome = try SmallFleet(devices: 6, rounds: 3, deadline: .seconds(20)).with(faults: slow).run()
        #expect(outcome.isFinished && outcome.violations == [] && outcome.committed.count == 3)
        #expect(outcome.rows[0].reported == 5 && outcome.rows[0].dropped["device"] == ["update.late": 1])
        #expect(outcome.rows[0].virtualSeconds == 20)
    }

    @Test("a round below its quorum fails, the model stays, and the next one is tried")
    func quorum() throws {
        let slow = Fault(kind: .slow(factor: 1000), target: .tier("device"), until: .seconds(15))
        let outcome = try SmallFleet(devices: 6, rounds: 3, deadline: .seconds(20)).with(faults: slow).run()
        #expect(outcome.isFinished && outcome.violations == [])
        #expect(outcome.rows.map(\.failure)[0] == "round.deadline" && outcome.rows[0].modelSHA256 == nil)
        #expect(outcome.rows.count == 3)
    }

    @Test("a model that diverges costs refusals with a reason; no model is ever not a number")
    func divergence() throws {
        for model in [ModelSpecification.linear, .mlp(hidden: [8])] {
            let fleet = SmallFleet(aggregators: [2], devices: 4).with {
                $0.model = model
                $0.tiers[2].training.settings = TrainSettings(
                    work: .epochs(30), batch: 2, optimizer: .sgd(learningRate: 1e6, momentum: 0.9))
            }
            let outcome = try fleet.run(threads: 2)
            #expect(outcome.isFinished && outcome.violations == [] && outcome.rows.count == 3)
            #expect(outcome.model?.allSatisfy(\.isFinite) == true)
        }
        let hopeless = try SmallFleet(devices: 4).with {
            $0.tiers[1].training.settings.optimizer = .sgd(learningRate: 1e30, momentum: 0)
        }.run()
        #expect(hopeless.refused["client.training_failed"] ?? 0 > 0)
        #expect(hopeless.isFinished && hopeless.model?.allSatisfy(\.isFinite) == true)
    }

    @Test("a delta beyond its bound is refused where the topology says so, and scaled elsewhere")
    func excess() throws {
        func run(_ onExcess: Training.OnExcess) throws -> Outcome {
            try SmallFleet(devices: 4).with {
                $0.tiers[1].training.deltaBound = 0.001
                $0.tiers[1].training.onExcess = onExcess
            }.run()
        }
        #expect(try run(.scale).committed.count == 3)
        let refused = try run(.refuse)
        #expect(refused.isFinished && refused.committed.isEmpty)
        // Each of the 12 is told by the device, and by its parent.
        #expect(refused.refused["client.training_failed"] == 24)
    }

    @Test("devices without examples are refused and counted; the others go on")
    func emptyShards() throws {
        let fleet = SmallFleet(devices: 6).with { $0.evaluation.onDevices = .init(every: 1, holdOut: 0.2) }
        var setup = try fleet.setup()
        let shards = try #require(
            try FederatedShards(
                synthetic: fleet.topology.data, clientCount: 6, deviceHoldOut: 0.2, seed: fleet.topology.seed))
        setup.work = FleetWork(
            architecture: setup.work.architecture, shards: Holes(shards: shards), shardsChange: false,
            refusesExcess: false)
        let outcome = try Outcome.follow(setup).outcome
        #expect(outcome.isFinished && outcome.violations == [] && outcome.committed.count == 3)
        #expect(outcome.rows.allSatisfy { $0.reported == 4 && $0.dropped["device"] == ["client.training_failed": 2] })
        #expect(outcome.rows.allSatisfy { ($0.deviceAccuracy ?? -1) >= 0 })
    }

    /// Shards of which every third has no examples at all.
    private struct Holes: ShardSource {
        let shards: FederatedShards
        var featureShape: [Int] { shards.featureShape }
        var classCount: Int { shards.classCount }

        func shard(of client: ClientIndex, round: UInt32) throws -> Shard {
            var shard = try shards.shard(of: client, round: round)
            if client.value % 3 == 0 { (shard.rows, shard.holdOutRows) = ([], []) }
            return shard
        }

        func sizes(of client: ClientIndex) throws -> (training: Int, holdOut: Int) {
            client.value % 3 == 0 ? (0, 0) : try shards.sizes(of: client)
        }
    }

    @Test("without training: the protocol alone, and the same in any shape")
    func noTraining() throws {
        let flat = try SmallFleet(devices: 8, training: .none).run()
        let three = try SmallFleet(aggregators: [2], devices: 4, training: .none).run()
        #expect(flat.committed.count == 3 && flat.sha256 == three.sha256 && flat.sha256 != nil)
        #expect(flat.rows.allSatisfy { $0.accuracy == nil })
    }
}
