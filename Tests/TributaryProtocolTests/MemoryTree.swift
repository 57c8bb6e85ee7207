// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryProtocol
import TributaryRing
import TributaryTopology

/// A whole tree in memory and virtual time: the machines as they run in production, with messages in a seeded order.
///
/// Vectors are symbolic: an update's body is its key, a sum is the list of keys in it, a model is its history. So a
/// test reads off what was counted, and how often.
struct MemoryTree {
    /// A node of the tree that a test describes.
    struct Spec {
        var name: String
        var parent: String?
        var client: UInt64?
        var quorum = 1.0
        var edgeRounds: UInt32?
        var islandRounds: UInt32 = 0
    }

    struct Settings {
        var rounds: UInt32 = 3
        var deadline = Duration.seconds(60)
        var selection = Selection.all
        var seed: UInt64 = 1
        var survey: UInt32?
        /// Nodes that may come to a parent which is not the one that they start with.
        var guests: [NodeName: [NodeName]] = [:]
    }

    struct Directory: ChildDirectory {
        var roles: [NodeName: Hello.Role]
        func role(of name: NodeName) -> Hello.Role? { roles[name] }
    }

    enum Delivery {
        case up(from: NodeName, to: NodeName, Envelope)
        case down(from: NodeName, to: NodeName, Envelope)
        case work(NodeName, RunID, RoundWorkResult)
        case client(NodeName, ClientEvent)
        case connect(NodeName)
        case restart(NodeName)
        case stop(NodeName)
        case move(NodeName, to: NodeName)

        /// What keeps its order: a direction of a link, a node's work, a client's driver.
        var link: String {
            switch self {
            case .up(let from, let to, _): "\(from) up \(to)"
            case .down(let from, let to, _): "\(from) down \(to)"
            case .work(let name, _, _), .client(let name, _), .connect(let name), .restart(let name), .stop(let name),
                .move(let name, _):
                "at \(name)"
            }
        }
    }

    /// A sum as a multiset, so that a double count shows.
    struct SymbolicSum {
        var keys: [UpdateKey] = []
        var metrics: [MetricCounter] = []
    }

    let run = RunID("test")
    let settings: Settings
    var specs: [NodeName: Spec] = [:]
    var aggregators: [NodeName: AggregatorMachine] = [:]
    var clients: [NodeName: ClientMachine] = [:]
    var now = Moment(nanoseconds: 0)
    var random: CounterRandom
    var queue: [(at: Moment, order: UInt64, delivery: Delivery)] = []
    var serial: UInt64 = 0
    var lastOnLink: [String: Moment] = [:]

    /// Symbolic objects: what a digest stands for.
    var objects: [Digest: String] = [:]
    var bodies: [Digest: [UpdateKey]] = [:]
    var names: [Digest: [ContributionName]] = [:]
    var sums: [NodeName: SymbolicSum] = [:]
    var parts: [SumKey: [UpdateKey]] = [:]
    /// Nodes whose sum at hand is of metrics alone.
    var surveying: Set<NodeName> = []

    /// What each node has written down, and a test's reason why a record cannot be.
    var journals: [NodeName: [JournalRecord]] = [:]
    var journalFault: ((NodeName, JournalRecord) -> ReasonCode?)?
    /// The node that dies, once, when it has written so many records.
    var crash: (node: NodeName, record: Int)?

    /// What the test looks at.
    var stepped: [(node: NodeName, number: RoundNumber, keys: [UpdateKey])] = []
    var events: [(node: NodeName, event: TelemetryEvent)] = []
    var refusals: [ReasonCode] = []
    var finished: Set<NodeName> = []
    var finishedAt: Moment?
    /// Clients and aggregators that are gone: nothing reaches them and they say nothing.
    var dead: Set<NodeName> = []
    /// Nodes whose connection to the parent broke.
    var offline: Set<NodeName> = []
    /// Clients whose updates say another size than the plan's.
    var misshapen: Set<NodeName> = []
    /// Set by a test's hook: the delivery at hand does not arrive, and nobody is told.
    var isLost = false
    /// How long a client trains; a test makes stragglers of it.
    var trainingTime: [NodeName: Duration] = [:]

