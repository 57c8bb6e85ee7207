// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryRing

@testable import TributaryWire

@Suite("Frames that are not messages")
struct BadFrameTests {
    @Test("Any bytes give a value or an error")
    func anyBytes() {
        var random = CounterRandom(seed: 11, purpose: .synthetic)
        var accepted = 0
        for _ in 0..<100_000 {
            let bytes = (0..<random.next(below: 64)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            if (try? decode(bytes)) != nil { accepted += 1 }
        }
        #expect(accepted < 100)
    }

    @Test("A mutated message gives a value or an error", arguments: 0..<RandomMessages.kindCount)
    func mutations(kind: Int) throws {
        var random = CounterRandom(seed: UInt64(kind), purpose: .shuffle)
        var refused = 0
        for seed in 0..<40 {
            var messages = RandomMessages(seed: UInt64(seed))
            let honest = try encode(messages.envelope(kind: kind))
            for _ in 0..<100 {
                var bytes = honest
                for _ in 0...random.next(below: 4) {
                    bytes[Int(random.next(below: UInt64(bytes.count)))] = UInt8(truncatingIfNeeded: random.next())
                }
                if (try? decode(bytes)) == nil { refused += 1 }
            }
        }
        #expect(refused > 0)
    }

    @Test("A frame cut anywhere is refused", arguments: 0..<RandomMessages.kindCount)
    func truncation(kind: Int) throws {
        var messages = RandomMessages(seed: 3)
        let bytes = try encode(messages.envelope(kind: kind))
        for count in 0..<bytes.count {
            #expect(throws: WireError.self) { try decode(Array(bytes[..<count])) }
        }
    }

    @Test("A chunk cut anywhere is refused")
    func truncatedChunk() throws {
        let bytes = try encodeChunk(digest: .example, offset: 300, payload: [1, 2, 3])
        for count in 0..<bytes.count {
            #expect(throws: WireError.self) { try decode(Array(bytes[..<count])) }
        }
    }

    @Test("A frame above the link's size is refused before it is read")
    func oversized() {
        #expect(throws: WireError.oversized(byteCount: 101, maximum: 100)) {
            try decode([UInt8](repeating: 0xff, count: 101), frameByteCountMax: 100)
        }
        #expect(WireError.oversized(byteCount: 101, maximum: 100).reason == .oversized)
    }

    @Test("A chunk above the link's chunk size is refused, though its frame would fit")
    func oversizedChunk() throws {
        let maximum = Limits.deviceChunkByteCount
        let fits = try encodeChunk(digest: .example, offset: 0, payload: [UInt8](repeating: 1, count: maximum))
        _ = try decode(fits)
        let over = try encodeChunk(digest: .example, offset: 0, payload: [UInt8](repeating: 1, count: maximum + 1))
        #expect(throws: WireError.oversized(byteCount: maximum + 1, maximum: maximum)) { try decode(over) }
    }

    @Test("Unknown fields are skipped and counted, at every depth")
    func unknownFields() throws {
        var ready = HandWriter()
        ready.varint(1, 5)
        ready.varint(900, 7)
        var writer = HandWriter()
        writer.varint(3, 1)
        writer.bytes(7, [1, 2, 3])
        writer.double(8, 1)
        writer.bytes(16, ready.bytes)
        let frame = try decode(writer.bytes)
        #expect(frame.unknownFieldCount == 3)
        let expected = Envelope(run: nil, epoch: TopologyEpoch(0), message: .ready(Ready(clientCount: 5)))
        #expect(frame.body == .message(expected))
    }

    @Test("An unknown kind is named in its refusal")
    func unknownKind() {
        let error = WireError.unknownKind(77)
        #expect(throws: error) { try decode(HandWriter.envelope(kind: 77, [])) }
        #expect(error.reason == .unknownKind)
    }

    @Test("Another version of the protocol is refused as such, whatever else it holds")
    func version() {
        for version in [0, 2, 1000] as [UInt64] {
            let error = WireError.version(UInt32(version))
            #expect(throws: error) { try decode(HandWriter.envelope(kind: 77, [], version: version)) }
            #expect(error.reason == .wireVersion)
        }
    }

    @Test("An envelope without a message, groups and overlong numbers are malformed")
    func malformed() {
        let frames: [[UInt8]] = [
            [0x18, 1],  // a version alone
            [0x18, 1, 0x0b, 0x0c],  // a group
            [0x18, 1, 0x00],  // field number 0
            [0x18, 1, 0x1e],  // wire type 6
            [0x18, 1] + [UInt8](repeating: 0xff, count: 11),  // a tag of 11 bytes
            [0x18] + [UInt8](repeating: 0x80, count: 10) + [1],  // a number of 11 bytes
            [0x18, 1, 0x18, 1, 0x72, 0],  // the version twice
            [0x18, 1, 0x72, 0, 0x72, 0],  // the kind twice
            [0x18, 1, 0x72, 0, 0x82, 1, 2, 8, 1],  // two kinds
            [0x18, 1, 0x70, 0],  // ping as a number
            [0x18, 1, 0x0a, 1, 0, 0x72, 0],  // a zero byte in the run's name
        ]
        for frame in frames {
            #expect(throws: WireError.self, "\(frame)") { try decode(frame) }
        }
        #expect(throws: WireError.version(0)) { try decode([]) }
    }

