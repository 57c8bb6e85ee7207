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
        /// Its parent, then those that it turns to when that one is gone, in order.
        package var parents: [Parent]
        package init(policy: ClientPolicy, identity: CurveKeyPair, signing: SigningKey?, parents: [Parent]) {
            self.policy = policy
            self.identity = identity
            self.signing = signing
            self.parents = parents
        }
    }

    /// A parent, and where it is.
    package struct Parent: Sendable {
        package var name: NodeName
        package var address: ParentAddress
        package init(name: NodeName, endpoint: String, key: CurvePublicKey) {
            self.name = name
            address = ParentAddress(endpoint: endpoint, key: key)
        }
    }

    private struct Seat {
        var machine: ClientMachine
        let signing: SigningKey?
        let parents: [NodeName]
        /// Which of its parents it was connected to last.
        var parent = 0
        /// The number of the next update.
        var sequence: UInt64
        var model: Digest?
        /// What waits until an update is durable.
        var held: [ClientAction] = []
        var isHeld = false
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
    private let journal: DeviceJournal
    /// Why nothing can be written down any more.
    private var trouble: FilesError?
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
    /// and what the devices wait to hear of lie in files of its own there, and the first connections take turns with
    /// those of the other shards.
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
        let log = try UpdateLog(
            directory: stateDirectory, suffix: shard.map { "-\($0.index)-of-\($0.count)" } ?? "", store: objects.store)
        let unsettled = try Self.restore(log, objects)
        journal = DeviceJournal(log, waker: bus.waker)
        for (position, device) in devices.enumerated() {
            let peer = try bus.connect(
                device.parents.map(\.address), identity: device.identity,
                jitterSeed: seed ^ device.policy.client.value, turn: shard?.turn(of: position))
            let own = unsettled[device.policy.name] ?? []
            // What the log knows to be used counts, should the device's own file be lost.
            let sequence = max(works[position].sequences.end, (own.last?.update.key.sequence).map { $0 + 1 } ?? 0)
            let machine = ClientMachine(
                node: device.policy.name, client: device.policy.client, topology: topology,
                sequence: sequence, parent: device.parents.first?.name, unsettled: own)
            seats[peer] = Seat(
                machine: machine, signing: device.signing, parents: device.parents.map(\.name), sequence: sequence)
            pool.add(peer, state: works[position])
        }
        unfinishedCount = seats.count
    }

    /// What the process before left without an outcome, by device and in order, with its bodies in the store.
    private static func restore(_ log: UpdateLog, _ objects: HeldObjects) throws -> [NodeName: [UnsettledUpdate]] {
        let entries = log.entries.values.sorted { $0.record.update.key.sequence < $1.record.update.key.sequence }
        // Whatever else lies there belongs to nobody any more.
        try objects.store.retain(
            only: Set(entries.compactMap { $0.body == .object ? $0.record.update.body?.digest : nil }))
        for entry in entries {
            guard let body = entry.record.update.body, try log.restore(entry) else { continue }
            objects.hold(body.digest)
        }
        return Dictionary(grouping: entries.map(\.record), by: \.update.key.node)
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
    ///
    /// - Throws: `FilesError` when what a device must not forget cannot be written down.
    package func run() throws {
        while unfinishedCount > 0, trouble == nil {
            for event in bus.poll(until: nextAlarm) { handle(event) }
            for (peer, outcome) in pool.takeOutcomes() { drive(peer, outcome) }
            for notice in journal.takeNotices() { take(notice) }
            ringAlarms()
            if shutdown.isRequested {
                for (peer, seat) in seats where !seat.isFinished { drive(peer, .stop) }
            }
        }
        // The devices' goodbyes.
        bus.flush(until: Bus.now() + Self.goodbyeTime)
        bus.close()
        journal.finish()
        for notice in journal.takeNotices() { take(notice) }
        if let trouble { throw trouble }
    }

    /// What became of something that was to be written down.
    private func take(_ notice: DeviceJournal.Notice) {
        switch notice {
        case .durable(let peer): release(peer)
        case .waits(let error):
            for name in seats.values.map(\.machine.node).sorted().prefix(1) {
                report(
                    EventRecord(
                        .refused(name, .storage, text: "nothing is sent until there is room: \(error)"), at: name))
            }
        case .failed(let error): trouble = trouble ?? error
        }
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
        case .connected(let peer): connected(peer)
        case .gone(let peer): drive(peer, .disconnected)
        case .message(let peer, _, let envelope): drive(peer, .message(envelope))
        case .fetched(let peer, let object): drive(peer, .fetched(object.digest))
        case .fetchFailed(let peer, let object, let reason): drive(peer, .fetchFailed(object.digest, reason))
        case .refused(let peer, let reason): note(peer, reason, reason.advice)
        case .violation(let peer?, _, let reason, let text): note(peer, reason, text)
        case .violation(nil, _, _, _), .joining, .joined, .woken: break
        }
    }

    private func connected(_ peer: Peer) {
        let position = bus.parent(of: peer)
        if let seat = seats[peer], seat.parent != position, seat.parents.indices.contains(position) {
            let (node, parent) = (seat.machine.node, seat.parents[position])
            seats[peer]?.parent = position
            report(EventRecord(node: node, name: "moved", fields: [("parent", .text(parent.value))]))
            drive(peer, .moved(to: parent))
        }
        drive(peer, .connected)
    }

    private func note(_ peer: Peer, _ reason: ReasonCode, _ text: String) {
        guard let node = seats[peer]?.machine.node else { return }
        report(EventRecord(.refused(node, reason, text: text), at: node))
    }

    private func drive(_ peer: Peer, _ event: ClientEvent) {
        guard var seat = seats[peer], !seat.isFinished else { return }
        seat.held += seat.machine.handle(event, at: Bus.now())
        performHeld(peer, &seat)
        seats[peer] = seat
        if let due = seat.alarm { nextAlarm = min(nextAlarm ?? due, due) }
    }

    /// An update is durable: what its device said after it may leave.
    private func release(_ peer: Peer) {
        guard var seat = seats[peer] else { return }
        seat.isHeld = false
        performHeld(peer, &seat)
        seats[peer] = seat
    }

    /// Performs what a device's machine decided, up to an update that must be durable first.
    private func performHeld(_ peer: Peer, _ seat: inout Seat) {
        var count = 0
        while !seat.isHeld, count < seat.held.count {
            perform(seat.held[count], peer, &seat)
            count += 1
        }
        seat.held.removeFirst(count)
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
        case .store(let record):
            if case .made(let update) = record {
                seat.sequence = update.update.key.sequence + 1
                seat.isHeld = true
                journal.write(record, for: peer)
            } else {
                journal.write(record, for: nil)
            }
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
