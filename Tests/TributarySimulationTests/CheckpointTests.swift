// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryTopology

@testable import TributarySimulation

@Suite struct CheckpointTests {
    /// Runs until a moment, and goes on from the checkpoint in a new simulation.
    private static func resumed(_ fleet: SmallFleet, eventCount: Int) throws -> (
        checkpoint: SimulationCheckpoint?, Outcome
    ) {
        let simulation = try Simulation(try fleet.setup())
        var left = eventCount
        while left > 0 {
            left -= 1
            if case .finished = try simulation.advance(eventCountMax: 1) { break }
        }
        let checkpoint = simulation.checkpoint
        return (checkpoint, try fleet.run(checkpoint: checkpoint))
    }

    private static let fleets = [
        SmallFleet(devices: 5, rounds: 5),
        SmallFleet(aggregators: [2], devices: 3, rounds: 5).with {
            $0.tiers[0].optimizer = .fedAdam(learningRate: 0.1, beta1: 0.9, beta2: 0.99, tau: 1e-3)
        },
        // A stepping tier with a state of its own.
        SmallFleet(aggregators: [2], devices: 3, rounds: 4).with {
            $0.tiers[1].optimizer = .fedAvgM(learningRate: 1, momentum: 0.9)
            $0.tiers[1].edgeRounds = 3
            $0.evaluation.onDevices = .init(every: 2, holdOut: 0.2)
        },
    ]

    @Test("a run that is stopped anywhere and taken up again ends with the model of one that was not", arguments: 0..<3)
    func resume(_ which: Int) throws {
        let fleet = Self.fleets[which]
        let whole = try fleet.run()
        var rounds: Set<UInt32> = []
        for eventCount in stride(from: 20, to: 1500, by: 67) {
            let (checkpoint, outcome) = try Self.resumed(fleet, eventCount: eventCount)
            guard let checkpoint, checkpoint.round < fleet.topology.rounds else { continue }
            rounds.insert(checkpoint.round)
            #expect(outcome.sha256 == whole.sha256, "stopped after \(eventCount) events")
            #expect(outcome.violations == [] && outcome.isFinished)
            #expect(outcome.rows.first?.round == checkpoint.round + 1)
            let (_, undisturbed) = try Outcome.follow(
                try fleet.setup(), until: { $0.rows.count == Int(checkpoint.round) })
            #expect(undisturbed.checkpoint?.model == checkpoint.model)
            #expect(undisturbed.checkpoint?.optimizerState == checkpoint.optimizerState)
            #expect(outcome.rows.last?.accuracy == whole.rows.last?.accuracy)
        }
        #expect(rounds.count >= 2)
    }

    @Test("a run that was over is over at once when it is taken up")
    func over() throws {
        let fleet = Self.fleets[0]
        let (whole, simulation) = try Outcome.follow(try fleet.setup())
        let checkpoint = try #require(simulation.checkpoint)
        #expect(checkpoint.round == 5)
        let (rest, resumed) = try Outcome.follow(try fleet.setup(checkpoint: checkpoint))
        #expect(rest.isFinished && rest.rows.isEmpty && rest.model == whole.model)
        #expect(try resumed.fairness() == simulation.fairness())
    }

    @Test("the row of a round whose survey is cut short is not lost")
    func cutRow() throws {
        let fleet = Self.fleets[2]
        let simulation = try Simulation(try fleet.setup())
        var rows: [UInt32] = []
        while simulation.checkpoint?.round != 2 {
            if case .round(let row) = try simulation.advance(eventCountMax: 1) { rows.append(row.round) }
        }
        #expect(rows == [1])
        let row = try #require(simulation.cutRow())
        #expect(row.round == 2 && row.modelSHA256 != nil && row.deviceAccuracy == nil && row.bytesUp["device"] != nil)
        #expect(simulation.cutRow() == nil)
    }

    @Test("before the first round has ended there is nothing to take up")
    func nothing() throws {
        let (checkpoint, outcome) = try Self.resumed(Self.fleets[0], eventCount: 12)
        #expect(checkpoint == nil && outcome.isFinished)
    }

    @Test("faults that were over are not played again; those that last are")
    func faults() throws {
        let fleet = SmallFleet(aggregators: [2], devices: 3, rounds: 6).with(
            faults: Fault(kind: .kill, target: .node(NodeName("device-0")), from: .seconds(1), until: .seconds(3)),
            Fault(kind: .partition, target: .node(NodeName("tiera-1")), from: .seconds(4)))
        let (outcome, simulation) = try Outcome.follow(try fleet.setup(), until: { $0.rows.count == 2 })
        #expect(outcome.rows.last?.reported == 3)
        let rest = try fleet.run(checkpoint: simulation.checkpoint)
        #expect(rest.isFinished && rest.violations == [])
        #expect(rest.rows.allSatisfy { $0.reported == 3 } && rest.rows.map(\.round) == [3, 4, 5, 6])
    }
}

@Suite struct SimulationForecastTests {
    private static func forecast(
        _ fleet: SmallFleet, parameterCount: Int = 1000, dataByteCount: UInt64 = 0
    ) throws -> SimulationForecast {
        SimulationForecast(try Tree(fleet.topology), parameterCount: parameterCount, dataByteCount: dataByteCount)
    }

    @Test("more of anything never needs less memory, and the parts are the whole")
    func monotone() throws {
        let small = try Self.forecast(SmallFleet(devices: 10))
        #expect(small.byteCount == small.parts.reduce(0) { $0 + $1.byteCount })
        #expect(try Self.forecast(SmallFleet(devices: 1000)).byteCount > small.byteCount)
        #expect(try Self.forecast(SmallFleet(devices: 10), parameterCount: 100_000).byteCount > small.byteCount)
        #expect(try Self.forecast(SmallFleet(devices: 10), dataByteCount: 9000).byteCount == small.byteCount + 9000)
        #expect(try Self.forecast(SmallFleet(aggregators: [9], devices: 10)).byteCount > small.byteCount)
        #expect(small.parts.map(\.byteCount) == small.parts.map(\.byteCount).sorted(by: >))
    }

    @Test("registered devices that are not in a cohort cost nothing")
    func registered() throws {
        func needed(_ devices: UInt64) throws -> UInt64 {
            try Self.forecast(
                SmallFleet(devices: devices).with { $0.tiers[1].cohort = .count(1000, overSelect: 1) }
            ).byteCount
        }
        #expect(try needed(1_000_000_000) == needed(10_000_000))
    }

    @Test("what does not fit is refused with its largest part")
    func refusal() throws {
        let forecast = try Self.forecast(SmallFleet(aggregators: [50], devices: 10), parameterCount: 100_000_000)
        #expect(throws: Never.self) { try forecast.check(availableByteCount: forecast.byteCount) }
        do {
            try forecast.check(availableByteCount: 1 << 30)
            Issue.record("it was let through")
        } catch {
            #expect("\(error)".contains("most of it is the aggregators' sums and models"))
            #expect("\(error)".contains("--force"))
        }
    }
}
