// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryBus
package import TributaryCore
package import TributaryCrypto
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
        /// What it signs with; a device whose key files hold none sends unsigned updates.
        package var signing: SigningKey?
        package var parent: Parent
        package init(policy: ClientPolicy, identity: CurveKeyPair, signing: SigningKey?, parent: Parent) {
            self.policy = policy
            self.identity = identity
            self.signing = signing
            self.parent = parent
        }
    }

    /// Where a device's parent is.
    package struct Parent: Sendable {
        package var endpoint: String
        package var key: CurvePublicKey
        package init(endpoint: String, key: CurvePublicKey) {
            self.endpoint = endpoint
            self.key = key
        }
    }

    private struct Seat {
        var machine: ClientMachine
        let signing: SigningKey?
        /// The number of the next update.
        var sequence: UInt64
        var model: Digest?
        var isFinished = false

        /// When the machine wants to hear that time has passed.
        var alarm: Moment? { isFinished ? nil : machine.nextAlarm }
    }

    /// What belongs to the thread that works for a device.
    private struct Work {
        var local: LocalWork
        var sequences: SequenceReserve
    }

    /// How long a parent that does not read can hold up the end.
    private static let goodbyeTime = Duration.seconds(1)

    private let bus: Bus
    private let objects: HeldObjects
    private let shutdown: Shutdown
    private let report: (EventRecord) -> Void
    private let pool: WorkPool<Peer, Work, ClientEvent>
    private var seats: [Peer: Seat] = [:]
    private var unfinishedCount = 0
    /// No machine's time comes before this.
    private var nextAlarm: Moment?

    /// Opens the store and connects every device; training data are read here, once, and again only when the root
    /// runs with another seed than `seed`.
    ///
    /// `data` opens the federation's data as a seed splits them.
    /// Hosts of one fleet may share `stateDirectory`, which holds a number for each device: with a `shard`, objects
    /// lie in a folder of its own there, and the first connections take turns with those of the other shards.
    /// `threadCount`: devices that train at once.
    /// - Throws: `ProcessLimitsError`, `FilesError`, `LearningError` or `BusError`.
    package init(
        devices: [Device], data: @escaping @Sendable (_ seed: UInt64) throws -> FederatedData, topology: Digest,
        seed: UInt64, stateDirectory: String, shard: FleetShard? = nil, threadCount: Int = ProcessLimits.coreCount,
        shutdown: Shutdown, report: @escaping (EventRecord) -> Void
    ) throws {
        try ProcessLimits.makeRoom(forOpenFiles: devices.count * Bus.descriptorCountPerLink)
        self.shutdown = shutdown
        self.report = report
        let folder = shard.map { "shard-\($0.index)-of-\($0.count)" } ?? "objects"
        objects = HeldObjects(store: try ObjectStore(directory: "\(stateDirectory)/\(folder)"))
        bus = try Bus(store: objects.store)
        pool = WorkPool(label: "training", threadCount: threadCount, waker: bus.waker)
        shutdown.watch(bus.waker)
        // All data first: a link that is not served for seconds would give up.
        let seeded = SeededData(takerCount: devices.count, open: data)
        let works = try Self.works(devices, seeded, seed, objects, stateDirectory)
        for (position, device) in devices.enumerated() {
            let peer = try bus.connect(
                device.parent.endpoint, parentKey: device.parent.key, identity: device.identity,
                jitterSeed: seed ^ device.policy.client.value, turn: shard?.turn(of: position))
            let sequence = works[position].sequences.end
            let machine = ClientMachine(
                node: device.policy.name, client: device.policy.client, topology: topology,
                sequence: sequence)
            seats[peer] = Seat(machine: machine, signing: device.signing, sequence: sequence)
            pool.add(peer, state: works[position])
        }
        unfinishedCount = seats.count
    }

    private static func works(
        _ devices: [Device], _ data: SeededData, _ seed: UInt64, _ objects: HeldObjects,
        _ stateDirectory: String
    ) throws -> [Work] {
        try devices.map { device in
            Work(
                local: try LocalWork(
                    objects: objects, onExcess: device.policy.training.onExcess, client: device.policy.client,
                    data: data, seed: seed),
                sequences: try SequenceReserve(device.policy.name, in: stateDirectory))
        }
    }

    /// Serves until every device is done; ends cleanly on request.
    package func run() {
        while unfinishedCount > 0 {
            for event in bus.poll(until: nextAlarm) { handle(event) }
            for (peer, outcome) in pool.takeOutcomes() { drive(peer, outcome) }
            ringAlarms()
            if shutdown.isRequested {
                for (peer, seat) in seats where !seat.isFinished { drive(peer, .stop) }
            }
        }
        // The devices' goodbyes.
        bus.flush(until: Bus.now() + Self.goodbyeTime)
        bus.close()
    }

    /// Lets machines know whose time has come.
    private func ringAlarms() {
        let now = Bus.now()
        guard let nextAlarm, nextAlarm <= now else { return }
        for (peer, seat) in seats { if let due = seat.alarm, due <= now { drive(peer, .alarm) } }
        self.nextAlarm = seats.values.compactMap(\.alarm).min()
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
        case .violation(nil, _, _, _), .joining, .joined, .woken: break
        }
    }

    private func note(_ peer: Peer, _ reason: ReasonCode, _ text: String) {
        guard let node = seats[peer]?.machine.node else { return }
        report(EventRecord(.refused(node, reason, text: text), at: node))
    }

    private func drive(_ peer: Peer, _ event: ClientEvent) {
        guard var seat = seats[peer], !seat.isFinished else { return }
        let actions = seat.machine.handle(event, at: Bus.now())
        for action in actions { perform(action, peer, &seat) }
        seats[peer] = seat
        if let due = seat.alarm { nextAlarm = min(nextAlarm ?? due, due) }
    }

    private func perform(_ action: ClientAction, _ peer: Peer, _ seat: inout Seat) {
        let node = seat.machine.node
        switch action {
        case .send(let envelope): bus.send(seat.signing?.signed(envelope) ?? envelope, to: peer)
        case .fetch(let object):
            if seat.model != object.digest { objects.hold(object.digest) }
            seat.model = object.digest
            bus.fetch(object, from: peer)
        case .train(let job, let plan): submit(job, plan, peer, seat.sequence)
        case .store(let sequence): seat.sequence = sequence
        case .release(let digests): objects.release(digests)
        case .report(let event): report(EventRecord(event, at: node))
        case .finish:
            seat.isFinished = true
            unfinishedCount -= 1
        }
    }

    /// Has a device work; its update will bear the number `sequence`, which is set aside on disk before.
    private func submit(_ job: TrainJob, _ plan: RoundPlan, _ peer: Peer, _ sequence: UInt64) {
        pool.submit(peer) { work, emit in
            // So that work memory is that of the threads, not of the devices.
            do {
                try work.sequences.cover(sequence)
                let outcome = try work.local.perform(job, plan: plan) { permille in
                    emit(.progress(job.number, permille: permille))
                }
                emit(.trained(job.number, outcome))
            } catch {
                emit(.trainingFailed(job.number, text: "\(error)"))
            }
        }
    }
}

extension ReasonCode {
    /// What an operator can do about a refused connection.
    package var advice: String {
        switch self {
        case .unknownKey, .revokedKey:
            "the parent does not know this key; give it this node's .pub file in its key directory"
        default: "the parent refused the connection"
        }
    }
}
