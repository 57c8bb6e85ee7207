// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryBus
package import TributaryClient
package import TributaryCore
import TributaryCrypto
import TributaryFiles
import TributaryProtocol
package import TributaryTelemetry

/// Runs one aggregator: drives its machine from the bus, and does what the machine decides.
package final class AggregatorHost {
    let bus: Bus
    private let store: ObjectStore
    let node: NodeName
    private let queue: WorkQueue<Workbench, Outcome>
    private let mailbox = WorkMailbox()
    private let shutdown: Shutdown
    let report: (EventRecord) -> Void
    private var machine: AggregatorMachine
    private var parent: Peer?
    private(set) var children: [NodeName: Peer] = [:]
    /// Its parent and those that it turns to, in order, and which one it was connected to last.
    private let parentNames: [NodeName]
    private var parentPosition = 0
    /// `children` the other way round: whose connection broke.
    private var names: [Peer: NodeName] = [:]
    /// What is being fetched from the parent: asked for again when the link comes back.
    private var wanted: [Digest: (object: ObjectReference, run: RunID)] = [:]
    private var nextProbe = Bus.now()
    /// How often the machine refused something, by reason; the bus counts its own refusals.
    var refusals: [ReasonCode: UInt64] = [:]
    let keyWatch: KeyWatch
    let admitted: AdmittedKeys
    /// What could not be read of the keys at the last look.
    var keyTrouble: [String] = []
    /// Children whose keys were taken back and whose sessions are about to be gone.
    var revokedNames: Set<NodeName> = []
    /// Where new nodes are told to connect.
    private let advertise: String?
    private let signing: SigningKey?
    /// Where the root saves its models.
    private let checkpointPath: String?
    private let failPoints: FailPoints?
    private var isFinished = false
    private var reason: ReasonCode?
    /// Why files ended the node.
    private var trouble: FilesError?

    /// The endpoint that children connect to, its port resolved.
    package let endpoint: String
    /// The endpoint for join requests, its port resolved; `nil` when none are taken.
    package let joinEndpoint: String?

    var advertised: String { advertise ?? endpoint }

    /// A result of the work queue, with the run it belongs to.
    struct Outcome: Sendable {
        let run: RunID
        let result: RoundWorkResult
        /// Why the work failed, when files were the reason.
        let trouble: FilesError?
    }

    /// How often a child that a round waits for is asked whether it is still there.
    private static let probeInterval = Duration.seconds(1)
    /// How long a node that is done waits for its children to say goodbye.
    private static let farewellTime = Duration.seconds(3)

    /// Binds, connects to the parent, and prepares the machine; `run` serves.
    ///
    /// - Throws: `BusError` when the port is in use, `FilesError` when the state directory is.
    package init(
        _ setup: AggregatorSetup, shutdown: Shutdown, report: @escaping (EventRecord) -> Void
    ) throws {
        node = setup.configuration.node
        checkpointPath = setup.root?.checkpoint.path
        advertise = setup.advertise
        signing = setup.signing
        admitted = AdmittedKeys(setup.allowList)
        self.shutdown = shutdown
        self.report = report
        failPoints = FailPoints.fromEnvironment(node: node.value)
        store = try ObjectStore(directory: setup.stateDirectory + "/objects", failPoints: failPoints)
        let journal = try Journal(
            directory: setup.stateDirectory + "/journal", store: store, failPoints: failPoints)
        try journal.claim(node: node, digest: setup.origin, startsRuns: setup.root != nil)
        let kept = Set(journal.optimizerState.map(\.digest))
        _ = try store.retain(only: kept.union(journal.memory?.objects ?? []))
        bus = try Bus(store: store)
        shutdown.watch(bus.waker)
        machine = try Self.machine(setup, store, journal.memory)
        var checkpoint = setup.root?.checkpoint
        checkpoint?.failPoints = failPoints
        let bench = Workbench(
            store: store, stateDirectory: setup.stateDirectory, evaluation: setup.root?.evaluation,
            checkpoint: checkpoint, journal: journal,
            signatures: SignatureCheck(
                keys: admitted, isRequired: setup.signaturesRequired, seed: setup.configuration.root?.seed),
            isStopping: { shutdown.isRequested })
        queue = WorkQueue(label: node.value, state: bench, waker: bus.waker)
        keyWatch = KeyWatch(setup.registrar, label: node.value, waker: bus.waker, now: Bus.now())
        let directory = setup.configuration.children
        endpoint = try bus.bind(
            setup.listen, identity: setup.identity,
            admission: setup.allowList.admission { directory.role(of: $0) != nil },
            chunkByteCount: setup.chunkByteCount)
        joinEndpoint = try setup.join.map { [bus] in try bus.bindForJoining($0, identity: setup.identity) }
        parentNames = setup.parents.map(\.name)
        if !setup.parents.isEmpty {
            parent = try bus.connect(
                setup.parents.map(\.address), identity: setup.identity, jitterSeed: setup.jitterSeed)
        }
    }

    /// The machine, as the journal left it.
    private static func machine(
        _ setup: AggregatorSetup, _ store: ObjectStore, _ memory: RunMemory?
    ) throws -> AggregatorMachine {
        let clients = ConnectedClients(declared: setup.devices)
        if let root = setup.root {
            let object = try store.put(root.initialModel().span.bytes)
            let model = ModelReference(
                digest: object.digest, sources: [.init(object: object, encoding: .float32)])
            return AggregatorMachine(
                configuration: setup.configuration, run: memory?.run ?? root.run, layout: root.layout, model: model,
                memory: memory, clients: clients)
        }
        guard let memory, memory.layout != nil else {
            return AggregatorMachine(configuration: setup.configuration, clients: clients)
        }
        return AggregatorMachine(configuration: setup.configuration, memory: memory, clients: clients)
    }

    /// Serves until the run is over or somebody asks for the end; returns why it ended, `nil` after the last round.
    ///
    /// - Throws: `FilesError` when a model, a sum or a checkpoint could not be written.
    package func run() throws -> ReasonCode? {
        let joins = joinEndpoint.map { [("join", EventRecord.Value.text($0))] } ?? []
        report(EventRecord(node: node, name: "listening", fields: [("endpoint", .text(endpoint))] + joins))
        var isStopping = false
        drive(.alarm)
        while !isFinished {
            step(until: [machine.nextAlarm, nextProbe, keyWatch.due].compactMap(\.self).min())
            if shutdown.isRequested, !isStopping {
                isStopping = true
                drive(.stop)
            }
        }
        let end = Bus.now() + Self.farewellTime
        while !children.isEmpty, Bus.now() < end { step(until: min(end, machine.nextAlarm ?? end)) }
        endRun()
        keyWatch.finish()
        bus.close()
        if let trouble { throw trouble }
        if reason == nil, let path = checkpointPath {
            report(EventRecord(node: node, name: "saved", fields: [("path", .text(path))]))
        }
        return reason
    }

    /// Lets the work under way end, and the journal know that the run is over where it is.
    private func endRun() {
        // The root is stopped in the middle of a run that goes on when it is started again.
        let isOver = reason == nil || (reason == .stopped && parent != nil)
        if isOver {
            queue.submit { bench, _ in bench.end() }
        }
        _ = settle()
        if let failPoints {
            report(
                EventRecord(
                    node: node, name: "fail_points", fields: [("count", .integer(Int64(clamping: failPoints.count)))]))
        }
    }

    private func step(until moment: Moment?) {
        for event in bus.poll(until: moment) { handle(event) }
        for outcome in queue.takeOutcomes() {
            trouble = trouble ?? outcome.trouble
            drive(.completed(outcome.run, outcome.result))
        }
        followKeys()
        let now = Bus.now()
        if let alarm = machine.nextAlarm, alarm <= now { drive(.alarm) }
        if now >= nextProbe {
            nextProbe = now + Self.probeInterval
            for name in machine.awaited { if let peer = children[name] { bus.probe(peer) } }
        }
    }

    // MARK: Events

    private func handle(_ event: BusEvent) {
        switch event {
        case .connected(let peer) where peer == parent: parentConnected(peer)
        case .gone(let peer) where peer == parent: drive(.parentGone)
        case .gone(let peer): childGone(peer)
        case .message(let peer, _, let envelope) where peer == parent:
            failPoints?.passMessage(.receive)
            drive(.fromParent(envelope))
        case .message(let peer, let name?, let envelope):
            failPoints?.passMessage(.receive)
            fromChild(name, peer, envelope)
        case .fetched(let peer, let object): fetched(peer, object)
        case .fetchFailed(let peer, let object, let reason): fetchFailed(peer, object, reason)
        case .refused(_, let reason): note(node, reason, reason.advice)
        case .violation(_, let name, let reason, let text): note(name ?? NodeName("unknown"), reason, text)
        case .joining(let peer, let key, let join): joining(peer, key, join)
        case .connected, .message, .joined, .woken: break
        }
    }

    /// Whether the topology gives the node such a child.
    func isChild(_ name: NodeName) -> Bool { machine.configuration.children.role(of: name) != nil }

    func note(_ name: NodeName, _ reason: ReasonCode, _ text: String) {
        report(EventRecord(.refused(name, reason, text: text), at: node))
    }

    private func parentConnected(_ peer: Peer) {
        let position = bus.parent(of: peer)
        if position != parentPosition, parentNames.indices.contains(position) {
            parentPosition = position
            report(EventRecord(node: node, name: "moved", fields: [("parent", .text(parentNames[position].value))]))
        }
        drive(.parentConnected)
        for entry in wanted.values { bus.fetch(entry.object, from: peer) }
    }

    private func fromChild(_ name: NodeName, _ peer: Peer, _ envelope: Envelope) {
        if case .hello = envelope.message { seat(name, at: peer) }
        guard children[name] == peer else { return }
        drive(.fromChild(name, envelope))
        if case .leave = envelope.message { seat(name, at: nil) }
    }

    /// Notes over which connection a child speaks; an older one is forgotten.
    private func seat(_ name: NodeName, at peer: Peer?) {
        if let old = children[name] { names[old] = nil }
        children[name] = peer
        if let peer { names[peer] = name }
    }

    private func childGone(_ peer: Peer) {
        guard let name = names[peer] else { return }
        seat(name, at: nil)
        drive(.childGone(name, revokedNames.remove(name) == nil ? .lost : .revokedKey))
    }

    private func neighbour(_ peer: Peer) -> Neighbour? {
        if peer == parent { return .parent }
        return bus.node(of: peer).map { .child($0) }
    }

    private func fetched(_ peer: Peer, _ object: ObjectReference) {
        guard let neighbour = neighbour(peer) else { return }
        if neighbour == .parent { wanted[object.digest] = nil }
        complete(.fetched(object.digest, from: neighbour))
    }

    private func fetchFailed(_ peer: Peer, _ object: ObjectReference, _ reason: ReasonCode) {
        guard let neighbour = neighbour(peer) else { return }
        if neighbour == .parent { wanted[object.digest] = nil }
        // A full disk is no fault of the object: it may come again.
        let cause = reason == .storage && store.isFull ? .storageFull : reason
        complete(.fetchFailed(object.digest, from: neighbour, cause))
    }

    /// A node hosts one run at a time, so an object's run is the machine's.
    private func complete(_ result: RoundWorkResult) {
        guard let run = machine.runs.first else { return }
        drive(.completed(run, result))
    }

    // MARK: Actions

    private func drive(_ event: AggregatorEvent) {
        for action in machine.handle(event, at: Bus.now()) { perform(action) }
    }

    private func perform(_ action: AggregatorAction) {
        switch action {
        case .send(let envelope, .parent): if let parent { send(signing?.signed(envelope) ?? envelope, to: parent) }
        case .send(let envelope, .child(let name)): if let peer = children[name] { send(envelope, to: peer) }
        case .work(let run, let work): perform(work, of: run)
        case .report(let event): note(event)
        case .finish(let reason):
            isFinished = true
            self.reason = reason
        }
    }

    private func send(_ envelope: Envelope, to peer: Peer) {
        failPoints?.passMessage(.send)
        bus.send(envelope, to: peer)
    }

    private func note(_ event: TelemetryEvent) {
        if case .finished(nil) = event, let text = settle() {
            report(EventRecord(.refused(node, .storage, text: text), at: node))
            return report(EventRecord(.finished(.storage), at: node))
        }
        report(EventRecord(event, at: node))
        switch event {
        case .refused(_, let reason, _): refusals[reason, default: 0] += 1
        case .roundClosed(let number, _): reportCounters(number)
        default: break
        }
    }

    /// Waits for the work under way, such as the last checkpoint; returns why it failed, when files were the reason.
    private func settle() -> String? {
        queue.finish()
        for outcome in queue.takeOutcomes() { trouble = trouble ?? outcome.trouble }
        return trouble?.description
    }

    /// What went over the children's links so far, and how often something was refused.
    private func reportCounters(_ number: RoundNumber) {
        let all = bus.traffic
        let up = parent.map { bus.traffic(of: $0) } ?? Traffic()
        report(
            EventRecord(
                node: node, name: "counters", level: .debug,
                fields: [
                    ("round", .integer(Int64(number.round))),
                    ("received_from_children", .integer(Int64(all.bytesReceived - up.bytesReceived))),
                    ("sent_to_children", .integer(Int64(all.bytesSent - up.bytesSent))),
                ]
                    + refusals.merging(bus.refusals, uniquingKeysWith: +).sorted { $0.key.rawValue < $1.key.rawValue }
                    .map {
                        ("refused.\($0.key.rawValue)", .integer(Int64(clamping: $0.value)))
                    }))
    }

    private func perform(_ work: RoundWork, of run: RunID) {
        switch work {
        case .fetch(let object, let neighbour): fetch(object, from: neighbour, run)
        case .cancel(let digest, .parent): if let parent { bus.cancelFetch(digest, from: parent) }
        case .cancel(let digest, .child(let name)):
            if let peer = children[name] { bus.cancelFetch(digest, from: peer) }
        default:
            mailbox.put(run, work)
            queue.submit { [mailbox] bench, emit in
                for (run, works) in mailbox.takeAll() {
                    bench.perform(works, of: run) { emit(Outcome(run: run, result: $0, trouble: bench.trouble)) }
                }
            }
        }
    }

    private func fetch(_ object: ObjectReference, from neighbour: Neighbour, _ run: RunID) {
        if store.byteCount(of: object.digest) == object.byteCount {
            drive(.completed(run, .fetched(object.digest, from: neighbour)))
            return
        }
        switch neighbour {
        case .parent:
            guard let parent else { return }
            wanted[object.digest] = (object, run)
            bus.fetch(object, from: parent)
        case .child(let name):
            guard let peer = children[name] else { return }
            bus.fetch(object, from: peer)
        }
    }
}
