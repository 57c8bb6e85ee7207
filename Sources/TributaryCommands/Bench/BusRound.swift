// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
import TributaryBus
import TributaryCore
import TributaryFiles

// The two sides of a benchmark round over the project's own bus.

/// Serves the model, pulls every update, and sends the receipts.
final class BusAggregator: BenchmarkAggregator {
    let endpoint: String
    let publicKeyText: String
    let deviceSecrets: [String]
    private let bus: Bus
    private let plan: RoundPlan
    private var updates: [Peer: Update] = [:]
    private var promises: BusPromises?

    init(_ load: BusBenchmark.Load, directory: String, turn: Int, journals: Bool) throws {
        let store = try ObjectStore(directory: "\(directory)/aggregator")
        let model = try store.put(benchmarkBytes(load.objectByteCount, seed: UInt64(turn) << 32))
        bus = try Bus(store: store)
        let identity = try CurveKeyPair.generate()
        publicKeyText = identity.publicKey.text
        var admission = Admission()
        deviceSecrets = try (0..<load.deviceCount).map { number in
            let device = try CurveKeyPair.generate()
            admission.admit(device.publicKey, as: NodeName("device-\(number)"))
            return device.secretText
        }
        endpoint = try bus.bind(
            "tcp://127.0.0.1:*", identity: identity, admission: admission,
            chunkByteCount: BusBenchmark.chunkByteCount)
        let group = GroupPlan(
            name: "body", parameterCount: UInt64(load.objectByteCount / 4),
            ring: try BusBenchmark.ring(), encoding: .float32,
            normaliser: .weight)
        let optimizer = ClientOptimizer.sgd(learningRate: 0.1, momentum: 0)
        plan = RoundPlan(
            number: RoundNumber(round: 1),
            kind: .train(TrainSettings(work: .epochs(1), batch: 32, optimizer: optimizer)),
            model: ModelReference(digest: model.digest, sources: [.init(object: model, encoding: .float32)]),
            groups: [group], selection: .all, timeLeft: .seconds(60), seed: 1)
        if journals { promises = try BusPromises(store, plan, directory: directory, waker: bus.waker) }
    }

    func work() {
        for (key, peer) in promises?.takeKept() ?? [] { sendReceipt(key, to: peer) }
        for event in bus.poll(until: Bus.now() + .milliseconds(1)) {
            switch event {
            case .message(let peer, _, let envelope): hear(envelope.message, from: peer)
            case .fetched(let peer, _):
                guard let update = updates[peer] else { continue }
                if let promises { promises.keep(update, of: peer) } else { sendReceipt(update.key, to: peer) }
            case .connected, .gone, .refused, .fetchFailed, .violation, .joining, .joined, .woken: break
            }
        }
    }

    private func sendReceipt(_ key: UpdateKey, to peer: Peer) {
        let receipt = Receipt(subject: .update(key), durability: promises == nil ? .memory : .disk)
        bus.send(benchmarkEnvelope(.receipt(receipt)), to: peer)
    }

    private func hear(_ message: Message, from peer: Peer) {
        switch message {
        case .hello: bus.send(benchmarkEnvelope(.plan(plan)), to: peer)
        case .update(let update):
            guard let body = update.body else { return }
            updates[peer] = update
            bus.fetch(body, from: peer)
        default: break
        }
    }

    func close() {
        promises?.finish()
        bus.close()
    }
}

/// One device of a benchmark round, on a thread of its own.
struct BusDevice {
    let node: NodeName
    let number: Int
    let seed: UInt64
    let line: DeviceLine

    /// Connects, waits for the word, and takes part until its receipt has come.
    func run() throws {
        let store = try ObjectStore(directory: "\(line.directory)/\(node)")
        let delta = HeapVector(count: line.objectByteCount / 4)
        let random = benchmarkBytes(delta.count * 4, seed: seed)
        delta.withUnsafeMutableBuffer { UnsafeMutableRawBufferPointer($0).copyBytes(from: random) }
        let bus = try Bus(store: store)
        defer { bus.close() }
        guard let parentKey = CurvePublicKey(line.parentKeyText),
            let identity = CurveKeyPair(secret: line.secrets[number])
        else { throw CommandError("bench.failed", "unreadable keys") }
        let parent = try bus.connect(
            line.endpoint, parentKey: parentKey, identity: identity, jitterSeed: UInt64(number))
        var isConnected = false
        while !isConnected {
            for event in bus.poll(until: nil) { if case .connected = event { isConnected = true } }
        }
        line.countReady()
        line.waitForWord()
        bus.send(benchmarkEnvelope(.hello(hello)), to: parent)
        var base: Digest?
        while true {
            for event in bus.poll(until: nil) {
                switch event {
                case .message(_, _, let envelope):
                    if case .plan(let plan) = envelope.message, let source = plan.model.sources.first {
                        base = plan.model.digest
                        bus.fetch(source.object, from: parent)
                    }
                    if case .receipt = envelope.message { return line.countDone() }
                case .fetched:
                    // Where a device trains: the delta is at hand, and becomes an object.
                    guard let base else { continue }
                    let body = try store.hold(delta)
                    bus.send(benchmarkEnvelope(.update(update(body, base: base))), to: parent)
                case .connected: break
                case .gone, .refused, .fetchFailed, .violation, .joining, .joined, .woken:
                    throw CommandError("bench.failed", "\(node): \(event)")
                }
            }
        }
    }

    private var hello: Hello {
        Hello(
            node: node, role: .client(ClientIndex(UInt64(number))), wireVersions: 1...1, encodings: [.float32],
            topology: nil)
    }

    private func update(_ body: ObjectReference, base: Digest) -> Update {
        Update(
            key: UpdateKey(node: node, sequence: 1), number: RoundNumber(round: 1), base: base,
            groups: [.init(weight: 1, encoding: .float32, byteCount: body.byteCount)], metrics: [], body: body)
    }
}

private func benchmarkEnvelope(_ message: Message) -> Envelope {
    Envelope(run: RunID("bench"), epoch: TopologyEpoch(1), message: message)
}
