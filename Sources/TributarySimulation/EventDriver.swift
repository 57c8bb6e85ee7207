// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryProtocol
import TributaryTopology

/// Makes virtual time pass: takes the next event, lets the machine that it is for decide, and does what it decides.
///
/// A value that cannot be copied, so that its state is reached without checks at run time.
struct EventDriver: ~Copyable {
    let setup: Simulation.Setup
    let tree: Tree
    /// The position of the devices' tier, and its name.
    let deviceTier: Int
    let deviceTierName: String
    let fleet: Fleet
    let faults: FaultState
    let serials = DigestSerials()
    let pool: TrainingPool
    let budget: DeltaBudget
    /// When the last fault begins or ends, and how long a root may wait for its children after that.
    let lastFaultChange: Moment
    let patience: Duration
    let nodes: [SimulatedNode]
    let run: RunID
    var events = EventQueue<SimulationEvent>()
    /// Buffers that machines write their actions into; one is lent to each drive that is under way.
    var aggregatorBuffers: [[AggregatorAction]] = []
    var clientBuffers: [[ClientAction]] = []
    var frameSizes = FrameSizes()
    /// What nodes are to do at this moment, in order.
    var chores: [Chore] = []
    var recorder: RoundRecorder
    var transferSizes = TransferSizes()
    var isFinished = false
    /// Sees what every node and device reports, as it happens.
    let observer: Simulation.Observer?

    /// The virtual clock.
    var now = Moment(nanoseconds: 0)
    /// Events that have happened.
    var eventCount: UInt64 = 0

    /// The shortest time that a root waits for its children before the run is given up.
    private static let patienceMin = Duration.seconds(3600)

    init(_ setup: Simulation.Setup, _ observer: Simulation.Observer?) throws {
        self.setup = setup
        self.observer = observer
        budget = DeltaBudget(byteCountMax: setup.deltaByteCountMax)
        let changes = setup.tree.topology.simulation.faults.map { $0.until ?? $0.from }
        lastFaultChange = Moment(nanoseconds: changes.map(\.nanoseconds).max() ?? 0)
        patience = Self.patienceMin + (setup.tree.topology.tiers.first?.deadline ?? Tier.deadlineDefault) * 10
        tree = setup.tree
        deviceTier = setup.tree.topology.tiers.count - 1
        deviceTierName = setup.tree.topology.tiers.last?.name ?? ""
        fleet = Fleet(setup.tree, traces: setup.traces)
        faults = FaultState(deviceTier: setup.tree.topology.tiers.last?.name ?? "")
        run = RunID(setup.tree.topology.federation)
        recorder = RoundRecorder(setup.tree)
        let work = setup.work
        let pool = TrainingPool(threadCount: setup.threadCount) { work.makeWorker() }
        self.pool = pool
        var nodes: [SimulatedNode] = []
        for position in tree.aggregators.indices {
            let parent = tree.aggregators[position].parent.map { nodes[$0] }
            let bench = Self.bench(setup, serials, pool, isRoot: parent == nil)
            let machine = AggregatorMachine(
                configuration: AggregatorConfiguration(tree, position: position, digest: setup.digest))
            let link = SimulatedLink(
                fleet.link(ofAggregator: position),
                random: CounterRandom(
                    seed: fleet.seed, purpose: .link, round: RoundNumber(round: 1), client: UInt64(position)))
            let node = SimulatedNode(
                position: position, tree: tree, parent: parent, machine: machine, bench: bench, link: link)
            parent?.children[node.name] = node
            nodes.append(node)
        }
        self.nodes = nodes
        now = setup.checkpoint?.now ?? Moment(nanoseconds: 0)
        for node in nodes { start(node) }
        for (index, fault) in tree.topology.simulation.faults.enumerated() {
            let end = fault.until.map { Moment(nanoseconds: $0.nanoseconds) }
            // What was over before the run goes on is not played again.
            if let end, end <= now { continue }
            events.push(.fault(index, begins: true), at: max(now, Moment(nanoseconds: fault.from.nanoseconds)))
        }
    }

