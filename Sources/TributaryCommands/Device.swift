// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TributaryClient
import TributaryCore
import TributaryRuntime
import TributaryTopology

/// `tributary device`: runs one or many devices of a topology in one process.
struct Device: Verb {
    static let configuration = CommandConfiguration(
        abstract: "Run devices of a topology below one parent, all in this process.",
        discussion: """
            Each device has a key, a connection and a shard of the data of its own. Devices that come late join the \
            next round. SIGTERM or Ctrl-C ends them cleanly, a second one at once.
            """)

    @OptionGroup var common: NodeOptions
    @OptionGroup var above: ParentOptions
    @OptionGroup var output: OutputOptions

    @Option(help: "The aggregator above the devices.")
    var parent: String

    @Option(help: "How many devices to run.")
    var count: UInt64 = 1

    @Option(help: "The place below the parent of the first one.")
    var first: UInt64 = 0

    func execute(_ output: CommandOutput) throws {
        try common.serve(output, Federation.Overrides()) { federation, shutdown, report in
            let devices = try federation.devices(
                below: NodeName(parent), first: first, count: count, connect: above.endpoints())
            let directory = common.state ?? "state/\(devices.first?.policy.name.value ?? parent)"
            let host = try DeviceHost(
                devices: devices, data: { try federation.data(seed: $0) }, topology: federation.digest,
                seed: federation.topology.seed, stateDirectory: directory, shutdown: shutdown, report: report)
            try host.run()
        }
    }
}