    static let layoutTensors = [ParameterTensor(name: "weight", group: "body", shape: [4])]

    static func layout() throws -> ParameterLayout { try ParameterLayout(tensors: layoutTensors) }

    init(_ specs: [Spec], _ settings: Settings = Settings()) throws {
        self.settings = settings
        random = CounterRandom(seed: settings.seed, purpose: .synthetic)
        let layout = try Self.layout()
        for spec in specs { self.specs[NodeName(spec.name)] = spec }
        for spec in specs {
            let name = NodeName(spec.name)
            if let client = spec.client {
                clients[name] = ClientMachine(node: name, client: ClientIndex(client), topology: nil, sequence: 0)
            } else {
                aggregators[name] = try machine(for: spec, layout)
            }
            if spec.parent != nil { push(.connect(name)) }
        }
    }

    func machine(for spec: Spec, _ layout: ParameterLayout, memory: RunMemory? = nil) throws -> AggregatorMachine {
        let ring = try RingParameters(deltaBound: 8, weightMax: 1024, cohortMax: 1024)
        var roles: [NodeName: Hello.Role] = [:]
        for child in specs.values where child.parent == spec.name {
            roles[NodeName(child.name)] = child.client.map { .client(ClientIndex($0)) } ?? .aggregator
        }
        for guest in settings.guests[NodeName(spec.name)] ?? [] {
            roles[guest] = specs[guest]?.client.map { .client(ClientIndex($0)) } ?? .aggregator
        }
        let isRoot = spec.parent == nil
        let root = AggregatorConfiguration.Root(
            roundCount: settings.rounds, deadline: settings.deadline, seed: settings.seed,
            selection: settings.selection,
            train: TrainSettings(work: .epochs(1), batch: 8, optimizer: .sgd(learningRate: 0.1, momentum: 0)),
            evaluation: EvaluationSettings(onDevices: settings.survey.map { .init(every: $0) }))
        let stepping = AggregatorConfiguration.Stepping(
            optimizer: .fedAvg(learningRate: 1), edgeRounds: spec.edgeRounds ?? 1, ring: ring)
        let configuration = AggregatorConfiguration(
            node: NodeName(spec.name), root: isRoot ? root : nil,
            stepping: isRoot || spec.edgeRounds != nil ? stepping : nil, quorum: spec.quorum,
            expectedClientCount: UInt64(clientCount(below: spec.name)), children: Directory(roles: roles),
            topology: nil, islandRounds: spec.islandRounds)
        guard isRoot else {
            guard let memory else { return AggregatorMachine(configuration: configuration) }
            return AggregatorMachine(configuration: configuration, memory: memory)
        }
        let digest = Self.digest("model 0")
        return AggregatorMachine(
            configuration: configuration, run: run, layout: layout, model: Self.model(digest), memory: memory)
    }

    private func clientCount(below name: String) -> Int {
        specs.values.filter { $0.parent == name }.reduce(0) {
            $0 + ($1.client == nil ? clientCount(below: $1.name) : 1)
        }
    }

    static func model(_ digest: Digest) -> ModelReference {
        ModelReference(
            digest: digest,
            sources: [.init(object: ObjectReference(digest: digest, byteCount: 16), encoding: .float32)])
    }

