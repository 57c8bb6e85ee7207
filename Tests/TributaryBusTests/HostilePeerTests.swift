// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import CZeroMQ
import Testing
import TributaryCore
import TributaryCrypto
import TributaryWire

@testable import TributaryBus

/// A child with an admitted key that sends what it likes.
private final class RawChild {
    let socket: ZeroMQSocket
    private let message = IncomingMessage()

    init(to parent: Node, at endpoint: String, keys: CurveKeyPair, routingID: String? = nil) throws {
        socket = try ZeroMQContext.shared.socket(ZMQ_DEALER)
        SocketOptions.prepareLink(socket, identity: keys, parentKey: parent.keys.publicKey, usesIPv6: false)
        if let routingID { socket.set(ZMQ_ROUTING_ID, routingID) }
        try socket.connect(endpoint)
    }

    /// Sends the parts of one message as soon as the connection takes them.
    func send(_ parts: [[UInt8]], driving nodes: [Node]) throws {
        for (position, part) in parts.enumerated() {
            var isSent = false
            try drive(nodes) {
                if !isSent { isSent = socket.send(part, more: position < parts.count - 1) == .sent }
                return isSent
            }
        }
    }

    /// The next message that the parent sent.
    func receive(driving nodes: [Node]) throws -> Message? {
        var isReceived = false
        try drive(nodes) {
            if !isReceived { isReceived = socket.receive(into: message) }
            return isReceived
        }
        let frame = try Wire.decode(message.bytes, frameByteCountMax: Bus.linkFrameByteCountMax)
        if case .message(let envelope) = frame.body { return envelope.message }
        return nil
    }
}

private func frame(of fetch: Fetch) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Wire.byteCount(of: fetch))
    _ = try bytes.withUnsafeMutableBytes { try Wire.encode(fetch, into: $0) }
    return bytes
}

private func frame(chunkOf digest: Digest, at offset: UInt64, _ payload: [UInt8]) throws -> [UInt8] {
    let byteCount = Wire.chunkByteCount(offset: offset, payloadByteCount: payload.count)
    var bytes = [UInt8](repeating: 0, count: byteCount)
    _ = try bytes.withUnsafeMutableBytes { buffer in
        try payload.withUnsafeBytes {
            try Wire.encodeChunk(digest: digest, offset: offset, payload: $0, into: buffer)
        }
    }
    return bytes
}

private func frame(of envelope: Envelope) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Wire.byteCount(of: envelope))
    _ = try bytes.withUnsafeMutableBytes { try Wire.encode(envelope, into: $0) }
    return bytes
}

/// A parent with a well-behaved child and a hostile one, to see that the first never suffers from the second.
private struct Scene {
    let parent: Node
    let good: Node
    let session: Peer
    let hostile: RawChild

    init(routingID: String? = nil) throws {
        parent = try Node()
        good = try Node()
        let key = try CurveKeyPair.generate()
        var admission = Admission()
        admission.admit(good.keys.publicKey, as: NodeName("good"))
        admission.admit(key.publicKey, as: NodeName("hostile"))
        let endpoint = try parent.bus.bind(
            "tcp://127.0.0.1:*", identity: parent.keys, admission: admission,
            chunkByteCount: Limits.deviceChunkByteCount)
        session = try introduce(good, over: good.connect(to: parent, at: endpoint), to: parent)
        hostile = try RawChild(to: parent, at: endpoint, keys: key, routingID: routingID)
    }

    var nodes: [Node] { [parent, good] }

    func expectGoodChildIsServed() throws {
        let object = good.store.add(noise(byteCount: 700_000, seed: 99))
        parent.bus.fetch(object, from: session)
        try drive(nodes) { parent.fetched.contains(object) }
        #expect(!parent.gone.contains(session))
    }
}

@Suite(.serialized, .timeLimit(.minutes(2)))
struct HostilePeerTests {
    @Test func garbageIsRefusedAndCounted() throws {
        let scene = try Scene()
        var random = CounterRandom(seed: 1, purpose: .synthetic)
        for round in 0..<300 {
            let byteCount = Int(random.next(below: 400))
            try scene.hostile.send([noise(byteCount: byteCount, seed: UInt64(round))], driving: scene.nodes)
        }
        try drive(scene.nodes) { scene.parent.bus.refusals.values.reduce(0, +) == 300 }
        // Told and answered only as often as the budget allows.
        #expect(scene.parent.violations.count >= 10 && scene.parent.violations.count < 60)
        guard case .refuse(let refuse)? = try scene.hostile.receive(driving: scene.nodes) else {
            Issue.record("no refusal came")
            return
        }
        #expect(refuse.subject == .connection)
        #expect(scene.parent.messages.count == 1)
        try scene.expectGoodChildIsServed()
    }

    @Test func aFrameBeyondTheLimitEndsItsConnectionOnly() throws {
        let scene = try Scene()
        try scene.hostile.send([try frame(of: ready(1))], driving: scene.nodes)
        try drive(scene.nodes) { scene.parent.messages.count == 2 }
        let peer = try #require(scene.parent.messages.last).peer
        let most = Wire.frameByteCountMax(chunkByteCount: Limits.deviceChunkByteCount)
        try scene.hostile.send([[UInt8](repeating: 1, count: most + 1)], driving: scene.nodes)
        try drive(scene.nodes) { scene.parent.gone == [peer] }
        try scene.expectGoodChildIsServed()
    }

