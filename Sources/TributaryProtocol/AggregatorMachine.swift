// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
package import TributaryRing

/// What happens to an aggregator.
package enum AggregatorEvent: Sendable {
    /// A message of a child whose identity is proven.
    case fromChild(NodeName, Envelope)
    case childGone(NodeName, ReasonCode)
    /// The link to the parent is up, or up again.
    case parentConnected
    case parentGone
    case fromParent(Envelope)
    case completed(RunID, RoundWorkResult)
    /// Time has passed; due at `nextAlarm`.
    case alarm
    /// The operator wants the node to end.
    case stop
}

/// What an aggregator's driver has to do.
package enum AggregatorAction: Hashable, Sendable {
    case send(Envelope, to: Neighbour)
    case work(RunID, RoundWork)
    case report(TelemetryEvent)
    /// The node is done; the driver may end after what it has to send is sent.
    case finish(ReasonCode?)
}

/// An inner node of the tree: who is connected below, and one round machine for each run.
///
/// The root is an aggregator whose run has a coordinator; everything else is the same at every depth.
package struct AggregatorMachine: Sendable {
    package let configuration: AggregatorConfiguration
    private var membership: Membership
    /// Children that said hello before this node knew the model's layout.
    private var early: [NodeName: Hello] = [:]
    private var layout: ParameterLayout?
    /// One machine for each run; looked at where they stand, for they are large.
    private var rounds: [RoundMachine] = []
    /// Whether the rounds have yet to go on after a restart.
    private var isResuming = false
    private var epoch = TopologyEpoch(1)
    private var announced: UInt64?
    private var greeting = Greeting()
    private var farewell = Farewell()
    private var actions: [AggregatorAction] = []

    /// An aggregator below the root, which learns layout and run from its parent.
    package init(
        configuration: AggregatorConfiguration, clients: any ClientPopulation = ConnectedClients()
    ) {
        self.configuration = configuration
        membership = Membership(clients: clients)
    }

    /// The root of a run; `model` is the initial one, or what `round` gave when the run goes on.
    ///
    /// With a `memory` of the same run it goes on where the records of its journal end.
    package init(
        configuration: AggregatorConfiguration, run: RunID, layout: ParameterLayout, model: ModelReference,
        round: UInt32 = 0, memory: RunMemory? = nil, clients: any ClientPopulation = ConnectedClients()
    ) {
        self.configuration = configuration
        membership = Membership(clients: clients)
        self.layout = layout
        isResuming = memory != nil
        rounds = [
            RoundMachine(
                run: run, configuration: configuration, layout: layout, model: model, round: round, memory: memory)
        ]
    }

    /// An aggregator below the root that goes on where the records of its journal end.
    package init(
        configuration: AggregatorConfiguration, memory: RunMemory,
        clients: any ClientPopulation = ConnectedClients()
    ) {
        self.configuration = configuration
        membership = Membership(clients: clients)
        guard let layout = memory.layout else { return }
        self.layout = layout
        isResuming = true
        rounds = [RoundMachine(run: memory.run, configuration: configuration, layout: layout, memory: memory)]
    }

    /// The runs that this node has a part in.
    package var runs: [RunID] { rounds.map(\.run).sorted { $0.value < $1.value } }

    /// The next moment at which `alarm` is due; `nil` when nothing waits for time.
    package var nextAlarm: Moment? {
        var next = [greeting.retry.due, farewell.due].compactMap(\.self).min()
        for index in rounds.indices {
            guard let alarm = rounds[index].due else { continue }
            next = next.map { min($0, alarm) } ?? alarm
        }
        return next
    }

    /// The children that a round waits for: those to probe; O(members).
    package var awaited: Set<NodeName> {
        var awaited: Set<NodeName> = []
        for index in rounds.indices { awaited.formUnion(rounds[index].awaited) }
        return awaited
    }

    /// Takes an event and says what to do.
    package mutating func handle(_ event: AggregatorEvent, at now: Moment) -> [AggregatorAction] {
        var actions: [AggregatorAction] = []
        handle(event, at: now, into: &actions)
        return actions
    }

    /// Takes an event and appends what to do to `buffer`, which a busy driver keeps and empties.
    ///
    /// - Returns: the next moment at which `alarm` is due, as `nextAlarm` says.
    @discardableResult
    package mutating func handle(
        _ event: AggregatorEvent, at now: Moment, into buffer: inout [AggregatorAction]
    ) -> Moment? {
        swap(&actions, &buffer)
        defer { swap(&actions, &buffer) }
        if isResuming {
            isResuming = false
            eachRound { round, members in
                round.resume(at: now)
                round.goOn(members, at: now)
            }
        }
        switch event {
        case .fromChild(let name, let envelope): receive(envelope, from: name, at: now)
        case .childGone(let name, let reason): gone(name, reason, at: now)
        case .parentConnected:
            greeting = Greeting()
            sayHello()
            greeting.retry.start(at: now, greetingChance)
        case .parentGone:
            greeting.retry.stop()
            eachRound { round, _ in round.parentGone(at: now) }
            actions.append(.report(.parentGone))
        case .fromParent(let envelope): receiveFromParent(envelope, at: now)
        case .completed(let run, let result):
            withRound(run) { $0.completed(result, $1, at: now) }
        case .alarm:
            greetAgain(at: now)
            if farewell.isDue(at: now) { sendDrain() }
            eachRound { $0.alarm($1, at: now) }
        case .stop: stop()
        }
        if case .finish(let reason)? = actions.last { farewell.begin(reason, at: now) }
        announcePopulation(at: now)
        return nextAlarm
    }

    /// Lets the machine of a run decide; it is changed where it stands, and appends to this machine's actions.
    private mutating func withRound(_ run: RunID, _ body: (inout RoundMachine, Membership) -> Void) {
        guard let position = position(of: run) else { return }
        Self.lend(&actions, to: &rounds[position], epoch) { body(&$0, membership) }
    }

    private func position(of run: RunID) -> Int? {
        for index in rounds.indices where rounds[index].run == run { return index }
        return nil
    }

    private static func lend(
        _ actions: inout [AggregatorAction], to round: inout RoundMachine, _ epoch: TopologyEpoch,
        _ body: (inout RoundMachine) -> Void
    ) {
        round.epoch = epoch
        swap(&actions, &round.actions)
        body(&round)
        round.due = round.nextAlarm
        swap(&actions, &round.actions)
    }

    private mutating func send(_ message: Message, run: RunID?, to neighbour: Neighbour) {
        actions.append(.send(Envelope(run: run, epoch: epoch, message: message), to: neighbour))
    }

    private mutating func eachRound(_ body: (inout RoundMachine, Membership) -> Void) {
        for run in runs { withRound(run, body) }
    }

    // MARK: Children

    private mutating func receive(_ envelope: Envelope, from name: NodeName, at now: Moment) {
        switch envelope.message {
        case .hello(let hello): welcome(hello, from: name, at: now)
        case .leave(let leave): gone(name, leave.reason, at: now)
        case .ready(let ready):
            membership.ready(name, clientCount: ready.clientCount)
            eachRound { $0.populationChanged($1, at: now) }
        case .update, .sumOffer, .sum, .working, .refuse: forward(envelope, from: name, at: now)
        case .welcome, .plan, .receipt, .sumGrant, .roundClosed, .wait, .drain:
            refuse(name, .unexpected, "a child does not send this message")
        }
    }

    private mutating func forward(_ envelope: Envelope, from name: NodeName, at now: Moment) {
        guard membership.contains(name) else {
            refuse(name, .unexpected, "say hello first")
            return
        }
        guard let run = envelope.run, position(of: run) != nil else {
            if let subject = envelope.message.subject {
                let refusal = Refuse(subject: subject, reason: .wrongRun, text: "this node has no such run")
                actions.append(.report(.refused(name, .wrongRun, text: refusal.text)))
                send(.refuse(refusal), run: envelope.run, to: .child(name))
            }
            return
        }
        withRound(run) { $0.receive(envelope.message, from: name, $1, at: now) }
    }

    private mutating func welcome(_ hello: Hello, from name: NodeName, at now: Moment) {
        guard hello.node == name else {
            refuse(name, .wrongIdentity, "the key belongs to '\(name)', not to '\(hello.node)'")
            return
        }
        guard configuration.children.role(of: name) == hello.role else {
            refuse(name, .wrongIdentity, "the topology gives '\(configuration.node)' no such child as '\(name)'")
            return
        }
        guard hello.wireVersions.contains(WireVersion.current) else {
            refuse(name, .wireVersion, "this node speaks wire version \(WireVersion.current)")
            return
        }
        if let theirs = hello.topology, let ours = configuration.topology, theirs != ours {
            refuse(name, .wrongTopology, "'\(name)' reads another topology file than '\(configuration.node)'")
            return
        }
        guard membership.contains(name) || membership.count < Limits.childCountMax else {
            send(.wait(Wait(retryAfter: .seconds(60))), run: nil, to: .child(name))
            return
        }
        guard let layout else {
            early[name] = hello
            return
        }
        admit(hello, layout, at: now)
    }

    private mutating func admit(_ hello: Hello, _ layout: ParameterLayout, at now: Moment) {
        membership.join(hello.node, role: hello.role)
        let run = rounds.count == 1 ? rounds[0].run : nil
        send(.welcome(Welcome(wireVersion: WireVersion.current, layout: layout)), run: run, to: .child(hello.node))
        actions.append(.report(.childJoined(hello.node, clientCount: membership.clientCount)))
        eachRound { $0.joined(hello.node, $1, at: now) }
    }

    private mutating func gone(_ name: NodeName, _ reason: ReasonCode, at now: Moment) {
        early[name] = nil
        guard membership.remove(name) else { return }
        actions.append(.report(.childGone(name, reason, clientCount: membership.clientCount)))
        eachRound { $0.gone(name, reason, $1, at: now) }
    }

    private mutating func refuse(_ name: NodeName, _ reason: ReasonCode, _ text: String) {
        actions.append(.report(.refused(name, reason, text: text)))
        send(.refuse(Refuse(subject: .connection, reason: reason, text: text)), run: nil, to: .child(name))
    }

    // MARK: Parent

    private mutating func sayHello() {
        announced = nil
        send(
            .hello(
                Hello(
                    node: configuration.node, role: .aggregator, wireVersions: WireVersion.supported,
                    encodings: UpdateEncoding.allCases, topology: configuration.topology)),
            run: nil, to: .parent)
    }

    private mutating func receiveFromParent(_ envelope: Envelope, at now: Moment) {
        epoch = max(epoch, envelope.epoch)
        switch envelope.message {
        case .welcome(let welcome): welcomed(welcome.layout, at: now)
        case .wait(let wait) where !greeting.isWelcome:
            greeting.retry.wait(wait.retryAfter, at: now, greetingChance)
        case .refuse(let refusal) where !greeting.isWelcome && refusal.subject == .connection:
            greeting.retry.stop()
            actions.append(.report(.refused(configuration.node, refusal.reason, text: refusal.text)))
        case .drain where rounds.isEmpty:
            for name in membership.names { send(envelope.message, run: nil, to: .child(name)) }
            actions.append(.finish(.stopped))
        default: forwardFromParent(envelope, at: now)
        }
    }

    private mutating func forwardFromParent(_ envelope: Envelope, at now: Moment) {
        guard let run = envelope.run ?? rounds.first?.run, let layout else { return }
        // A parent that sends plans has welcomed this node, and knows of its clients.
        if case .plan = envelope.message {
            greeting.isWelcome = true
            greeting.retry.stop()
        }
        if position(of: run) == nil {
            guard case .plan = envelope.message else { return }
            // The root knows one run at a time: a new one ends what is left of the old.
            for old in runs { withRound(old) { round, _ in round.abandon() } }
            rounds = [RoundMachine(run: run, configuration: configuration, layout: layout)]
            // Waited for by nobody: the plan is written down after it, and the layout is the parent's to repeat.
            withRound(run) { round, _ in round.journal(.welcomed(layout)) }
        }
        withRound(run) { $0.receiveFromParent(envelope.message, $1, at: now) }
    }

    private mutating func welcomed(_ layout: ParameterLayout, at now: Moment) {
        self.layout = layout
        actions.append(.report(.welcomed))
        greeting.isWelcome = true
        greeting.retry.stop()
        announced = nil
        for hello in early.values.sorted(by: { $0.node < $1.node }) { admit(hello, layout, at: now) }
        early = [:]
        announcePopulation(at: now)
        eachRound { round, _ in round.parentWelcomed(at: now) }
    }

    /// Tells the parent how many clients are connected below, when that has changed.
    private mutating func announcePopulation(at now: Moment) {
        guard configuration.root == nil, layout != nil, announced != membership.clientCount else { return }
        announced = membership.clientCount
        greeting.readyCount = 0
        sendReady()
        // Nothing answers it but a plan; until one comes it is said again a few times.
        if greeting.retry.due == nil, greeting.isWelcome { greeting.retry.start(at: now, greetingChance) }
    }

    private mutating func sendReady() {
        send(.ready(Ready(clientCount: membership.clientCount)), run: nil, to: .parent)
    }

    /// Says again what the parent may not have heard.
    private mutating func greetAgain(at now: Moment) {
        guard greeting.retry.isDue(at: now) else { return }
        if !greeting.isWelcome {
            sayHello()
        } else if greeting.readyCount < Greeting.readyCountMax {
            greeting.readyCount += 1
            sendReady()
        } else {
            greeting.retry.stop()
            return
        }
        greeting.retry.goOn(at: now, greetingChance)
    }

    private var greetingChance: (seed: UInt64, number: RoundNumber, who: UInt64) {
        let number = RoundNumber(round: 0)
        return (0, number, ContributionName(node: configuration.node, number: number, seed: 0).low)
    }

    /// Tells the children that are still there that the run is over.
    private mutating func sendDrain() {
        for name in membership.names {
            send(.drain(Drain(reason: farewell.reason ?? .stopped)), run: nil, to: .child(name))
        }
    }

    private mutating func stop() {
        for name in membership.names { send(.drain(Drain(reason: .stopped)), run: nil, to: .child(name)) }
        if configuration.root == nil { send(.leave(Leave(reason: .stopped)), run: nil, to: .parent) }
        actions.append(.report(.finished(.stopped)))
        actions.append(.finish(.stopped))
    }
}

extension Message {
    /// What a refusal of the message would refer to; `nil` when nothing needs one.
    var subject: Refuse.Subject? {
        switch self {
        case .update(let update): .update(update.key)
        case .sumOffer(let offer): .sum(offer.key)
        case .sum(let sum): .sum(sum.key)
        default: nil
        }
    }
}
