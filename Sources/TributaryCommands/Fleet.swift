// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import TributaryClient
import TributaryCore
import TributaryRuntime
import TributaryTelemetry
import TributaryTopology

/// `tributary fleet`: hosts a share of a topology's devices, below whatever parents they have.
struct Fleet: Verb {
    static let configuration = CommandConfiguration(
        abstract: "Host a share of all devices of a topology in this process, one of several.",
        discussion: """
            The devices are divided into COUNT shares of neighbouring devices, over all parents; every device is in \
            exactly one. Shares are numbered from 0, as Slurm and Kubernetes number theirs. Without --shard the share \
            comes from the environment: SLURM_ARRAY_TASK_ID with _MIN and _COUNT, SLURM_PROCID with SLURM_NTASKS, or \
            JOB_COMPLETION_INDEX with TRIBUTARY_SHARD_COUNT, which you set to the job's completions.

            The aggregators run elsewhere (`tributary node`), in any order. Each device has a key and a connection of \
            its own; as many train at once as there are cores. SIGTERM or Ctrl-C ends all cleanly, a second one at \
            once.
            """)

    @OptionGroup var common: NodeOptions
    @OptionGroup var output: OutputOptions

    @Option(help: "The share to host, as INDEX/COUNT with an INDEX from 0 to COUNT - 1; 0/1 is every device.")
    var shard: String?

    @Option(
        name: .customLong("connect"),
        help: ArgumentHelp("Reach a parent here instead; may be given for several.", valueName: "name=endpoint"))
    var connections: [String] = []

    @Option(help: "Devices that train at once; as many as the cores that this process may use by default.")
    var threads: Int?

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads must be at least 1") }
    }

    func execute(_ output: CommandOutput) throws {
        let (share, source) = try share(output)
        let connect = try ParentOptions.named(connections, "fleet.connect")
        var tally = FleetTally()
        var hosted: FleetSummary?
        try common.serve(output, Federation.Overrides()) { federation, shutdown, report in
            let clients = share.clients(of: federation.tree.deviceCount)
            let devices = try federation.devices(clients.lazy.map { ClientIndex($0) }, connect: connect)
            let threadCount = threads ?? ProcessLimits.coreCount
            let summary = FleetSummary(
                share: share, source: source, clients: clients, deviceCount: federation.tree.deviceCount,
                parents: Set(devices.map(\.policy.parent)).sorted(), threadCount: threadCount)
            hosted = summary
            output.note(summary.line)
            output.event("fleet", summary.fields)
            guard !devices.isEmpty else { return }
            let host = try DeviceHost(
                devices: devices, data: { try federation.data(seed: $0) }, topology: federation.digest,
                seed: federation.topology.seed, stateDirectory: common.state ?? "state/fleet", shard: share,
                threadCount: threadCount, shutdown: shutdown
            ) { record in
                tally.count(record)
                report(record)
            }
            try host.run()
        }
        guard let hosted else { return }
        output.finish(.mapping(hosted.fields + tally.fields), text: hosted.closing(tally))
    }

    /// The flag's share, else the scheduler's.
    private func share(_ output: CommandOutput) throws -> (FleetShard, source: String) {
        let variable = { (name: String) in getenv(name).map { String(cString: $0) } }
        guard let shard else {
            if let scheduled = try FleetShard.scheduled(variable) { return scheduled }
            throw CommandError(
                "fleet.shard", "which share of the devices to host is not said, and no scheduler says it",
                hint: "give --shard INDEX/COUNT; --shard 0/1 hosts every device here", exit: .usage)
        }
        let share = try FleetShard(shard)
        if let scheduled = try? FleetShard.scheduled(variable), scheduled.shard != share {
            output.note("--shard \(share) is taken, not \(scheduled.shard) of \(scheduled.source)")
        }
        return (share, "--shard")
    }
}

/// What a process hosts.
private struct FleetSummary {
    var share: FleetShard
    var source: String
    var clients: Range<UInt64>
    var deviceCount: UInt64
    var parents: [NodeName]
    var threadCount: Int

    var line: String {
        guard let last = clients.last else {
            return "share \(share) (\(source)) is empty: there are \(deviceCount) devices; nothing to do"
        }
        let below = parents.count == 1 ? "'\(parents[0])'" : "\(parents.count) parents"
        return "share \(share) (\(source)): \(clients.count) of \(deviceCount) devices, "
            + "numbers \(clients.lowerBound) to \(last), below \(below), \(threadCount) train at once"
    }

    func closing(_ tally: FleetTally) -> String {
        guard !clients.isEmpty else { return line + "\n" }
        return "share \(share): \(clients.count) devices uploaded \(tally.uploadCount) updates\n"
    }

    var fields: [PlainValue.Field] {
        [
            .init("shard", .text(share.description)), .init("source", .text(source)),
            .init("first", .number(clients.lowerBound)), .init("devices", .number(clients.count)),
            .init("parents", .list(parents.map { .text($0.value) })), .init("threads", .number(threadCount)),
        ]
    }
}

/// What the devices of a process did.
private struct FleetTally {
    var uploadCount: UInt64 = 0
    var refusedCount: UInt64 = 0

    mutating func count(_ record: EventRecord) {
        switch record.name {
        case "uploaded": uploadCount += 1
        case "refused", "dropped": refusedCount += 1
        default: break
        }
    }

    var fields: [PlainValue.Field] {
        [
            .init("uploads", .number(uploadCount)), .init("refused", .number(refusedCount)),
        ]
    }
}
