// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import TributaryBus
import TributaryClient
import TributaryCore
import TributaryRuntime
import TributarySimulation
import TributaryTopology

/// `tributary simulate`: a topology in virtual time.
struct Simulate: Verb {
    static let configuration = CommandConfiguration(
        abstract: "Run a topology in virtual time: the same machines, links and devices as it describes.")

    @Argument(help: "The topology file.", completion: .file(extensions: ["yaml", "yml"]))
    var topology: String

    @Option(help: "Run so many rounds instead of the file's.")
    var rounds: UInt32?

    @Option(help: "Use this seed instead of the file's.")
    var seed: UInt64?

    @Option(help: "Use so many threads; as many as there are processors by default. The result is the same.")
    var threads: Int?

    @OptionGroup var output: OutputOptions

    func execute(_ output: CommandOutput) throws {
        let shutdown = Shutdown()
        Signals.endCleanly(shutdown)
        let federation = try Federation(
            path: topology, keys: "", overrides: Federation.Overrides(rounds: rounds, seed: seed))
        let start = Bus.now()
        let simulation = try Simulation(
            Simulation.Setup(federation, threadCount: threads ?? Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))))
        var last = Bus.now()
        while !shutdown.isRequested {
            switch try simulation.advance(eventCountMax: 10_000) {
            case .working: continue
            case .round(let round):
                let now = Bus.now()
                output.line(
                    "\(round.round) acc \(round.accuracy ?? -1) loss \(round.loss ?? -1) \(round.reported)/\(round.selected) up \(round.bytesUp) down \(round.bytesDown) t \(round.virtualEnd ?? -1) wall \((now - last).seconds) \(round.failure ?? "") \(round.dropped) \(round.refused) \(round.modelSHA256 ?? "")"
                )
                last = now
            case .finished:
                output.line("done \((Bus.now() - start).seconds) s, \(simulation.eventCount) events")
                return
            }
        }
    }
}
