// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TributaryCore
import TributaryRing
import TributaryWire

@Suite("Python's protobuf reads what we write, and we read what it writes", .serialized)
struct PythonInteropTests {
    @Test("Random messages of every kind, taken apart and built anew by Python, come back as they were")
    func relay() throws {
        var sent: [(frame: [UInt8], body: WireBody)] = []
        for seed in 0..<40 {
            var random = RandomMessages(seed: UInt64(1000 + seed))
            for kind in 0..<RandomMessages.kindCount {
                let envelope = random.envelope(kind: kind)
                sent.append((try encode(envelope), .message(envelope)))
            }
            let (digest, offset, length) = random.fetch()
            let fetch = Fetch(digest: digest, offset: offset, length: length)
            sent.append((try encode(fetch), .fetch(fetch)))
            let (join, joined) = (random.join(), random.joined())
            sent.append((try Wire.frame(of: join), .join(join)))
            sent.append((try Wire.frame(of: joined), .joined(joined)))
        }
        sent.append((try encodePing(), .ping))
        let chunk = try encodeChunk(digest: .example, offset: 5, payload: [7, 8, 9])
        sent.append((chunk, try decode(chunk).body))

        let received = try Python.interop("relay", sent.map(\.frame))
        try #require(received.count == sent.count)
        for (frame, original) in zip(received, sent) {
            #expect(try decode(frame) == WireFrame(body: original.body))
        }
    }

    @Test("Examples written by hand on both sides mean the same")
    func examples() throws {
        let envelopes = Examples.messages.map {
            Envelope(run: RunID("smart-factory-1"), epoch: TopologyEpoch(2), message: $0)
        }
        let fetch = Fetch(digest: .example, offset: 65_536, length: 1000)
        var frames = try envelopes.map { try encode($0) }
        frames.insert(
            contentsOf: [try encode(fetch), try encodeChunk(digest: .example, offset: 300, payload: [1, 2, 3])]
                + [try encodePing()], at: 3)
        var bodies = envelopes.map { WireBody.message($0) }
        let payload = frames[4].count - 3..<frames[4].count
        let chunk = Chunk(digest: .example, offset: 300, payload: payload)
        bodies.insert(contentsOf: [.fetch(fetch), .chunk(chunk), .ping], at: 3)

        let received = try Python.interop("examples", frames)
        try #require(received.count == bodies.count)
        for (frame, body) in zip(received, bodies) {
            #expect(try decode(frame) == WireFrame(body: body))
        }
    }
}

/// The examples of Tests/Python/interop.py, in its order, without those below a message.
private enum Examples {
    static let number = RoundNumber(round: 3, edgeRound: 2)
    static let key = UpdateKey(node: NodeName("camera-1"), sequence: 5)
    static let sumKey = SumKey(node: NodeName("eu-west"), number: number, revision: 4)
    static let metrics = [MetricCounter(name: "loss", numerator: -7, denominator: 60)]

    static func object(_ byteCount: UInt64) -> ObjectReference {
        ObjectReference(digest: .example, byteCount: byteCount)
    }

    static func refuse(_ subject: Refuse.Subject, _ reason: ReasonCode, _ text: String = "") -> Message {
        .refuse(Refuse(subject: subject, reason: reason, text: text))
    }

    static func plan(_ kind: RoundPlan.Kind, _ selection: Selection, milliseconds: Int, seed: UInt64) -> Message {
        let model = ModelReference(
            digest: .example, sources: [.init(object: object(31_404), encoding: .float32)])
        return .plan(
            RoundPlan(
                number: number, kind: kind, model: model, groups: kind == .evaluate ? [] : [group],
                selection: selection, timeLeft: .milliseconds(milliseconds), seed: seed))
    }

    static var group: GroupPlan {
        do {
            let ring = try RingParameters(deltaBound: 8, weightMax: 1 << 20, cohortMax: 1 << 12)
            return GroupPlan(
                name: "body", parameterCount: 7841, ring: ring, encoding: .float32, normaliser: .count)
        } catch {
            preconditionFailure("the example's ring is sound: \(error)")
        }
    }

    static var layout: ParameterLayout {
        do {
            return try ParameterLayout(tensors: [
                ParameterTensor(name: "dense.weight", group: "body", shape: [784, 10]),
                ParameterTensor(name: "scale", group: "body", shape: []),
                ParameterTensor(name: "bias", group: "head", shape: [10]),
            ])
        } catch {
            preconditionFailure("the example's layout is sound: \(error)")
        }
    }

    static var messages: [Message] { up + refusals + rounds + sums }

