// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TributaryCore
import TributaryTestSupport

/// Records for tests.
enum Example {
    /// A run in which everything that a record can hold is there.
    static func run(rounds: UInt32 = 30, federation: String = "smart-factory") -> RunRecord {
        var run = RunRecord(
            command: "simulate", federation: federation, seed: .max, version: "0.1.0", devices: 1_000, aggregators: 4)
        run.topologySHA256 = String(repeating: "ab", count: 32)
        run.startedAt = 1_795_573_556
        run.settings = [.init("rounds", "30"), .init("model.kind", "mlp"), .init("tiers.cloud.deadline", "60s")]
        run.tiers = [
            .init(name: "cloud", mode: .root, nodeCount: 1), .init(name: "region", mode: .stepping, nodeCount: 3),
            .init(name: "device", mode: .devices, nodeCount: 1_000),
        ]
        run.nodes =
            [.init(name: "cloud", parent: nil, tier: "cloud", clientCount: 1_000)]
            + ["north", "south", "west"].map { .init(name: $0, parent: "cloud", tier: "region", clientCount: 333) }
        run.rounds = (1...max(1, rounds)).map { round($0) }
        run.fairness = .init(round: rounds, accuracies: (0..<1_000).map { Double($0 % 97) / 97 })
        run.labels = .init(nodes: ["north", "south"], labels: ["shoe", "bag"], counts: [[7, 0], [1, 99]])
        run.faults = [
            .init(text: "north is cut off", fromSeconds: 25, untilSeconds: 60),
            .init(text: "west is killed", fromSeconds: 80, untilSeconds: nil),
        ]
        run.wallSeconds = 12.5
        run.virtualSeconds = 10 * Double(rounds)
        run.peakResidentBytes = 731_000_000
        run.clientRoundsPerSecond = 51_234.5
        run.modelPath = "runs/x/model.safetensors"
        run.directory = "runs/x"
        return run
    }

    static func round(_ number: UInt32) -> RunRecord.Round {
        var round = RunRecord.Round(round: number)
        let progress = Double(number) / Double(number + 5)
        round.accuracy = 0.9 * progress
        round.loss = 2.3 - 2 * progress
        round.trainAccuracy = 0.95 * progress
        round.trainLoss = 2.2 - 2 * progress
        if number.isMultiple(of: 3) { (round.deviceAccuracy, round.deviceLoss) = (0.8 * progress, 2.5 - 2 * progress) }
        round.selected = 100
        round.reported = 90 - UInt64(number % 7)
        round.bytesUp = ["region": 30_000, "device": 9_000_000 + UInt64(number)]
        round.bytesDown = ["region": 31_000, "device": 9_500_000]
        round.participation = [
            "region": .init(chosen: 3, reported: 2), "device": .init(chosen: 100, reported: round.reported),
        ]
        round.dropped = ["device": ["client.lost": 7, "update.late": 3]]
        round.refused = ["update.not_finite": 1]
        round.energyJoules = ["device": .init(compute: 12.5, radio: 3.25), "region": .init(compute: 0, radio: 0.5)]
        round.virtualSeconds = 10
        round.virtualEnd = 10 * Double(number)
        round.wallSeconds = 0.4
        if number == 4 {
            round.failure = "round.below_quorum"
            (round.accuracy, round.loss) = (nil, nil)
        } else {
            round.modelSHA256 = String(repeating: "0", count: 56) + String(10_000_000 + UInt64(number))
        }
        return round
    }

    /// Texts that mean something to HTML, JSON, XML or a terminal.
    static let hostileTexts = [
        "\"><script>alert(1)</script>", "a & b &amp; 'c'", "</title></svg><img src=x onerror=y>",
        "\u{0}\u{7}\u{1B}[31m",
        "\u{202E}ünïcode ☃ 𝕏", "line\nbreak\ttab\\\"", "]]>", "", " ", "${x} {{x}} <%= x %>", "\u{2028}\u{FFFF}",
    ]

