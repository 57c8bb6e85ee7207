// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryBus
package import TributaryCore
import TributaryFiles
import TributaryLearning
import TributaryProtocol
package import TributaryTelemetry
package import TributaryTopology

/// Runs one or many devices in one process until their run is over or somebody asks for the end.
package final class DeviceHost {
    /// What one device needs to take part.
    package struct Device {
        package var policy: ClientPolicy
        package var identity: CurveKeyPair
        package init(policy: ClientPolicy, identity: CurveKeyPair) {
            self.policy = policy
            self.identity = identity
        }
    }

    /// Where the devices' parent is.
    package struct Parent {
        package var endpoint: String
        package var key: CurvePublicKey
        package init(endpoint: String, key: CurvePublicKey) {
            self.endpoint = endpoint
            self.key = key
        }
    }

    private struct Seat {
        var machine: ClientMachine
        let queue: WorkQueue<LocalWork, ClientEvent>
        var model: Digest?
        var isFinished = false
    }

    private let bus: Bus
    private let store: ObjectStore
    private let stateDirectory: String
    private let shutdown: Shutdown
    private let report: (EventRecord) -> Void
    private var seats: [Peer: Seat] = [:]
    /// How many devices hold on to an object; a model is shared by all.
    private var holders: [Digest: Int] = [:]

    /// Opens the store and connects every device; training data are read here, once, and again only when the root
    /// runs with another seed than `seed`.
    ///
    /// `data`: opens the federation's data as a seed splits them.
    /// - Throws: `FilesError`, `LearningError` or `BusError`.
    package init(
        devices: [Device], parent: Parent, data open: @escaping @Sendable (_ seed: UInt64) throws -> FederatedData,
        topology: Digest, seed: UInt64,
        stateDirectory: String, shutdown: Shutdown, report: @escaping (EventRecord) -> Void
    ) throws {
        self.stateDirectory = stateDirectory
        self.shutdown = shutdown
        self.report = report
        store = try ObjectStore(directory: stateDirectory + "/objects")
        bus = try Bus(store: store)
        shutdown.watch(bus.waker)
        let data = try open(seed)
        for device in devices {
            let client = device.policy.client
            let work = LocalWork(
                store: store, onExcess: device.policy.training.onExcess, trainer: try data.trainer(of: client),
                seed: seed, makeTrainer: { try open($0).trainer(of: client) })
            let peer = try bus.connect(
                parent.endpoint, parentKey: parent.key, identity: device.identity,
                jitterSeed: seed ^ device.policy.client.value)
            let machine = ClientMachine(
                node: device.policy.name, client: device.policy.client, topology: topology,
                sequence: try SequenceFile.read(device.policy.name, in: stateDirectory))
            seats[peer] = Seat(
                machine: machine,
                queue: WorkQueue(label: device.policy.name.value, state: work, waker: bus.waker))
        }
    }

    /// Serves until every device is done; ends cleanly on request.
    package func run() {
        while seats.values.contains(where: { !$0.isFinished }) {
            for event in bus.poll(until: nil) { handle(event) }
            for peer in Array(seats.keys) {
                for outcome in seats[peer]?.queue.takeOutcomes() ?? [] { drive(peer, outcome) }
            }
            if shutdown.isRequested {
                for (peer, seat) in seats where !seat.isFinished { drive(peer, .stop) }
            }
        }
        bus.close()
    }

    private func handle(_ event: BusEvent) {
        switch event {
        case .connected(let peer): drive(peer, .connected)
        case .gone(let peer): drive(peer, .disconnected)
        case .message(let peer, _, let envelope): drive(peer, .message(envelope))
        case .fetched(let peer, let object): drive(peer, .fetched(object.digest))
        case .fetchFailed(let peer, let object, let reason): drive(peer, .fetchFailed(object.digest, reason))
        case .refused(let peer, let reason): note(peer, reason, reason.advice)
        case .violation(let peer?, _, let reason, let text): note(peer, reason, text)
        case .violation(nil, _, _, _), .woken: break
        }
    }

    private func note(_ peer: Peer, _ reason: ReasonCode, _ text: String) {
        guard let node = seats[peer]?.machine.node else { return }
        report(EventRecord(.refused(node, reason, text: text), at: node))
    }

    private func drive(_ peer: Peer, _ event: ClientEvent) {
        guard var seat = seats[peer], !seat.isFinished else { return }
        let actions = seat.machine.handle(event)
        for action in actions { perform(action, peer, &seat) }
        seats[peer] = seat
    }

    private func perform(_ action: ClientAction, _ peer: Peer, _ seat: inout Seat) {
        let node = seat.machine.node
        switch action {
        case .send(let envelope): bus.send(envelope, to: peer)
        case .fetch(let object):
            if seat.model != object.digest { hold(object.digest) }
            seat.model = object.digest
            bus.fetch(object, from: peer)
        case .train(let job, let plan): submit(job, plan, seat.queue)
        case .store(let sequence):
            do {
                try SequenceFile.write(sequence, node, in: stateDirectory)
            } catch {
                report(EventRecord(.refused(node, .storage, text: "\(error)"), at: node))
            }
        case .release(let digests): release(digests, seat.model)
        case .report(let event): report(EventRecord(event, at: node))
        case .finish: seat.isFinished = true
        }
    }

    private func submit(_ job: TrainJob, _ plan: RoundPlan, _ queue: WorkQueue<LocalWork, ClientEvent>) {
        queue.submit { work, emit in
            do {
                let outcome = try work.perform(job, plan: plan) { permille in
                    emit(.progress(job.number, permille: permille))
                }
                emit(.trained(job.number, outcome))
            } catch {
                emit(.trainingFailed(job.number, text: "\(error)"))
            }
        }
    }

    private func hold(_ digest: Digest) { holders[digest, default: 0] += 1 }

    private func release(_ digests: [Digest], _ model: Digest?) {
        for digest in digests {
            holders[digest, default: 1] -= 1
            guard holders[digest, default: 0] <= 0 else { continue }
            holders[digest] = nil
            // A body that cannot be removed costs disk, not correctness; the store says so at the next start.
            try? store.remove(digest)
        }
    }
}

extension ReasonCode {
    /// What an operator can do about a refused connection.
    package var advice: String {
        switch self {
        case .unknownKey: "the parent does not know this key; give it this node's .pub file in its key directory"
        default: "the parent refused the connection"
        }
    }
}
