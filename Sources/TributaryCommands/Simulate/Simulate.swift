// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import TributaryBus
import TributaryClient
import TributaryCore
import TributaryPlanning
import TributaryReport
import TributaryRing
import TributaryRuntime
import TributarySimulation
import TributaryTopology

/// `tributary simulate`: a topology in virtual time.
struct Simulate: Verb {
    static let configuration = CommandConfiguration(
        abstract: "Run a topology in virtual time, with the machines that run a deployment.",
        discussion: """
            Devices really train; links, computing time, waking hours and faults are those of the file's 'simulate' \
            section. One seed gives the same run, to the bit, on any number of threads. Ctrl-C ends the run with a \
            report of what there is, and --resume goes on. Values of --set replace those of the file; a path that \
            is given several, --set data.partition.alpha=0.1,1 --set seed=1,2,3, makes a grid of runs in one \
            directory, with a table at the end.
            """)

    @Argument(help: "The topology file.", completion: .file(extensions: ["yaml", "yml"]))
    var topology: String

    @Option(help: "Run so many rounds instead of the file's.")
    var rounds: UInt32?

    @Option(help: "Use this seed instead of the file's.")
    var seed: UInt64?

    @Option(help: "Compute on so many threads; one for each processor by default. The result is the same.")
    var threads: Int?

    @Option(help: "The directory in which runs are kept.", completion: .directory)
    var runs: String = "runs"

    @Option(help: "Go on with a run that was stopped: its directory.", completion: .directory)
    var resume: String?

    @Flag(help: "Start although the simulation would need more memory than is free.")
    var force = false

    @OptionGroup var settings: SettingOptions
    @OptionGroup var sweep: SweepOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads takes 1 to 1024")
        }
        try validateSweep()
    }

    func execute(_ output: CommandOutput) throws {
        let shutdown = Shutdown()
        Signals.endCleanly(shutdown)
        if sweep.endWithStandardInput { Signals.endWithStandardInput(shutdown, isSecondAtOnce: true) }
        if let plan = try SweepPlan(settings.axes()), plan.pointCount > 1 {
            return try execute(plan, shutdown, output)
        }
        let overrides = Federation.Overrides(rounds: rounds, seed: seed, settings: try settings.single())
        let federation = try Federation(path: topology, keys: "", overrides: overrides)
        let earlier = try resume.map { try SimulationState.load($0, for: federation) }
        var inputs = try SimulationInputs(federation, threadCount: threads ?? Machine.processorCount) {
            if force { return }
            try SimulationForecast(federation.tree, parameterCount: $0, dataByteCount: $1)
                .check(availableByteCount: Machine.availableByteCount())
        }
        inputs.setup.checkpoint = earlier?.checkpoint
        let directory =
            try (earlier?.directory ?? sweep.directory).map { RunDirectory(existing: $0) }
            ?? RunDirectory(new: federation.topology.federation, below: runs)
        output.note(
            "\(federation.topology.federation): \(NumberText.count(federation.tree.deviceCount, of: "device")), "
                + "\(NumberText.count(UInt64(federation.tree.aggregators.count), of: "aggregator")), "
                + "seed \(federation.topology.seed), run directory \(directory.path)")
        let run = SimulationRun(federation, inputs, directory, earlier: earlier?.record, output)
        try run.follow(until: { shutdown.isRequested })
        let record = try run.finish()
        guard record.isComplete else {
            throw CommandError(
                "run.stopped", "the run was stopped after round \(record.rounds.last?.round ?? 0)",
                hint: "a report of what there is lies in \(directory.path); go on with --resume \(directory.path)")
        }
        output.finish(record.document, text: Self.closing(record, directory))
    }

    private static func closing(_ record: RunRecord, _ directory: RunDirectory) -> String {
        """
        accuracy \(NumberText.fixed(record.final.accuracy, 4)), loss \(NumberText.fixed(record.final.loss, 4)) \
        after \(NumberText.count(UInt64(record.rounds.count), of: "round")): \
        \(NumberText.seconds(record.virtualSeconds)) of virtual time \
        in \(NumberText.fixed(record.wallSeconds, 1)) s, \
        \(NumberText.count(UInt64(record.clientRoundsPerSecond))) client-rounds/s, \
        \(NumberText.bytes(record.peakResidentBytes)) resident, seed \(record.seed)
        model \(record.modelPath ?? "-")
        report \(directory.path)/\(RunWriter.Name.report)

        """
    }
}
