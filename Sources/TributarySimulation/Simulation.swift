// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
import TributaryProtocol
package import TributaryRing
package import TributaryTopology

/// A federation in virtual time: the same machines as a deployment's, driven from event to event.
///
/// One thread uses it. The same setup gives the same run, to the bit, on any number of threads.
package final class Simulation {
    /// Judges flat parameters after a round.
    package typealias Judge = (_ parameters: [Float], _ round: UInt32) throws -> [MetricCounter]

    /// Sees an event of a node or device at a moment of virtual time.
    package typealias Observer = (_ who: NodeName, _ event: TelemetryEvent, _ now: Moment) -> Void

    /// What a simulation is made from.
    package struct Setup {
        package var tree: Tree
        /// The digest by which nodes compare their topology files.
        package var digest: Digest
        package var layout: ParameterLayout
        /// The initial model, flat, in layout order.
        package var parameters: [Float]
        package var work: FleetWork
        /// The root's judgement of a model; `nil` where there is nothing to judge on.
        package var evaluate: Judge?
        /// The waking times of a trace file, when the topology names one.
        package var traces: AvailabilityTraces?
        package var threadCount: Int
        /// Where an earlier run stopped; `nil` starts anew.
        package var checkpoint: SimulationCheckpoint?
        /// Memory for deltas that wait to be folded; beyond it they are computed again.
        var deltaByteCountMax = SimulationForecast.deltaByteCountMax

        package init(
            tree: Tree, digest: Digest, layout: ParameterLayout, parameters: [Float], work: FleetWork,
            evaluate: Judge?, traces: AvailabilityTraces? = nil, threadCount: Int,
            checkpoint: SimulationCheckpoint? = nil
        ) {
            self.checkpoint = checkpoint
            self.tree = tree
            self.digest = digest
            self.layout = layout
            self.parameters = parameters
            self.work = work
            self.evaluate = evaluate
            self.traces = traces
            self.threadCount = threadCount
        }
    }

    /// Where a run stands after a stretch of events.
    package enum Step {
        /// Nothing that a reader of the run would note.
        case working
        /// A round of the root is over.
        case round(RunRecord.Round)
        case finished
    }

    /// The shortest time that a root waits for its children before the run is given up.
    private static let patienceMin = Duration.seconds(3600)

    let setup: Setup
    let tree: Tree
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
    /// What nodes are to do at this moment, in order.
    var chores: [Chore] = []
    var recorder: RoundRecorder
    var transferSizes = TransferSizes()
    var isFinished = false
    /// Sees what every node and device reports, as it happens.
    let observer: Observer?

    /// The virtual clock.
    package internal(set) var now = Moment(nanoseconds: 0)
    /// Events that have happened.
    package internal(set) var eventCount: UInt64 = 0

    /// Sets the tree up at virtual time zero; `advance` makes time pass, and `observer` sees it from the start.
    ///
    /// - Throws: when there is no memory for the sums.
    package init(_ setup: Setup, observer: Observer? = nil) throws {
        self.setup = setup
        self.observer = observer
        budget = DeltaBudget(byteCountMax: setup.deltaByteCountMax)
        let changes = setup.tree.topology.simulation.faults.map { $0.until ?? $0.from }
        lastFaultChange = Moment(nanoseconds: changes.map(\.nanoseconds).max() ?? 0)
        patience = Self.patienceMin + (setup.tree.topology.tiers.first?.deadline ?? Tier.deadlineDefault) * 10
        tree = setup.tree
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

    /// The position of the devices' tier, and its name.
    var deviceTier: Int { tree.topology.tiers.count - 1 }
    var deviceTierName: String { tree.topology.tiers[deviceTier].name }

    var root: SimulatedNode { nodes[Tree.root] }

    private static func bench(
        _ setup: Setup, _ serials: DigestSerials, _ pool: TrainingPool, isRoot: Bool
    ) -> NodeBench {
        NodeBench(
            serials: serials, isRoot: isRoot, evaluate: isRoot ? setup.evaluate : nil,
            recompute: { [unowned pool] in pool.recompute($0) })
    }

    /// Starts a node, or starts it again, with nothing but its configuration.
    func start(_ node: SimulatedNode) {
        let isRoot = node.parent == nil
        let configuration = AggregatorConfiguration(tree, position: node.position, digest: setup.digest)
        let clients = SimulatedClients(
            tree: tree, declared: tree.aggregators[node.position].devices, fleet: fleet, faults: faults)
        node.bench = Self.bench(setup, serials, pool, isRoot: isRoot)
        if node.starts == 0 { node.bench.optimizerState = setup.checkpoint?.optimizerState[node.name] ?? [] }
        node.starts += 1
        node.isAlive = true
        if isRoot {
            let run = node.starts == 1 ? run : RunID("\(self.run)-\(node.starts)")
            let resumed = node.starts == 1 ? setup.checkpoint : nil
            let vector = ModelVector(resumed?.model ?? setup.parameters)
            let digest = NodeBench.digest(of: vector)
            node.bench.objects[digest] = .model(vector)
            node.machine = AggregatorMachine(
                configuration: configuration, run: run, layout: setup.layout,
                model: NodeBench.reference(digest, vector), round: resumed?.round ?? 0, clients: clients)
            recorder.rootStarts(with: digest, now)
            drive(node, .alarm)
        } else {
            node.machine = AggregatorMachine(configuration: configuration, clients: clients)
            events.push(.connect(node), at: now + .nanoseconds(node.link.roundTrip))
        }
    }

}

/// Work on vectors that a node asked for.
struct Chore {
    enum Task {
        case perform(RoundWork)
        /// Nothing was left to do.
        case deliver(RoundWorkResult)
    }
    let node: SimulatedNode
    let run: RunID
    let task: Task
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
