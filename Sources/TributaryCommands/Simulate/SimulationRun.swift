// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import TributaryBus
import TributaryClient
import TributaryCore
import TributaryFiles
import TributaryLearning
import TributaryPlanning
import TributaryReport
import TributaryRuntime
import TributarySimulation
import TributaryTopology

/// A simulation from its first event to its report: shows it, keeps it on disk, and saves where it can go on.
final class SimulationRun {
    /// Events between two looks at the clock.
    private static let eventCountPerLook = 4096
    /// How often the state is saved while the run goes on.
    private static let saveInterval = Duration.seconds(10)

    private let federation: Federation
    private let inputs: SimulationInputs
    private let directory: RunDirectory
    private let output: CommandOutput
    private var record: RunRecord
    private var view: SimulationView
    private var simulation: Simulation?
    private let start = Bus.now()
    private var roundStart = Bus.now()
    private var nextSave = Bus.now() + SimulationRun.saveInterval
    private let earlierSeconds: Double

    /// A run from its beginning, or on from what an earlier process kept of it.
    init(
        _ federation: Federation, _ inputs: SimulationInputs, _ directory: RunDirectory, earlier: RunRecord?,
        _ output: CommandOutput
    ) {
        self.federation = federation
        self.inputs = inputs
        self.directory = directory
        self.output = output
        earlierSeconds = earlier?.wallSeconds ?? 0
        record = RunRecord(command: "simulate", version: Version.current, tree: federation.tree)
        record.rounds = earlier?.rounds ?? []
        record.topologySHA256 = "\(federation.digest)"
        record.startedAt = earlier?.startedAt ?? Clock.secondsSince1970()
        record.modelPath = "\(directory.path)/\(SimulationState.modelName)"
        record.directory = directory.path
        record.faults = federation.topology.simulation.faults.map(\.note)
        view = SimulationView(roundCount: federation.topology.rounds)
    }

    /// Lets time pass until the run is over or `isStopped`.
    ///
    /// - Throws: what the simulation throws; what there is of the run is kept.
    func follow(until isStopped: () -> Bool) throws {
        let writer = try RunWriter(directory: directory.path)
        try writer.begin(record)
        for round in record.rounds { try writer.round(round) }
        let simulation = try Simulation(inputs.setup)
        self.simulation = simulation
        roundStart = Bus.now()
        do {
            while !isStopped() {
                switch try simulation.advance(eventCountMax: Self.eventCountPerLook) {
                case .working: look(simulation)
                case .round(let round): try completed(round, simulation, writer)
                case .finished:
                    record.isComplete = true
                    return view.clearStatus()
                }
            }
            // Of a run that goes on later, every round before has its row.
            if let row = simulation.cutRow() { try completed(row, simulation, writer) }
        } catch {
            _ = try? finish()
            throw error
        }
        view.clearStatus()
    }

    private func completed(_ round: RunRecord.Round, _ simulation: Simulation, _ writer: RunWriter) throws {
        let now = Bus.now()
        var round = round
        round.wallSeconds = (now - roundStart).seconds
        roundStart = now
        record.rounds.append(round)
        try writer.round(round)
        output.event("round", round.fields)
        view.show(round)
        look(simulation)
        if now >= nextSave {
            nextSave = now + Self.saveInterval
            try SimulationState.save(simulation, inputs.setup, federation, in: directory.path)
        }
    }

    private func look(_ simulation: Simulation) {
        view.look(simulation, seconds: (Bus.now() - start).seconds)
    }

    /// Saves model, state and report, and returns the record.
    ///
    /// - Throws: when files cannot be written or examples cannot be read.
    func finish() throws -> RunRecord {
        view.clearStatus()
        guard let simulation else { return record }
        let seconds = (Bus.now() - start).seconds
        record.wallSeconds = earlierSeconds + seconds
        record.virtualSeconds = simulation.now.seconds
        record.clientRoundsPerSecond = seconds > 0 ? Double(simulation.clientRoundCount) / seconds : 0
        record.peakResidentBytes = Machine.peakResidentByteCount()
        if !federation.topology.training.settings.isNone {
            record.fairness = try simulation.fairness()
            record.labels = try .init(federation.tree, inputs.data)
        }
        try SimulationState.save(simulation, inputs.setup, federation, in: directory.path)
        try RunWriter(directory: directory.path).finish(record)
        return record
    }
}

extension Fault {
    /// The fault in a sentence, and when it is played.
    var note: RunRecord.FaultNote {
        let whom =
            switch target {
            case .node(let name): name.value
            case .tier(let name): "tier \(name)"
            }
        return RunRecord.FaultNote(
            text: "\(kind.name) \(whom)", fromSeconds: from.seconds, untilSeconds: until?.seconds)
    }
}