    @Test("Every allocation that protobuf-c asks for may fail", arguments: 0..<RandomMessages.kindCount)
    func failingAllocations(kind: Int) throws {
        var messages = RandomMessages(seed: 5)
        let bytes = try encode(messages.envelope(kind: kind))
        try bytes.withUnsafeBytes { frame in
            var blocks = 0
            while true {
                var budget = UnpackBudget(byteCountMax: 1 << 20, blockCountMax: blocks)
                do throws(WireError) {
                    _ = try UnpackedEnvelope(frame, budget: &budget)
                    break
                } catch {
                    #expect(error == .budget(byteCount: 1 << 20))
                }
                blocks += 1
                try #require(blocks < 1000)
            }
            #expect(blocks > 1)
        }
    }
}

@Suite("Frames that ask for much memory")
struct AmplificationTests {
    /// As many copies of a field as a device's frame holds.
    private func filled(_ field: (inout HandWriter) -> Void) -> [UInt8] {
        var one = HandWriter()
        field(&one)
        return Array(repeatElement(one.bytes, count: (deviceFrameByteCountMax - 64) / one.bytes.count).joined())
    }

    /// What protobuf-c would take for the frame under the budget of a device's link.
    private func taken(_ frame: [UInt8]) -> (error: WireError?, budget: UnpackBudget) {
        var budget = UnpackBudget(frameByteCountMax: deviceFrameByteCountMax)
        var failure: WireError?
        frame.withUnsafeBytes { bytes in
            do throws(WireError) {
                _ = try UnpackedEnvelope(bytes, budget: &budget)
            } catch {
                failure = error
            }
        }
        return (failure, budget)
    }

    /// The vectors that were measured to take up to 76 times their size.
    private var vectors: [(name: String, frame: [UInt8])] {
        [
            ("empty sub-messages", HandWriter.envelope(kind: 22, filled { $0.bytes(4, []) })),
            ("unknown varints", HandWriter.envelope(kind: 14, filled { $0.varint(15, 1) })),
            ("unpacked numbers", layout(filled { $0.varint(2, 1) })),
            ("packed numbers", layout(packed)),
            ("empty texts", HandWriter.envelope(kind: 22, filled { $0.bytes(5, [0x0a, 0]) })),
        ]
    }

    private var packed: [UInt8] {
        var writer = HandWriter()
        writer.bytes(2, [UInt8](repeating: 1, count: deviceFrameByteCountMax - 128))
        return writer.bytes
    }

    /// A welcome whose only tensor has the given fields.
    private func layout(_ fields: [UInt8]) -> [UInt8] {
        let welcome = ([2, 1, 2] as [UInt32]).reduce(fields) { inner, field in
            var writer = HandWriter()
            writer.bytes(field, inner)
            return writer.bytes
        }
        return HandWriter.envelope(kind: 11, welcome)
    }

    @Test("protobuf-c takes no more than the budget", arguments: 0..<5)
    func budget(vector: Int) throws {
        let (name, frame) = vectors[vector]
        try #require(frame.count <= deviceFrameByteCountMax)
        let (error, budget) = taken(frame)
        #expect(error == .budget(byteCount: budget.byteCountMax), "\(name)")
        #expect(budget.byteCount <= Limits.unpackBudgetFactor * deviceFrameByteCountMax)
        #expect(budget.blockCount <= 2 * Limits.fieldCountMax + 64)
    }

    @Test("The whole decoder refuses them as oversized", arguments: 0..<5)
    func decoder(vector: Int) {
        let (name, frame) = vectors[vector]
        do {
            _ = try decode(frame)
            Issue.record("\(name) was accepted")
        } catch {
            #expect(error.reason == .oversized, "\(name): \(error)")
        }
    }

    @Test("Deep nesting costs nothing: an unknown message is not entered")
    func nesting() throws {
        var inner: [UInt8] = []
        for _ in 0..<3000 {
            var writer = HandWriter()
            writer.bytes(900, inner)
            inner = writer.bytes
        }
        let frame = try decode(HandWriter.envelope(kind: 14, inner))
        #expect(frame == WireFrame(body: .ping, unknownFieldCount: 1))
    }

    @Test("The largest honest layout fits both budgets")
    func largestLayout() throws {
        let name = String(repeating: "n", count: 24)
        let tensors = (0..<Limits.tensorCountMax).map { number in
            ParameterTensor(name: "\(name)\(number)", group: "group\(number / 16)", shape: [3, 3, 64, 64])
        }
        let welcome = Welcome(wireVersion: 1, layout: try ParameterLayout(tensors: tensors))
        let envelope = Envelope(run: RunID("run"), epoch: TopologyEpoch(1), message: .welcome(welcome))
        let frame = try encode(envelope)
        #expect(frame.count < deviceFrameByteCountMax)
        #expect(try decode(frame) == WireFrame(body: .message(envelope)))
    }
}