    /// A run with any values in any places, the same for a seed.
    static func random(seed: UInt64) -> RunRecord {
        var generator = Generator(seed: seed)
        func text() -> String { hostileTexts[Int(generator.integer(0...UInt64(hostileTexts.count - 1)))] }
        func maybe<Value>(_ value: Value) -> Value? { generator.integer(0...2) == 0 ? nil : value }
        func number() -> Double {
            [0, -1.5, 0.1, 1e-300, 1.7976931348623157e308, 123_456.789, Double(bitPattern: 1)][
                Int(generator.integer(0...6))]
        }
        func count() -> UInt64 { [0, 1, .max, 1 << 53, (1 << 53) + 1, 77][Int(generator.integer(0...5))] }
        var run = RunRecord(
            command: text(), federation: text(), seed: count(), version: text(), devices: count(), aggregators: count())
        run.topologySHA256 = maybe(text())
        run.startedAt = maybe(count())
        run.isComplete = generator.integer(0...1) == 0
        run.settings = (0..<generator.integer(0...4)).map { _ in .init(text(), text()) }
        run.tiers = [
            .init(name: text(), mode: .root, nodeCount: count()), .init(name: text(), mode: .devices, nodeCount: 3),
        ]
        run.nodes = (0..<generator.integer(0...5)).map { _ in
            .init(name: text(), parent: maybe(text()), tier: text(), clientCount: count())
        }
        run.rounds = (0..<generator.integer(0...6)).map { position in
            var round = RunRecord.Round(round: UInt32(position))
            (round.accuracy, round.loss, round.trainLoss) = (maybe(number()), maybe(number()), maybe(number()))
            (round.trainAccuracy, round.deviceLoss) = (maybe(number()), maybe(number()))
            (round.selected, round.reported) = (count(), count())
            (round.bytesUp, round.bytesDown) = ([text(): count()], [text(): count()])
            round.participation = [text(): .init(chosen: count(), reported: count())]
            round.dropped = [text(): [text(): count()]]
            round.refused = [text(): count()]
            round.energyJoules = [text(): .init(compute: number(), radio: number())]
            (round.virtualSeconds, round.virtualEnd) = (maybe(number()), maybe(number()))
            round.wallSeconds = number()
            (round.modelSHA256, round.failure) = (maybe(text()), maybe(text()))
            return round
        }
        run.fairness = maybe(()).flatMap { .init(round: 3, accuracies: [0.5, 0.25, 1]) }
        run.labels = maybe(.init(nodes: [text()], labels: [text(), text()], counts: [[count(), count()]]))
        run.faults = (0..<generator.integer(0...2)).map { _ in
            .init(text: text(), fromSeconds: number(), untilSeconds: maybe(number()))
        }
        (run.wallSeconds, run.virtualSeconds) = (number(), maybe(number()))
        (run.peakResidentBytes, run.clientRoundsPerSecond) = (count(), number())
        (run.modelPath, run.directory) = (maybe(text()), maybe(text()))
        return run
    }
}

/// A directory of a test's own, removed when the value ends.
final class TemporaryDirectory {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "tributary-report-\(UUID().uuidString)").path()
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of a name in the directory.
    func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    @discardableResult
    func write(_ text: String, as name: String) throws -> String {
        try Data(text.utf8).write(to: URL(filePath: self(name)))
        return self(name)
    }

    func text(_ name: String) throws -> String { try String(contentsOfFile: self(name), encoding: .utf8) }
}

/// The scripts of Tests/Oracles/report.
enum Oracle {
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Runs a script to its end and decodes what it prints.
    static func run<Value: Decodable>(_ type: Value.Type, _ script: String, _ argument: String) throws -> Value {
        let python =
            ProcessInfo.processInfo.environment["TRIBUTARY_PYTHON"]
            ?? root.appending(path: ".build/venv/bin/python3").path()
        try #require(
            FileManager.default.isExecutableFile(atPath: python),
            "\(python) is missing: run Deploy/setup.sh --tests, or point TRIBUTARY_PYTHON at a Python with tensorboard")
        let process = Process()
        process.executableURL = URL(filePath: python)
        process.arguments = [root.appending(path: "Tests/Oracles/report/\(script)").path(), argument]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(script) failed")
        return try JSONDecoder().decode(type, from: data)
    }
}
