// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import TributaryBus
import TributaryCore
import TributaryFiles
import TributaryReport

/// A large object from cloud to edge to device, and another one back, between three processes, with every connection
/// broken in the middle of every transfer: the memory that each process takes, and what travels twice.
enum TransferBenchmark {
    /// Anonymous memory that a process may take, whatever the object's size.
    static let allowance: UInt64 = 256 << 20
    /// Bytes received beyond the objects themselves that are still frames' heads, messages and keep-alives.
    private static let overheadMax = 0.002

    /// What a process took and moved.
    private struct Watched {
        var name: String
        var pid: pid_t
        var peak: UInt64 = 0
        var last = Bus.now()
    }

    static func run(byteCount: Int, directory: String) throws -> BenchmarkResult {
        try Directory.create(directory)
        let (cloudKey, edgeKey, deviceKey) =
            (try CurveKeyPair.generate(), try CurveKeyPair.generate(), try CurveKeyPair.generate())
        let cloud = try TransferRelay(node: NodeName("cloud"), directory: directory, byteCount: byteCount)
        defer { cloud.bus.close() }
        try cloud.makeModel()
        let start = Bus.now()
        let top = try CuttingProxy(to: cloud.listen(cloudKey, for: edgeKey.publicKey), cutAfter: byteCount / 2)
        defer { top.close() }
        let edge = try node("edge", byteCount, directory)
        for line in [top.endpoint, cloudKey.publicKey.text, edgeKey.secretText, deviceKey.publicKey.text] {
            edge.send(line)
        }
        let patience = start + .seconds(900)
        let endpoint = try endpoint(of: edge, by: patience, directory)
        let middle = try CuttingProxy(to: endpoint, cutAfter: byteCount / 2)
        defer { middle.close() }
        let device = try node("device", byteCount, directory)
        for line in [middle.endpoint, edgeKey.publicKey.text, deviceKey.secretText, "-"] { device.send(line) }
        defer { for process in [edge, device] { process.signal(SIGKILL) } }
        var watched = [("cloud", getpid()), ("edge", edge.pid), ("device", device.pid)].map {
            Watched(name: $0.0, pid: $0.1)
        }
        while !cloud.hasAnswer {
            try cloud.step()
            for index in watched.indices { look(&watched[index]) }
            for process in [edge, device] where process.hasEnded() || Bus.now() > patience {
                throw failure("'\(process.name)' did not get to the end", process, directory)
            }
        }
        let seconds = (Bus.now() - start).seconds
        return try result(
            watched, seconds, byteCount, cuts: top.cutCount + middle.cutCount,
            received: cloud.bus.traffic.bytesReceived,
            sent: cloud.bus.traffic.bytesSent)
    }

    private static func result(
        _ watched: [Watched], _ seconds: Double, _ byteCount: Int, cuts: Int, received: UInt64, sent: UInt64
    ) throws -> BenchmarkResult {
        let excess = Double(received) / Double(byteCount) - 1
        guard cuts == 4 else { throw CommandError("bench.failed", "\(cuts) connections were broken, not 4") }
        guard excess < overheadMax else {
            throw CommandError("bench.failed", "\(received) bytes came for an object of \(byteCount)")
        }
        return BenchmarkResult(
            name: "transfer", value: Double(watched.map(\.peak).max() ?? 0), unit: "B", limit: Double(allowance),
            details: watched.map { ("anonymous memory of \($0.name)", "\($0.peak)") } + [
                ("bytes of each object", "\(byteCount)"), ("connections broken", "\(cuts)"),
                ("received by the cloud beyond the object", "\(Int64(received) - Int64(byteCount))"),
                ("sent by the cloud beyond the object", "\(Int64(sent) - Int64(byteCount))"),
                ("seconds", NumberText.fixed(seconds, 1)),
                ("object bytes moved over links", "\(Int(4 * Double(byteCount) / seconds / 1e6)) MB/s"),
            ])
    }

    private static func node(_ name: String, _ byteCount: Int, _ directory: String) throws -> NodeProcess {
        try NodeProcess(
            name: name,
            arguments: ["bench", "transfer-node", "--name", name, "--bytes", "\(byteCount)", "--directory", directory],
            log: "\(directory)/\(name).log")
    }

    private static func endpoint(of process: NodeProcess, by patience: Moment, _ directory: String) throws -> String {
        while true {
            for line in process.takeLines() where line.hasPrefix("listening ") { return String(line.dropFirst(10)) }
            guard !process.hasEnded(), Bus.now() < patience else {
                throw failure("'\(process.name)' does not listen", process, directory)
            }
            _ = poll(nil, 0, 10)
        }
    }

    private static func failure(_ what: String, _ process: NodeProcess, _ directory: String) -> CommandError {
        let log = (try? SmallFile.read("\(directory)/\(process.name).log", byteCountMax: 1 << 16)) ?? []
        return CommandError("bench.failed", "\(what): \(String(decoding: log, as: UTF8.self))")
    }

    /// Looks at a process's memory, twenty times a second at most.
    private static func look(_ watched: inout Watched) {
        let now = Bus.now()
        guard now >= watched.last + .milliseconds(50) else { return }
        watched.last = now
        watched.peak = max(watched.peak, MemoryBenchmark.anonymousByteCount(of: "\(watched.pid)"))
    }
}