    @Test func messagesOfSeveralFramesAreRefused() throws {
        let scene = try Scene()
        try scene.hostile.send([try frame(of: ready(1)), [1], [2, 3]], driving: scene.nodes)
        try scene.hostile.send([try frame(of: ready(2))], driving: scene.nodes)
        try drive(scene.nodes) { scene.parent.messages.count == 2 }
        #expect(scene.parent.messages.last?.envelope == ready(2))
        #expect(scene.parent.bus.refusals == [.malformed: 1])
        try scene.expectGoodChildIsServed()
    }

    @Test func aSelfChosenRoutingIDIsIgnored() throws {
        let scene = try Scene(routingID: "good")
        try scene.hostile.send([try frame(of: ready(1))], driving: scene.nodes)
        try drive(scene.nodes) { scene.parent.violations == [.wrongIdentity] }
        #expect(scene.parent.messages.count == 1)
        try scene.expectGoodChildIsServed()
    }

    @Test func chunksThatNobodyAskedForAreRefused() throws {
        let scene = try Scene()
        let digest = Digest.sha256(of: [1])
        for _ in 0..<3 {
            try scene.hostile.send([try frame(chunkOf: digest, at: 0, [1, 2, 3])], driving: scene.nodes)
        }
        try drive(scene.nodes) { scene.parent.bus.refusals[.unexpected] == 3 }
        guard case .refuse(let refuse)? = try scene.hostile.receive(driving: scene.nodes) else {
            Issue.record("no refusal came")
            return
        }
        #expect(refuse.subject == .object(digest) && refuse.reason == .unexpected)
        #expect(scene.parent.store.appendedByteCount == 0)
        try scene.expectGoodChildIsServed()
    }

    @Test func chunksAtWrongPlacesDoNotEnterTheObject() throws {
        let scene = try Scene()
        try scene.hostile.send([try frame(of: ready(1))], driving: scene.nodes)
        try drive(scene.nodes) { scene.parent.messages.count == 2 }
        let peer = try #require(scene.parent.messages.last).peer
        let bytes = noise(byteCount: 100_000, seed: 12)
        let object = ObjectReference(digest: Digest.sha256(of: bytes), byteCount: 100_000)
        scene.parent.bus.fetch(object, from: peer)
        let wrong: [(UInt64, [UInt8])] = [
            (50, Array(bytes[50..<90])), (99_999, [1, 2]), (UInt64.max, [1]), (UInt64.max - 1, [1, 2, 3, 4]),
        ]
        for (offset, payload) in wrong {
            try scene.hostile.send([try frame(chunkOf: object.digest, at: offset, payload)], driving: scene.nodes)
        }
        try drive(scene.nodes) { scene.parent.bus.refusals.values.reduce(0, +) == 4 }
        #expect(scene.parent.store.appendedByteCount == 0)
        // Overlapping pieces in order are one object all the same.
        for (start, end) in [(0, 60_000), (0, 60_000), (50_000, 100_000)] {
            let piece = try frame(chunkOf: object.digest, at: UInt64(start), Array(bytes[start..<end]))
            try scene.hostile.send([piece], driving: scene.nodes)
        }
        try drive(scene.nodes) { scene.parent.fetched == [object] }
        #expect(scene.parent.store.objects[object.digest] == bytes)
        try scene.expectGoodChildIsServed()
    }

    @Test func absurdFetchesAreRefused() throws {
        let scene = try Scene()
        let object = scene.parent.store.add(noise(byteCount: 5_000_000, seed: 13))
        let window = UInt64(Limits.transferWindowByteCount)
        let absurd = [
            Fetch(digest: object.digest, offset: 5_000_000, length: 1),
            Fetch(digest: object.digest, offset: 4_999_999, length: 2),
            Fetch(digest: object.digest, offset: UInt64.max, length: window),
            Fetch(digest: object.digest, offset: UInt64.max - 5, length: 10),
            Fetch(digest: Digest.sha256(of: [7]), offset: 0, length: 1),
        ]
        for fetch in absurd { try scene.hostile.send([try frame(of: fetch)], driving: scene.nodes) }
        try drive(scene.nodes) { scene.parent.bus.refusals.values.reduce(0, +) == 5 }
        #expect(scene.parent.bus.refusals == [.wrongSize: 2, .oversized: 2, .unknownObject: 1])
        #expect(scene.parent.bus.traffic.bytesSent < 2000)
        try scene.expectGoodChildIsServed()
    }

    @Test func aFloodOfFetchesTakesNoMemoryAndStarvesNobody() throws {
        let scene = try Scene()
        let objects = (0..<300).map { scene.parent.store.add(noise(byteCount: 200_000 + $0, seed: UInt64($0))) }
        // Asked for, never read: the pipe fills, the line of ranges fills, the rest is refused.
        for round in 0..<5 {
            for object in objects {
                let fetch = Fetch(digest: object.digest, offset: UInt64(round), length: 100_000)
                try scene.hostile.send([try frame(of: fetch)], driving: scene.nodes)
            }
        }
        try scene.expectGoodChildIsServed()
        scene.good.bus.fetch(objects[0], from: try #require(scene.goodLink))
        try drive(scene.nodes) { scene.good.fetched == [objects[0]] }
        #expect(scene.parent.bus.meter.byteCount <= Bus.peerAllowanceMax + Limits.deviceChunkByteCount)
    }
}

extension Scene {
    fileprivate var goodLink: Peer? {
        good.events.lazy.compactMap { if case .connected(let peer) = $0 { peer } else { nil } }.first
    }
}
