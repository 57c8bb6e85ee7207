// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import TributaryCore
import TributaryPlanning
import TributaryTopology
import TributaryTopologyFile

/// `tributary explain`: what a topology means, before anything runs.
struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what a topology will cost before anything runs.", subcommands: [Capacity.self])

    struct Capacity: Verb {
        static let configuration = CommandConfiguration(
            abstract: "Bytes, time, memory, disk, open files and energy of a round, tier by tier.",
            discussion: """
                Links, computing and availability are those of the file's 'simulate' section. Warns of deadlines that \
                most rounds miss, quorums that cannot be reached and nodes with too many children. Nothing is run; the \
                data are opened only where the file does not tell the model's size or who has how many examples.
                """)

        @Argument(help: "The topology file.")
        var topology: String

        @OptionGroup var settings: SettingOptions
        @OptionGroup var output: OutputOptions

        func execute(_ output: CommandOutput) throws {
            let (document, notes) = try TopologyLoading.load(topology, settings: settings.single())
            // The plan has its own words for what is too many, once for each tier.
            for note in notes where note.code != TopologyIssue.Code.limit.rawValue {
                output.note("\(note.location): warning: \(note.text)")
            }
            let workload = try document.workload(samples: true)
            var limit = rlimit()
            let isKnown = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
            let plan = CapacityPlan(
                document.tree, workload: workload, descriptorMax: isKnown ? UInt64(limit.rlim_cur) : nil)
            let warnings = plan.warnings.map { document.diagnostic(of: $0) }
            for warning in warnings { output.note("\(warning.location): warning: \(warning.text)") }
            let view = CapacityView(plan: plan, deviceCount: document.tree.deviceCount)
            output.finish(
                view.document(file: topology, federation: document.topology.federation, warnings: warnings),
                text: view.text(federation: document.topology.federation))
        }
    }
}