    static func digest(_ text: String) -> Digest {
        var state: (UInt64, UInt64) = (0, 0)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            let block = Philox.block(counter: (state.0, state.1, UInt64(byte), 0), key: (1, 2))
            state = (block.0, block.1)
        }
        for part in 0..<4 {
            let word = Philox.block(counter: (state.0, state.1, 0, UInt64(part)), key: (3, 4)).0
            for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * shift))) }
        }
        guard let digest = Digest(bytes) else { preconditionFailure("32 bytes make a digest") }
        return digest
    }

    // MARK: The world

    mutating func push(_ delivery: Delivery, after delay: Duration? = nil) {
        serial += 1
        let jitter = Duration.microseconds(Int64(random.next(below: 5000)) + 1)
        // A link keeps its order, as a connection does; different links overtake each other.
        let at = max(now + (delay ?? jitter), lastOnLink[delivery.link] ?? now)
        if delay == nil { lastOnLink[delivery.link] = at }
        queue.append((at, serial, delivery))
    }

    /// Runs until the root is done or virtual time is up; `hook` sees every delivery first.
    mutating func run(
        until end: Duration = .seconds(3600), _ hook: (inout MemoryTree, Delivery) -> Void = { _, _ in }
    ) {
        let limit = Moment(nanoseconds: end.nanoseconds)
        while now < limit {
            let alarms = aggregators.filter { !dead.contains($0.key) }.values.compactMap(\.nextAlarm)
            let retries = clients.filter { !dead.contains($0.key) }.values.compactMap(\.nextAlarm)
            let alarm = (alarms + retries).min()
            let next = queue.indices.min { (queue[$0].at, queue[$0].order) < (queue[$1].at, queue[$1].order) }
            if let alarm, next.map({ alarm < queue[$0].at }) ?? true {
                now = max(now, alarm)
                for name in aggregators.keys.sorted() where !dead.contains(name) {
                    perform(aggregators[name]?.handle(.alarm, at: now) ?? [], at: name)
                }
                for name in clients.keys.sorted() where !dead.contains(name) {
                    perform(clients[name]?.handle(.alarm, at: now) ?? [], at: name)
                }
            } else if let next {
                let item = queue.remove(at: next)
                now = max(now, item.at)
                hook(&self, item.delivery)
                if !isLost { deliver(item.delivery) }
                isLost = false
            } else {
                return
            }
        }
    }

    mutating func kill(_ name: NodeName) {
        dead.insert(name)
        guard let parent = specs[name]?.parent else { return }
        perform(aggregators[NodeName(parent)]?.handle(.childGone(name, .lost), at: now) ?? [], at: NodeName(parent))
    }

    mutating func deliver(_ delivery: Delivery) {
        switch delivery {
        case .restart(let name): restart(name)
        case .stop(let name): stop(name)
        case .move(let name, let parent): move(name, to: parent)
        case .connect(let name):
            guard !dead.contains(name) else { return }
            offline.remove(name)
            if clients[name] != nil { perform(clients[name]?.handle(.connected, at: now) ?? [], at: name) }
            perform(aggregators[name]?.handle(.parentConnected, at: now) ?? [], at: name)
        case .up(let from, let to, let envelope):
            guard !dead.contains(from), !dead.contains(to), !offline.contains(from) else { return }
            perform(aggregators[to]?.handle(.fromChild(from, envelope), at: now) ?? [], at: to)
        case .down(_, let to, let envelope):
            guard !dead.contains(to), !offline.contains(to) else { return }
            perform(clients[to]?.handle(.message(envelope), at: now) ?? [], at: to)
            perform(aggregators[to]?.handle(.fromParent(envelope), at: now) ?? [], at: to)
        case .work(let name, let run, let result):
            guard !dead.contains(name) else { return }
            perform(aggregators[name]?.handle(.completed(run, result), at: now) ?? [], at: name)
        case .client(let name, let event):
            guard !dead.contains(name) else { return }
            perform(clients[name]?.handle(event, at: now) ?? [], at: name)
        }
    }

    private mutating func note(_ event: TelemetryEvent, at name: NodeName) {
        events.append((name, event))
        if case .refused(_, let reason, _) = event { refusals.append(reason) }
    }

    // MARK: Clients

    mutating func perform(_ actions: [ClientAction], at name: NodeName) {
        for action in actions {
            switch action {
            case .send(let envelope):
                guard let parent = specs[name]?.parent, !offline.contains(name) else { continue }
                push(.up(from: name, to: NodeName(parent), envelope))
            case .fetch(let object): push(.client(name, .fetched(object.digest)))
            case .train(let job, let plan): train(job, plan, at: name)
            case .report(let event): note(event, at: name)
            case .finish: finished.insert(name)
            case .store, .release: break
            }
        }
    }

    private mutating func train(_ job: TrainJob, _ plan: RoundPlan, at name: NodeName) {
        let metrics = [MetricCounter(name: "count", numerator: 1, denominator: 1)]
        let report = TrainReport(exampleCount: 10, metrics: metrics)
        guard case .train = plan.kind else {
            push(.client(name, .trained(job.number, TrainOutcome(report: report, groups: [], body: nil))))
            return
        }
        let body = ObjectReference(digest: Self.digest("delta \(name) \(job.number)"), byteCount: 16)
        let byteCount: UInt64 = misshapen.contains(name) ? 12 : 16
        let groups = plan.groups.map { _ in Update.Group(weight: 10, encoding: .float32, byteCount: byteCount) }
        push(
            .client(name, .trained(job.number, TrainOutcome(report: report, groups: groups, body: body))),
            after: trainingTime[name])
    }

    // MARK: The journal

    private mutating func journal(_ record: JournalRecord, at name: NodeName) -> RoundWorkResult? {
        if let reason = journalFault?(name, record) { return .notJournaled(record.key, reason) }
        journals[name, default: []].append(record)
        if let crash, crash.node == name, journals[name]?.count == crash.record {
            self.crash = nil
            stop(name)
            push(.restart(name), after: .seconds(1))
            return nil
        }
        return .journaled(record.key)
    }

    /// What a node's journal says of a contribution.
    private func recall(_ subject: Refuse.Subject, _ number: RoundNumber, at name: NodeName) -> RoundClosed? {
        let records = journals[name] ?? []
        var names: [ContributionName]?
        for record in records {
            switch record {
            case .updateAccepted(let update) where .update(update.key) == subject && update.number == number:
                names = [ContributionName(node: update.key.node, number: number, seed: settings.seed)]
            case .sumAccepted(let sum, let brought, let excluded) where .sum(sum.key) == subject:
                names = brought + excluded
            case .closed(var end) where end.number == number:
                guard let names else { return nil }
                end.without = end.without.filter(names.contains)
                if case .update = subject, !end.without.isEmpty {
                    return RoundClosed(number: number, outcome: .failed(.cohortAbandoned))
                }
                return end
            default: break
            }
        }
        return nil
    }

    // MARK: Aggregators

    mutating func perform(_ actions: [AggregatorAction], at name: NodeName) {
        for action in actions {
            guard !dead.contains(name) else { return }
            switch action {
            case .send(let envelope, .parent):
                guard let parent = specs[name]?.parent, !offline.contains(name) else { continue }
                push(.up(from: name, to: NodeName(parent), envelope))
            case .send(_, .child(let child)) where offline.contains(child) || specs[child]?.parent != name.value:
                continue
            case .send(let envelope, .child(let child)): push(.down(from: name, to: child, envelope))
            case .work(let run, let work): if let result = perform(work, at: name) { push(.work(name, run, result)) }
            case .report(let event): note(event, at: name)
            case .finish:
                finished.insert(name)
                if specs[name]?.parent == nil { finishedAt = now }
            }
        }
    }

    private mutating func perform(_ work: RoundWork, at name: NodeName) -> RoundWorkResult? {
        switch work {
        case .fetch(let object, let neighbour): return .fetched(object.digest, from: neighbour)
        case .begin(_, let groups):
            sums[name] = SymbolicSum()
            if groups.isEmpty { surveying.insert(name) } else { surveying.remove(name) }
        case .fold(let update):
            sums[name]?.keys.append(update.key)
            sums[name]?.metrics += update.metrics
            return .folded(update.key, nil)
        case .foldSum(let sum):
            let keys = sum.body.flatMap { bodies[$0.digest] } ?? []
            sums[name]?.keys += keys
            sums[name]?.metrics += sum.metrics
            parts[sum.key] = keys
            return .sumFolded(sum.key, nil)
        case .subtractSum(let sum):
            let keys = sum.body.flatMap { bodies[$0.digest] } ?? []
            for key in keys {
                guard let place = sums[name]?.keys.firstIndex(of: key) else { continue }
                sums[name]?.keys.remove(at: place)
            }
            return .sumFolded(sum.key, nil)
        case .sealPart(let key, let updates, let partials):
            var part = SymbolicSum(keys: updates.map(\.key), metrics: updates.flatMap(\.metrics))
            for partial in partials {
                part.keys += partial.body.flatMap { bodies[$0.digest] } ?? []
                part.metrics += partial.metrics
            }
            return seal(part, key, at: name)
        case .journal(let record): return journal(record, at: name)
        case .recall(let subject, let number): return .recalled(subject, number, recall(subject, number, at: name))
        case .takeOut(let updates, let taken):
            let gone = Set(updates).union(taken.flatMap { parts[$0] ?? [] })
            sums[name]?.keys.removeAll { gone.contains($0) }
        case .readNames(let key, let object): return .namesRead(key, names[object.digest])
        case .sealNames(let key, let list):
            let digest = Self.digest("names \(key)")
            names[digest] = list
            return .namesSealed(key, ObjectReference(digest: digest, byteCount: UInt64(16 * list.count)))
        case .sealSum(let key): return sealSum(key, at: name)
        case .step(let number, _, let base): return step(number, base: base, at: name)
        case .sealVoice(let number, _, _, let groups):
            let body = ObjectReference(digest: Self.digest("voice \(name) \(number)"), byteCount: 16)
            let sealed = groups.map { _ in Update.Group(weight: 1, encoding: .float32, byteCount: 16) }
            return .voiceSealed(number, body: body, groups: sealed)
        case .evaluate(let number, _): return .evaluated(number, metrics: [])
        case .checkpoint(let number, _): return .checkpointed(number)
        case .cancel, .release: break
        }
        return nil
    }

    private mutating func sealSum(_ key: SumKey, at name: NodeName) -> RoundWorkResult? {
        sums[name].map { seal($0, key, at: name) }
    }

    private mutating func seal(_ sum: SymbolicSum, _ key: SumKey, at name: NodeName) -> RoundWorkResult {
        let metrics = [
            MetricCounter(name: "count", numerator: Int64(sum.metrics.reduce(0) { $0 + $1.numerator }), denominator: 1)
        ]
        let digest = Self.digest("sum \(key) \(sum.keys)")
        bodies[digest] = sum.keys
        if surveying.contains(name) { return .sumSealed(key, groups: [], metrics: metrics, body: nil) }
        return .sumSealed(
            key, groups: [Sum.Group(totalWeight: UInt64(10 * sum.keys.count), byteCount: 32)], metrics: metrics,
            body: ObjectReference(digest: digest, byteCount: 32))
    }

    private mutating func step(_ number: RoundNumber, base: Digest, at name: NodeName) -> RoundWorkResult {
        let keys = (sums[name]?.keys ?? []).sorted { ($0.node, $0.sequence) < ($1.node, $1.sequence) }
        stepped.append((name, number, keys))
        let digest = Self.digest("model \(name) \(number) \(keys) \(base)")
        let metrics = [
            MetricCounter(
                name: "count", numerator: (sums[name]?.metrics ?? []).reduce(0) { $0 + $1.numerator }, denominator: 1)
        ]
        return .stepped(
            number, model: Self.model(digest),
            totals: SumTotals(weights: [UInt64(10 * keys.count)], metrics: metrics))
    }
}
