// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryClient
import TributaryCore
import TributaryFiles
import TributaryLearning
import TributaryPlanning
import TributaryRuntime
import TributarySimulation
import TributaryTopology

/// A simulation's setup, with what reports want to know of its data.
struct SimulationInputs {
    var setup: Simulation.Setup
    var data: FederatedData

    /// Opens a federation's data; without training there is none to open.
    ///
    /// `check` refuses a fleet that would not fit, before memory is taken for its model.
    ///
    /// - Throws: errors of files and data, and of `check`.
    init(
        _ federation: Federation, threadCount: Int,
        check: (_ parameterCount: Int, _ dataByteCount: UInt64) throws -> Void
    ) throws {
        let topology = federation.topology
        let data = try federation.data()
        let architecture = try data.architecture()
        let shards = try data.loaded()
        try check(architecture.parameterCount, shards.heldByteCount)
        let evaluation = try data.heldOut().map { HeldOutEvaluation(architecture: architecture, examples: $0) }
        let work = FleetWork(
            architecture: architecture, shards: shards, shardsChange: shards.law.isDrifting,
            refusesExcess: topology.training.onExcess == .refuse)
        setup = Simulation.Setup(
            tree: federation.tree, digest: federation.digest, layout: architecture.layout,
            parameters: architecture.initialParameters(seed: topology.seed), work: work,
            evaluate: evaluation.map { evaluation in
                { parameters, round in try evaluation.metrics(of: parameters.span, round: round) }
            },
            traces: try Self.traces(federation), threadCount: threadCount)
        self.data = data
    }

    private static func traces(_ federation: Federation) throws -> AvailabilityTraces? {
        let settings = federation.topology.simulation
        let models = [settings.availability] + settings.classes.compactMap(\.availability)
        let paths = Set(
            models.compactMap { model in
                if case .trace(let path) = model { path } else { nil }
            })
        guard let path = paths.first else { return nil }
        guard paths.count == 1 else {
            throw CommandError(
                "simulate.traces", "several trace files are named: \(paths.sorted().joined(separator: ", "))",
                hint: "put all devices into one file", exit: .configuration)
        }
        let full = path.hasPrefix("/") ? path : "\(federation.directory)/\(path)"
        return try TraceFile.read(full, deviceCount: federation.tree.deviceCount)
    }
}
