// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import TributaryBus
import TributaryCore
import TributaryFiles
import TributaryRing

/// A round of many devices over CURVE on loopback, against what plain libzmq moves with the same frames.
///
/// This process is the aggregator; all devices live in one other process, a thread each. In a round each device pulls
/// the model, digests and stores its update, and offers it; the aggregator pulls, verifies and stores it. Rounds of the
/// bus and of three plain versions alternate on fresh connections; each counts with its median, the plain ones with the
/// fastest version's.
enum BusBenchmark {
    /// What a round moves.
    struct Load {
        var deviceCount: Int
        var objectByteCount: Int
        var repetitions: Int
        var directory: String

        /// Payload in both directions, without frames.
        var byteCount: Double { 2 * Double(deviceCount) * Double(objectByteCount) }
    }

    /// How a round moves its bytes.
    enum Way: String, CaseIterable {
        /// The project's bus: digests, admission, protobuf and stores included.
        case bus
        /// The same with a journal: updates are on the disk before their receipts leave.
        case journal
        /// libzmq alone; each frame copied into libzmq; a thread per device.
        case plainCopy = "plain-copy"
        /// libzmq alone; frames lent to libzmq; a thread per device.
        case plainLent = "plain-lent"
        /// libzmq alone; frames lent to libzmq; all devices polled by one thread.
        case plainPolled = "plain-polled"
    }

    static let chunkByteCount = Limits.deviceChunkByteCount

    /// A ring as plans have it; nothing is folded here.
    static func ring() throws -> RingParameters {
        try RingParameters(deltaBound: 8, weightMax: 1 << 20, cohortMax: 1 << 12)
    }

    static func run(_ load: Load) throws -> BenchmarkResult {
        var seconds: [Way: [Double]] = [:]
        // The first turn warms up and does not count.
        for turn in 0...load.repetitions {
            for way in Way.allCases {
                let time = try measure(way, load, turn: turn)
                if turn > 0 { seconds[way, default: []].append(time) }
            }
        }
        func speed(_ way: Way) -> Double {
            let sorted = (seconds[way] ?? []).sorted()
            return sorted.isEmpty ? 0 : load.byteCount / sorted[sorted.count / 2]
        }
        let plain = Way.allCases.filter { $0 != .bus && $0 != .journal }.map { (way: $0, speed: speed($0)) }
        return BenchmarkResult(
            name: "bus", value: speed(.bus), unit: "B/s", limit: plain.map(\.speed).max() ?? 0,
            details: [
                ("devices", "\(load.deviceCount)"), ("bytes per object", "\(load.objectByteCount)"),
                ("chunk", "\(chunkByteCount)"), ("repetitions", "\(load.repetitions), median of each"),
                ("journal", "off; on: \(Int(speed(.journal) / 1e6)) MB/s"),
            ] + plain.map { ($0.way.rawValue, "\(Int($0.speed / 1e6)) MB/s") })
    }

    /// One round's seconds, from the word to begin until every device has its receipt.
    private static func measure(_ way: Way, _ load: Load, turn: Int) throws -> Double {
        let directory = "\(load.directory)/\(way.rawValue)-\(turn)"
        try Directory.create(directory)
        defer { Directory.removeAll(directory) }
        let aggregator: any BenchmarkAggregator =
            switch way {
            case .bus, .journal:
                try BusAggregator(load, directory: directory, turn: turn, journals: way == .journal)
            case .plainCopy, .plainLent, .plainPolled: try PlainAggregator(load, way)
            }
        defer { aggregator.close() }
        let devices = try NodeProcess(
            name: "devices",
            arguments: [
                "bench", "bus-devices", "--way", way.rawValue, "--devices", "\(load.deviceCount)", "--bytes",
                "\(load.objectByteCount)", "--directory", directory, "--turn", "\(turn)",
            ], log: "\(directory)/devices.log")
        devices.send(aggregator.endpoint)
        devices.send(aggregator.publicKeyText)
        for secret in aggregator.deviceSecrets { devices.send(secret) }
        let patience = Bus.now() + .seconds(120)
        try wait(for: "ready", from: devices, by: patience, driving: aggregator, directory)
        let start = Bus.now()
        devices.send("go")
        try wait(for: "done", from: devices, by: patience, driving: aggregator, directory)
        let seconds = (Bus.now() - start).seconds
        devices.send("end")
        while !devices.hasEnded(), Bus.now() < patience { aggregator.work() }
        return seconds
    }

    private static func wait(
        for word: String, from devices: NodeProcess, by patience: Moment, driving aggregator: any BenchmarkAggregator,
        _ directory: String
    ) throws {
        while true {
            aggregator.work()
            if devices.takeLines().contains(word) { return }
            guard Bus.now() < patience, !devices.hasEnded() else {
                devices.signal(SIGKILL)
                let log = (try? SmallFile.read("\(directory)/devices.log", byteCountMax: 1 << 16)) ?? []
                throw CommandError(
                    "bench.failed", "the devices did not get \(word): \(String(decoding: log, as: UTF8.self))")
            }
        }
    }
}

/// The aggregator's side of one round, in this process.
protocol BenchmarkAggregator: AnyObject {
    var endpoint: String { get }
    var publicKeyText: String { get }
    /// A secret key for each device.
    var deviceSecrets: [String] { get }
    /// Does what is to be done, and waits a millisecond at most.
    func work()
    func close()
}

/// Bytes that no two seeds share.
func benchmarkBytes(_ byteCount: Int, seed: UInt64) -> [UInt8] {
    var random = CounterRandom(seed: seed, purpose: .synthetic)
    return [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
        let bytes = UnsafeMutableRawBufferPointer(buffer)
        for offset in stride(from: 0, to: byteCount - 7, by: 8) {
            bytes.storeBytes(of: random.next(), toByteOffset: offset, as: UInt64.self)
        }
        for offset in (byteCount / 8 * 8)..<byteCount { bytes[offset] = UInt8(truncatingIfNeeded: random.next()) }
        count = byteCount
    }
}
