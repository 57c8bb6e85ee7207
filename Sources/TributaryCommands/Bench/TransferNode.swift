// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Dispatch
import Glibc
import TributaryBus
import TributaryClient
import TributaryCore
import TributaryFiles

/// The edge or the device of the transfer benchmark, started by it as another process; keys come over standard input.
struct TransferNode: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transfer-node", abstract: "A node of the transfer benchmark.", shouldDisplay: false)

    @Option var name: String
    @Option var bytes: Int
    @Option var directory: String

    func run() throws {
        let lines = (0..<4).map { _ in readLine() ?? "" }
        guard let parentKey = CurvePublicKey(lines[1]), let identity = CurveKeyPair(secret: lines[2]) else {
            throw CommandError("bench.failed", "unreadable keys")
        }
        let relay = try TransferRelay(node: NodeName(name), directory: directory, byteCount: bytes)
        if let child = CurvePublicKey(lines[3]) { say("listening \(try relay.listen(identity, for: child))") }
        try relay.connect(to: lines[0], key: parentKey, identity: identity)
        // The benchmark ends its nodes by closing their standard input.
        let waker = relay.bus.waker
        let shutdown = Shutdown()
        shutdown.watch(waker)
        Signals.endWithStandardInput(shutdown)
        while !shutdown.isRequested { try relay.step() }
        relay.bus.close()
    }

    private func say(_ text: String) { Terminal.write(text + "\n", to: STDOUT_FILENO) }
}

/// One node of a chain: pulls the model from its parent, passes it on, and brings the answer back up.
///
/// Whatever was under way when a connection ended is asked for again on the next one; the bus resumes it.
final class TransferRelay {
    let bus: Bus
    let node: NodeName
    private let store: ObjectStore
    private let byteCount: Int
    private var parent: Peer?
    private var child: Peer?
    /// The model, once it is here, and the plan that names it.
    private var plan: RoundPlan?
    private var hasModel = false
    /// What this node sends up, once it has it.
    private var answer: Update?
    private var isDone = false

    init(node: NodeName, directory: String, byteCount: Int) throws {
        self.node = node
        self.byteCount = byteCount
        store = try ObjectStore(directory: "\(directory)/\(node)")
        bus = try Bus(store: store)
    }

    /// The root's side: makes the model that travels.
    func makeModel() throws {
        let object = try makeObject(seed: 1)
        plan = try Self.plan(object)
        hasModel = true
    }

    func listen(_ identity: CurveKeyPair, for child: CurvePublicKey) throws -> String {
        var admission = Admission()
        admission.admit(child, as: NodeName("child"))
        let chunk = node.value == "edge" ? Limits.deviceChunkByteCount : Limits.aggregatorChunkByteCount
        return try bus.bind("tcp://127.0.0.1:*", identity: identity, admission: admission, chunkByteCount: chunk)
    }

    func connect(to endpoint: String, key: CurvePublicKey, identity: CurveKeyPair) throws {
        parent = try bus.connect(endpoint, parentKey: key, identity: identity, jitterSeed: 1)
    }

    /// Whether the answer has come and been acknowledged.
    var hasAnswer: Bool { isDone }

    /// Waits for events, 50 ms at most, and does what follows.
    func step() throws {
        for event in bus.poll(until: Bus.now() + .milliseconds(50)) {
            switch event {
            case .connected(let peer):
                bus.send(envelope(.hello(hello)), to: peer)
                if let answer { bus.send(envelope(.update(answer)), to: peer) }
            case .gone(let peer): if peer == child { child = nil }
            case .message(let peer, _, let envelope): try hear(envelope.message, from: peer)
            case .fetched(let peer, let object): try fetched(object, from: peer)
            case .refused, .fetchFailed, .violation:
                throw CommandError("bench.failed", "\(node): \(event)")
            case .joining, .joined, .woken: break
            }
        }
    }

    private func hear(_ message: Message, from peer: Peer) throws {
        switch message {
        case .hello:
            child = peer
            passOn()
        case .plan(let plan):
            self.plan = plan
            if hasModel { return }
            if let source = plan.model.sources.first { bus.fetch(source.object, from: peer) }
        case .update(let update):
            answer = update
            if let body = update.body { bus.fetch(body, from: peer) }
        case .receipt: isDone = true
        default: break
        }
    }

    private func fetched(_ object: ObjectReference, from peer: Peer) throws {
        if peer == parent {
            hasModel = true
            if node.value != "device" { return passOn() }
            let body = try makeObject(seed: 2)
            answer = Update(
                key: UpdateKey(node: node, sequence: 1), number: RoundNumber(round: 1), base: object.digest,
                groups: [.init(weight: 1, encoding: .float32, byteCount: body.byteCount)], metrics: [], body: body)
        } else if let answer {
            bus.send(envelope(.receipt(Receipt(subject: .update(answer.key), durability: .memory))), to: peer)
            if parent == nil { isDone = true }
        }
        if let parent, let answer { bus.send(envelope(.update(answer)), to: parent) }
    }

    private func passOn() {
        guard hasModel, answer == nil, let child, let plan else { return }
        bus.send(envelope(.plan(plan)), to: child)
    }

    /// An object of the benchmark's size, written block by block.
    private func makeObject(seed: UInt64) throws -> ObjectReference {
        try store.put(byteCount: UInt64(byteCount)) { sink in
            var left = byteCount
            var block: UInt64 = 0
            while left > 0 {
                block += 1
                let bytes = benchmarkBytes(min(left, 1 << 20), seed: seed << 32 | block)
                try sink.write(bytes)
                left -= bytes.count
            }
        }
    }

    private static func plan(_ model: ObjectReference) throws -> RoundPlan {
        let group = GroupPlan(
            name: "body", parameterCount: model.byteCount / 4,
            ring: try BusBenchmark.ring(), encoding: .float32, normaliser: .weight)
        let optimizer = ClientOptimizer.sgd(learningRate: 0.1, momentum: 0)
        return RoundPlan(
            number: RoundNumber(round: 1),
            kind: .train(TrainSettings(work: .epochs(1), batch: 32, optimizer: optimizer)),
            model: ModelReference(digest: model.digest, sources: [.init(object: model, encoding: .float32)]),
            groups: [group], selection: .all, timeLeft: .seconds(600), seed: 1)
    }

    private var hello: Hello {
        Hello(node: node, role: .aggregator, wireVersions: 1...1, encodings: [.float32], topology: nil)
    }

    private func envelope(_ message: Message) -> Envelope {
        Envelope(run: RunID("bench"), epoch: TopologyEpoch(1), message: message)
    }
}
