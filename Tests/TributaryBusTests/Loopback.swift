// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore

@testable import TributaryBus

/// A bus with its store and everything it told so far; several are driven by one test, turn by turn.
final class Node {
    let bus: Bus
    let store: MemoryStore
    let keys: CurveKeyPair
    var events: [BusEvent] = []

    init(keys: CurveKeyPair? = nil) throws {
        store = MemoryStore()
        bus = try Bus(store: store)
        self.keys = try keys ?? CurveKeyPair.generate()
    }

    deinit { bus.close() }

    func listen(
        to children: [String: Node], at endpoint: String = "tcp://127.0.0.1:*",
        chunkByteCount: Int = Limits.deviceChunkByteCount
    ) throws -> String {
        var admission = Admission()
        for (name, node) in children { admission.admit(node.keys.publicKey, as: NodeName(name)) }
        return try bus.bind(endpoint, identity: keys, admission: admission, chunkByteCount: chunkByteCount)
    }

    func connect(to parent: Node, at endpoint: String) throws -> Peer {
        try bus.connect(endpoint, parentKey: parent.keys.publicKey, identity: keys, jitterSeed: 1)
    }

    // What was told, for conditions.

    var connectedCount: Int {
        events.count { if case .connected = $0 { true } else { false } }
    }
    var gone: [Peer] {
        events.compactMap { if case .gone(let peer) = $0 { peer } else { nil } }
    }
    var refused: [ReasonCode] {
        events.compactMap { if case .refused(_, let reason) = $0 { reason } else { nil } }
    }
    var messages: [(peer: Peer, node: NodeName?, envelope: Envelope)] {
        events.compactMap {
            if case .message(let peer, let node, let envelope) = $0 { (peer, node, envelope) } else { nil }
        }
    }
    var fetched: [ObjectReference] {
        events.compactMap { if case .fetched(_, let object) = $0 { object } else { nil } }
    }
    var fetchFailures: [ReasonCode] {
        events.compactMap { if case .fetchFailed(_, _, let reason) = $0 { reason } else { nil } }
    }
    var violations: [ReasonCode] {
        events.compactMap { if case .violation(_, _, let reason, _) = $0 { reason } else { nil } }
    }
}

/// Drives nodes until a condition holds; fails the test when that takes longer than `deadline`.
func drive(
    _ nodes: [Node], deadline: Duration = .seconds(30), step: () -> Void = {},
    sourceLocation: SourceLocation = #_sourceLocation, until isDone: () -> Bool
) throws {
    let end = Bus.now() + deadline
    while !isDone() {
        try #require(Bus.now() < end, "the deadline passed", sourceLocation: sourceLocation)
        step()
        for node in nodes { node.events += node.bus.poll(until: Bus.now() + .milliseconds(1)) }
    }
}

/// A small message that says who sent it.
func ready(_ number: UInt64) -> Envelope {
    Envelope(run: RunID("run"), epoch: TopologyEpoch(1), message: .ready(Ready(clientCount: number)))
}

/// A parent and one child `device` whose session stands on both sides.
struct Pair {
    let parent: Node
    let child: Node
    /// The parent, as the child sees it.
    let link: Peer
    /// The child, as the parent sees it.
    let session: Peer
    let endpoint: String

    init(chunkByteCount: Int = Limits.deviceChunkByteCount) throws {
        parent = try Node()
        child = try Node()
        endpoint = try parent.listen(to: ["device": child], chunkByteCount: chunkByteCount)
        link = try child.connect(to: parent, at: endpoint)
        session = try introduce(child, over: link, to: parent)
    }

    var nodes: [Node] { [parent, child] }
}

/// Lets a child say its first message; returns its session at the parent.
func introduce(_ child: Node, over link: Peer, to parent: Node) throws -> Peer {
    let before = parent.messages.count
    let connections = child.connectedCount
    if connections == 0 { try drive([parent, child]) { child.connectedCount > connections } }
    child.bus.send(ready(0), to: link)
    try drive([parent, child]) { parent.messages.count > before }
    return try #require(parent.messages.last).peer
}
