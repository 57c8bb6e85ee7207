// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import Synchronization
import TributaryBus
import TributaryCore

/// The devices of the bus benchmark, started by it as another process; keys and words come over standard input.
struct BusDevices: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bus-devices", abstract: "The devices of the bus benchmark.", shouldDisplay: false)

    @Option var way: String
    @Option var devices: Int
    @Option var bytes: Int
    @Option var directory: String
    @Option var turn: Int

    func run() throws {
        guard let way = BusBenchmark.Way(rawValue: way) else { throw ValidationError("unknown way") }
        let line = DeviceLine(deviceCount: devices, objectByteCount: bytes, directory: directory)
        switch way {
        case .bus, .journal:
            startThreads(line) { number in
                let seed = UInt64(turn) << 32 | UInt64(number + 1)
                try BusDevice(node: NodeName("device-\(number)"), number: number, seed: seed, line: line).run()
            }
        case .plainCopy, .plainLent:
            let plain = PlainDevices(line, way)
            startThreads(line) { try plain.runOne($0) }
        case .plainPolled:
            let plain = PlainDevices(line, way)
            BenchmarkThread.start {
                do { try plain.runAll() } catch { DeviceLine.fail(error) }
            }
        }
        line.serve()
    }

    private func startThreads(_ line: DeviceLine, _ body: @escaping @Sendable (Int) throws -> Void) {
        for number in 0..<line.deviceCount {
            BenchmarkThread.start {
                do { try body(number) } catch { DeviceLine.fail(error) }
            }
        }
    }
}

/// The line between the devices' threads and the benchmark: who is ready, when to begin, who is done.
final class DeviceLine: Sendable {
    let deviceCount: Int
    let objectByteCount: Int
    let directory: String
    let endpoint: String
    let parentKeyText: String
    let secrets: [String]
    private let readyCount = Atomic<Int>(0)
    private let doneCount = Atomic<Int>(0)
    /// Read ends that become readable (their write ends close) at the word to begin, and at the end.
    private let word: [Int32]
    private let end: [Int32]

    init(deviceCount: Int, objectByteCount: Int, directory: String) {
        self.deviceCount = deviceCount
        self.objectByteCount = objectByteCount
        self.directory = directory
        endpoint = readLine() ?? ""
        parentKeyText = readLine() ?? ""
        secrets = (0..<deviceCount).map { _ in readLine() ?? "" }
        word = DeviceLine.makePipe()
        end = DeviceLine.makePipe()
    }

    private static func makePipe() -> [Int32] {
        var ends: [Int32] = [0, 0]
        return pipe(&ends) == 0 ? ends : []
    }

    func countReady() { count(readyCount, "ready") }
    func countDone() { count(doneCount, "done") }
    func waitForWord() { DeviceLine.wait(word) }
    func waitForEnd() { DeviceLine.wait(end) }

    /// Passes the benchmark's words to the threads until it says the last one.
    func serve() {
        while let word = readLine() {
            if word == "go" { close(self.word[1]) }
            if word == "end" { break }
        }
        exit(0)
    }

    static func fail(_ error: any Error) {
        let bytes = Array("\(error)\n".utf8)
        _ = write(2, bytes, bytes.count)
        exit(1)
    }

    private static func wait(_ pipe: [Int32]) {
        var byte: UInt8 = 0
        _ = read(pipe[0], &byte, 1)
    }

    private func count(_ counter: borrowing Atomic<Int>, _ word: String) {
        guard counter.add(1, ordering: .sequentiallyConsistent).newValue == deviceCount else { return }
        let bytes = Array((word + "\n").utf8)
        _ = write(1, bytes, bytes.count)
    }
}

/// A thread that runs a closure.
enum BenchmarkThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    static func start(_ run: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(Body(run)).toOpaque()
        let result = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, argument)
        precondition(result == 0, "no thread could be started")
        pthread_detach(thread)
    }
}
