// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryRing
import TributaryWire

@Suite("Values to frames and back")
struct RoundTripTests {
    @Test("Every message comes back as it was", arguments: 0..<RandomMessages.kindCount)
    func messages(kind: Int) throws {
        for seed in 0..<200 {
            var random = RandomMessages(seed: UInt64(seed))
            let envelope = random.envelope(kind: kind)
            let bytes = try encode(envelope)
            #expect(bytes.count == Wire.byteCount(of: envelope))
            #expect(try decode(bytes) == WireFrame(body: .message(envelope)), "seed \(seed)")
        }
    }

    @Test("Requests and probes come back as they were")
    func transfers() throws {
        for seed in 0..<200 {
            var random = RandomMessages(seed: UInt64(seed))
            let (digest, offset, length) = random.fetch()
            let fetch = Fetch(digest: digest, offset: offset, length: length)
            #expect(try decode(encode(fetch)) == WireFrame(body: .fetch(fetch)))
        }
        #expect(try decode(encodePing()) == WireFrame(body: .ping))
    }

    @Test("Join requests and their answers come back as they were, and fit a join bind")
    func joins() throws {
        for seed in 0..<200 {
            var random = RandomMessages(seed: UInt64(seed))
            let (join, joined) = (random.join(), random.joined())
            let frame = try Wire.frame(of: join)
            #expect(frame.count <= Limits.joinByteCount)
            #expect(try decode(frame) == WireFrame(body: .join(join)), "seed \(seed)")
            #expect(try decode(Wire.frame(of: joined)) == WireFrame(body: .joined(joined)), "seed \(seed)")
        }
    }

    @Test(
        "A chunk's payload is found where it lies, and its frame's size is known beforehand",
        arguments: [1, 2, 127, 128, 16_383, 16_384, 65_535, 65_536])
    func chunks(byteCount: Int) throws {
        let payload = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for offset in [0, 1, 127, 128, 65_536, 1 << 31, 4 << 30] as [UInt64] {
            let bytes = try encodeChunk(digest: .example, offset: offset, payload: payload)
            #expect(bytes.count == Wire.chunkByteCount(offset: offset, payloadByteCount: byteCount))
            guard case .chunk(let chunk) = try decode(bytes).body else {
                Issue.record("a chunk is a chunk")
                return
            }
            #expect(chunk.digest == .example && chunk.offset == offset)
            #expect(Array(bytes[chunk.payload]) == payload)
        }
    }

    @Test("A trace context travels with a message")
    func trace() throws {
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        let envelope = Envelope(run: nil, epoch: TopologyEpoch(1), message: .drain(Drain(reason: .stopped)))
        #expect(try decode(encode(envelope, trace: trace)) == WireFrame(body: .message(envelope), trace: trace))
    }

    @Test("A refusal's text is cut to whole characters within its limit")
    func longText() throws {
        let text = "a" + String(repeating: "\u{1f333}", count: 300)
        let refuse = Refuse(subject: .connection, reason: .malformed, text: text)
        let envelope = Envelope(run: nil, epoch: TopologyEpoch(1), message: .refuse(refuse))
        guard case .message(let back) = try decode(encode(envelope)).body, case .refuse(let cut) = back.message else {
            Issue.record("a refusal is a refusal")
            return
        }
        #expect(cut.text.utf8.count == 509 && text.hasPrefix(cut.text))
    }

    @Test("A duration below a millisecond is rounded down, a negative one to none")
    func durations() throws {
        for (duration, expected) in [(Duration.microseconds(1999), 1), (.seconds(-3), 0)] as [(Duration, Int64)] {
            let envelope = Envelope(run: nil, epoch: TopologyEpoch(1), message: .wait(Wait(retryAfter: duration)))
            var rounded = envelope
            rounded.message = .wait(Wait(retryAfter: .milliseconds(expected)))
            #expect(try decode(encode(envelope)) == WireFrame(body: .message(rounded)))
        }
    }

    @Test("A buffer that is too small is refused, not overrun")
    func smallBuffer() throws {
        let envelope = Envelope(run: nil, epoch: TopologyEpoch(1), message: .drain(Drain(reason: .stopped)))
        let byteCount = Wire.byteCount(of: envelope)
        var bytes = [UInt8](repeating: 7, count: byteCount - 1)
        #expect(throws: WireError.oversized(byteCount: byteCount, maximum: byteCount - 1)) {
            try bytes.withUnsafeMutableBytes { try Wire.encode(envelope, into: $0) }
        }
        #expect(bytes.allSatisfy { $0 == 7 })
    }
}

extension Digest {
    /// The bytes 0 to 31.
    static var example: Digest {
        guard let digest = Digest((0..<32).map { UInt8($0) }) else { preconditionFailure("32 bytes are a digest") }
        return digest
    }
}
