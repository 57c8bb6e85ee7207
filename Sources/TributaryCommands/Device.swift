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
            next round. SIGTERM or Ctrl-C ends them cleanly, a second one at once. A device that has joined with a \
            token is run from its state directory alone: --state DIR.
            """)

    @OptionGroup var common: NodeOptions
    @OptionGroup var above: ParentOptions
    @OptionGroup var output: OutputOptions

    @Option(help: "The aggregator above the devices; not for a device that has joined.")
    var parent: String?

    @Option(help: "How many devices to run.")
    var count: UInt64 = 1

    @Option(help: "The place below the parent of the first one.")
    var first: UInt64 = 0

    func execute(_ output: CommandOutput) throws {
        let enrolment = parent == nil ? try enrolment() : nil
        let keys = enrolment.flatMap { _ in common.state.map { Enrolment.keys(in: $0) } }
        try common.serve(output, Federation.Overrides(), keys: keys) { federation, shutdown, report in
            let devices =
                if let enrolment {
                    try joined(enrolment, federation)
                } else {
                    try federation.devices(
                        below: NodeName(parent ?? ""), first: first, count: count, connect: above.endpoints())
                }
            let directory = common.state ?? "state/\(devices.first?.policy.name.value ?? "device")"
            let host = try DeviceHost(
                devices: devices, data: { try federation.data(seed: $0) }, topology: federation.digest,
                seed: federation.topology.seed, stateDirectory: directory, shutdown: shutdown, report: report)
            try host.run()
        }
    }

    private func enrolment() throws -> Enrolment {
        guard let state = common.state, let enrolment = try Enrolment.read(in: state) else {
            throw CommandError(
                "usage", "which device to run is not said",
                hint: "give --parent, or with --state the directory of a device that has joined", exit: .usage)
        }
        return enrolment
    }

    private func joined(_ enrolment: Enrolment, _ federation: Federation) throws -> [DeviceHost.Device] {
        guard case .client(let client) = enrolment.role,
            federation.tree.policy(of: client)?.name == enrolment.node,
            federation.tree.policy(of: client)?.parent == enrolment.parent
        else {
            throw CommandError(
                "device.other_topology",
                "'\(enrolment.node)' has joined '\(enrolment.parent)', where this topology has no such device",
                hint: "use the topology file of the parent", exit: .configuration)
        }
        let given = try above.endpoints()
        var connect = given.named
        connect[enrolment.parent] = given.first ?? connect[enrolment.parent] ?? enrolment.endpoint
        return try federation.devices([client], connect: connect)
    }
}