    private static var up: [Message] {
        [
            .hello(
                Hello(
                    node: NodeName("camera-1"), role: .client(ClientIndex(7)), wireVersions: 1...3,
                    encodings: [.float32, .ring], topology: .example)),
            .hello(
                Hello(
                    node: NodeName("eu-west"), role: .aggregator, wireVersions: 1...1, encodings: [], topology: nil)),
            .welcome(Welcome(wireVersion: 1, layout: layout)),
        ]
    }

    private static var refusals: [Message] {
        [
            refuse(.connection, .malformed, "gr\u{f6}\u{df}er"), refuse(.update(key), .notFinite),
            refuse(.sum(sumKey), .duplicate), refuse(.object(.example), .unknownObject),
            .ready(Ready(clientCount: 250)),
            .working(Working(number: number, chosenCount: 9, reportedCount: 8, permille: 700)),
            .leave(Leave(reason: .left)), .wait(Wait(retryAfter: .milliseconds(1500))),
            .drain(Drain(reason: .stopped)),
        ]
    }

    private static var rounds: [Message] {
        let sgd = TrainSettings(
            work: .epochs(2), batch: 32, optimizer: .sgd(learningRate: 0.5, momentum: 0.75), proximal: 0.25)
        let adam = TrainSettings(
            work: .steps(60), batch: 16,
            optimizer: .adam(learningRate: 0.125, beta1: 0.5, beta2: 0.25, epsilon: 0.0625))
        return [
            plan(.train(sgd), .count(100, overSelect: 1.5), milliseconds: 60_000, seed: .max - 1),
            plan(.train(adam), .all, milliseconds: 1, seed: 7),
            plan(.train(.noTraining), .all, milliseconds: 3, seed: 7),
            plan(.evaluate, .all, milliseconds: 2, seed: 7),
            .update(
                Update(
                    key: key, number: number, base: .example,
                    groups: [.init(weight: 600, encoding: .float32, byteCount: 31_364)], metrics: metrics,
                    body: object(31_364))),
            .update(
                Update(
                    key: key, number: number, base: .example,
                    groups: [.init(weight: 1, encoding: .float32, byteCount: 4)], metrics: [], body: object(4),
                    voice: .init(chosenCount: 3, contributorCount: 2))),
            .receipt(Receipt(subject: .update(key), durability: .memory)),
            .receipt(Receipt(subject: .sum(sumKey), durability: .disk)),
            .roundClosed(RoundClosed(number: number, outcome: .committed(contributorCount: 11))),
            .roundClosed(RoundClosed(number: number, outcome: .failed(.belowQuorum))),
        ]
    }

    private static var sums: [Message] {
        let names = [
            ContributionName(high: 1, low: 2), ContributionName(high: 0x0102_0304_0506_0708, low: 0xf << 60),
        ]
        return [
            .sumOffer(
                SumOffer(
                    key: sumKey, names: object(64), chosenCount: 6, contributorCount: 5, contributionCount: 4,
                    reason: .belowQuorum)),
            .sumGrant(SumGrant(key: sumKey, exclude: names)),
            .sum(
                Sum(
                    key: sumKey, base: .example, contributorCount: 5, contributionCount: 4,
                    groups: [.init(totalWeight: 2400, byteCount: 99)], metrics: metrics, body: object(99))),
        ]
    }
}

/// The tests' Python environment; it is part of the set-up, so its absence is a failure.
private enum Python {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Hands frames to Tests/Python/interop.py and returns the frames that it writes.
    static func interop(_ verb: String, _ frames: [[UInt8]]) throws -> [[UInt8]] {
        let python = root.appending(path: ".build/venv/bin/python")
        guard FileManager.default.isExecutableFile(atPath: python.path) else {
            throw Failure(description: "\(python.path) is missing; run Deploy/setup.sh --tests (make test does)")
        }
        let directory = FileManager.default.temporaryDirectory.appending(path: "interop-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let (source, target) = (directory.appending(path: "in"), directory.appending(path: "out"))
        try Data(frames.flatMap { lengthPrefix($0.count) + $0 }).write(to: source)

        let process = Process()
        let errors = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/timeout")
        process.arguments = [
            "120", python.path, root.appending(path: "Tests/Python/interop.py").path, verb, source.path, target.path,
        ]
        process.standardError = errors
        try process.run()
        let text = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "interop.py \(verb) failed: \(String(decoding: text, as: UTF8.self))")
        }
        return split([UInt8](try Data(contentsOf: target)))
    }

    private static func lengthPrefix(_ count: Int) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) }
    }

    private static func split(_ bytes: [UInt8]) -> [[UInt8]] {
        var frames: [[UInt8]] = []
        var rest = bytes[...]
        while rest.count >= 4 {
            let count = rest.prefix(4).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
            rest = rest.dropFirst(4)
            frames.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return frames
    }
}