    deinit { pool.close() }

    var root: SimulatedNode { nodes[Tree.root] }

    private static func bench(
        _ setup: Simulation.Setup, _ serials: DigestSerials, _ pool: TrainingPool, isRoot: Bool
    ) -> NodeBench {
        NodeBench(
            serials: serials, isRoot: isRoot, evaluate: isRoot ? setup.evaluate : nil,
            recompute: { [unowned pool] in pool.recompute($0) })
    }

    /// Starts a node; one that starts again goes on with what it would have on disk.
    mutating func start(_ node: SimulatedNode) {
        let isRoot = node.parent == nil
        let configuration = AggregatorConfiguration(tree, position: node.position, digest: setup.digest)
        let clients = SimulatedClients(
            tree: tree, declared: tree.aggregators[node.position].devices, fleet: fleet, faults: faults)
        let memory = node.bench.memory
        if memory == nil {
            node.bench = Self.bench(setup, serials, pool, isRoot: isRoot)
            node.bench.optimizerState = setup.checkpoint?.optimizerState[node.name] ?? []
            if isMortal(node) { node.bench.memory = NodeMemory(run: run) }
        }
        node.isAlive = true
        if isRoot {
            let vector = ModelVector(setup.checkpoint?.model ?? setup.parameters)
            let digest = NodeBench.digest(of: vector)
            node.bench.objects[digest] = .model(vector)
            node.machine = AggregatorMachine(
                configuration: configuration, run: run, layout: setup.layout,
                model: NodeBench.reference(digest, vector), round: setup.checkpoint?.round ?? 0, memory: memory?.run,
                clients: clients)
            if memory == nil { recorder.rootStarts(with: digest, now) }
        } else if let memory {
            node.machine = AggregatorMachine(configuration: configuration, memory: memory.run, clients: clients)
        } else {
            node.machine = AggregatorMachine(configuration: configuration, clients: clients)
        }
        if isRoot || memory != nil { drive(node, .alarm) }
        if !isRoot { events.push(.connect(node), at: now + .nanoseconds(node.link.roundTrip)) }
    }

    /// Whether a fault kills a node: what it would have on disk is kept then.
    private func isMortal(_ node: SimulatedNode) -> Bool {
        tree.topology.simulation.faults.contains { $0.kind == .kill && $0.hits(node.name, tier: node.tierName) }
    }
}

/// Work on vectors that a node asked for.
struct Chore {
    enum Kind {
        case perform(RoundWork)
        /// Nothing was left to do.
        case deliver(RoundWorkResult)
    }
    let node: SimulatedNode
    let run: RunID
    let kind: Kind
}

/// What happens in virtual time.
///
/// A message or transfer bears the number of the connection on which it travels: when that has broken, it is lost.
enum SimulationEvent {
    case toDevice(DeviceSession, Envelope, connection: UInt32)
    case fromDevice(DeviceSession, Envelope, connection: UInt32)
    case toParent(SimulatedNode, Envelope, connection: UInt32)
    case fromParent(SimulatedNode, Envelope, connection: UInt32)
    case deviceFetched(DeviceSession, Digest, ModelVector, connection: UInt32)
    case bodyFetched(DeviceSession, Digest, RunID, connection: UInt32)
    case modelFetched(SimulatedNode, Digest, RunID, SimulatedObject, connection: UInt32)
    case childObjectFetched(SimulatedNode, Digest, RunID, SimulatedObject, connection: UInt32)
    case trained(DeviceSession, TrainingTask, starts: UInt32)
    case alarm(SimulatedNode)
    case deviceAlarm(DeviceSession)
    /// A device wakes up, falls asleep, or its connection is to be made again.
    case deviceChanges(DeviceSession)
    case connect(SimulatedNode)
    /// The parent has noticed that a connection is gone.
    case deviceMissed(DeviceSession, connection: UInt32)
    case childMissed(SimulatedNode, connection: UInt32)
    case fault(Int, begins: Bool)
}
