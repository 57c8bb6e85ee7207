// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryProtocol

/// Answers that must wait, and answers that never come.
struct RetryTests {
    static let run = RunID("test")
    static let model = MemoryTree.model(MemoryTree.digest("model"))

    static func seconds(_ value: Int64) -> Moment { Moment(nanoseconds: value * 1_000_000_000) }

    /// A client that has offered an update for round 1 at second 0, and the update.
    static func offering() throws -> (client: ClientMachine, update: Update) {
        var client = ClientMachine(node: NodeName("d-0"), client: ClientIndex(0), topology: nil, sequence: 7)
        let layout = try MemoryTree.layout()
        _ = client.handle(.connected, at: seconds(0))
        hear(.welcome(Welcome(wireVersion: WireVersion.current, layout: layout)), &client, at: seconds(0))
        let plan = RoundPlan(
            number: RoundNumber(round: 1), kind: .evaluate, model: model, groups: [], selection: .all,
            timeLeft: .seconds(600), seed: 1)
        hear(.plan(plan), &client, at: seconds(0))
        _ = client.handle(.fetched(model.digest), at: seconds(0))
        let outcome = TrainOutcome(report: TrainReport(exampleCount: 1, metrics: []), groups: [], body: nil)
        let updates = offers(client.handle(.trained(plan.number, outcome), at: seconds(0)))
        return (client, try #require(updates.first))
    }

    @discardableResult
    static func hear(_ message: Message, _ client: inout ClientMachine, at now: Moment) -> [ClientAction] {
        client.handle(.message(Envelope(run: run, epoch: TopologyEpoch(1), message: message)), at: now)
    }

    static func offers(_ actions: [ClientAction]) -> [Update] {
        actions.compactMap { action in
            if case .send(let envelope) = action, case .update(let update) = envelope.message { update } else { nil }
        }
    }

    static func hellos(_ actions: [ClientAction]) -> Int {
        actions.count { action in
            if case .send(let envelope) = action, case .hello = envelope.message { true } else { false }
        }
    }

    static func receipt(_ update: Update) -> Message {
        .receipt(Receipt(subject: .update(update.key), durability: .memory))
    }

    @Test("a client that is told to wait offers the same update again, no sooner and not much later")
    func waitIsObeyed() throws {
        var (client, update) = try Self.offering()
        Self.hear(.wait(Wait(retryAfter: .seconds(3))), &client, at: Self.seconds(1))
        let alarm = try #require(client.nextAlarm)
        #expect(alarm >= Self.seconds(4))
        #expect(alarm < Self.seconds(5))
        #expect(client.handle(.alarm, at: Self.seconds(3)) == [])
        #expect(Self.offers(client.handle(.alarm, at: alarm)) == [update])
        Self.hear(Self.receipt(update), &client, at: alarm)
        // The plan left ten minutes: after twice that, the end of its round is overdue.
        let overdue = try #require(client.nextAlarm)
        #expect(overdue >= Self.seconds(1200))
        #expect(client.handle(.alarm, at: Self.seconds(1199)) == [])
        #expect(Self.offers(client.handle(.alarm, at: overdue)) == [update])
        Self.hear(Self.receipt(update), &client, at: overdue)
        #expect(try #require(client.nextAlarm) >= overdue + .seconds(1200))
    }

    @Test("an offer without an answer is repeated after growing pauses until there is one")
    func silenceIsMetWithPatience() throws {
        var (client, update) = try Self.offering()
        var moments = [Self.seconds(0)]
        for _ in 0..<7 {
            let alarm = try #require(client.nextAlarm)
            #expect(Self.offers(client.handle(.alarm, at: alarm)) == [update])
            moments.append(alarm)
        }
        let pauses = zip(moments.dropFirst(), moments).map { ($0 - $1).seconds }
        for (pause, shortest) in zip(pauses, [10, 20, 40, 80, 160, 160, 160] as [Double]) {
            #expect((shortest...(1.25 * shortest)).contains(pause))
        }
        let refusal = Refuse(subject: .update(update.key), reason: .late, text: "too late")
        Self.hear(.refuse(refusal), &client, at: Self.seconds(900))
        #expect(client.nextAlarm == nil)
    }

    @Test("while the link is down nothing is repeated; after it the offer comes at once")
    func aBrokenLinkIsNotSilence() throws {
        var (client, update) = try Self.offering()
        _ = client.handle(.disconnected, at: Self.seconds(1))
        #expect(client.nextAlarm == nil)
        #expect(Self.offers(client.handle(.connected, at: Self.seconds(50))) == [])
        let welcome = Welcome(wireVersion: WireVersion.current, layout: try MemoryTree.layout())
        #expect(Self.offers(Self.hear(.welcome(welcome), &client, at: Self.seconds(51))) == [update])
        #expect(client.nextAlarm != nil)
    }

    @Test("a client that finds the node full says hello again later")
    func aFullNodeIsAskedAgain() throws {
        var client = ClientMachine(node: NodeName("d-0"), client: ClientIndex(0), topology: nil, sequence: 0)
        #expect(Self.hellos(client.handle(.connected, at: Self.seconds(0))) == 1)
        Self.hear(.wait(Wait(retryAfter: .seconds(60))), &client, at: Self.seconds(0))
        let alarm = try #require(client.nextAlarm)
        #expect(alarm >= Self.seconds(60))
        #expect(Self.hellos(client.handle(.alarm, at: alarm)) == 1)
        let full = Refuse(subject: .connection, reason: .wrongTopology, text: "not as it is")
        Self.hear(.refuse(full), &client, at: alarm)
        #expect(client.nextAlarm == nil, "who is not wanted does not ask again")
    }

    @Test("a fit says that it works when it begins, and then once a second at most")
    func signsOfLifeAreFew() throws {
        var client = ClientMachine(node: NodeName("d-0"), client: ClientIndex(0), topology: nil, sequence: 0)
        _ = client.handle(.connected, at: Self.seconds(0))
        let plan = RoundPlan(
            number: RoundNumber(round: 1), kind: .evaluate, model: Self.model, groups: [], selection: .all,
            timeLeft: .seconds(600), seed: 1)
        Self.hear(.plan(plan), &client, at: Self.seconds(100))
        var said = client.handle(.fetched(Self.model.digest), at: Self.seconds(100)).compactMap(Self.permille)
        // A fit of ten seconds that tells of every thousandth.
        for permille in 1...1000 as ClosedRange<UInt32> {
            let now = Self.seconds(100) + .milliseconds(10 * Int(permille))
            said += client.handle(.progress(plan.number, permille: permille), at: now).compactMap(Self.permille)
        }
        #expect(said == [0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000])
        // A short one.
        let next = RoundPlan(
            number: RoundNumber(round: 2), kind: .evaluate, model: Self.model, groups: [], selection: .all,
            timeLeft: .seconds(600), seed: 1)
        let outcome = TrainOutcome(report: TrainReport(exampleCount: 1, metrics: []), groups: [], body: nil)
        _ = client.handle(.trained(plan.number, outcome), at: Self.seconds(110))
        Self.hear(.plan(next), &client, at: Self.seconds(120))
        said = client.handle(.fetched(Self.model.digest), at: Self.seconds(120)).compactMap(Self.permille)
        for permille in 1...1000 as ClosedRange<UInt32> {
            let now = Self.seconds(120) + .microseconds(900 * Int64(permille))
            said += client.handle(.progress(next.number, permille: permille), at: now).compactMap(Self.permille)
        }
        #expect(said == [0])
    }

    static func permille(_ action: ClientAction) -> UInt32? {
        if case .send(let envelope) = action, case .working(let working) = envelope.message {
            working.permille
        } else {
            nil
        }
    }

    /// The kind of a delivery that is a message.
    static func kind(_ delivery: MemoryTree.Delivery) -> String? {
        let envelope: Envelope
        switch delivery {
        case .up(_, _, let sent), .down(_, _, let sent): envelope = sent
        case .work, .client, .connect, .restart, .stop, .move: return nil
        }
        return switch envelope.message {
        case .hello: "hello"
        case .ready: "ready"
        case .update: "update"
        case .sumOffer: "offer"
        case .sum: "sum"
        case .working: "working"
        case .leave: "leave"
        case .welcome: "welcome"
        case .plan: "plan"
        case .receipt: "receipt"
        case .sumGrant: "grant"
        case .roundClosed: "closed"
        case .wait: "wait"
        case .drain: "drain"
        case .refuse: "refuse"
        }
    }

    @Test(
        "each link loses the first message of each kind, and still everybody counts once",
        arguments: [1, 2, 3] as [UInt64])
    func lostMessagesAreRepeated(seed: UInt64) throws {
        let everybody = (0..<12).map { "d-\($0)" }.sorted()
        let trees = [
            TreeTests.flat, TreeTests.threeTiers(), TreeTests.fourTiers, TreeTests.threeTiers(edgeRounds: 2),
            AnyDepthTests.tree([.passThrough, .optimizer, .passThrough], .even),
        ]
        for specs in trees {
            var tree = try MemoryTree(specs, .init(rounds: 2, deadline: .seconds(1200), seed: seed))
            var lost: Set<String> = []
            tree.run(until: .seconds(20_000)) { tree, delivery in
                guard let kind = Self.kind(delivery) else { return }
                tree.isLost = lost.insert("\(kind) on \(delivery.link)").inserted
            }
            let steps = tree.stepped.filter { $0.node.value == "cloud" }
            #expect(steps.map(\.number.round) == [1, 2])
            for step in steps {
                let clients = try AnyDepthTests.clients(behind: step.keys, step.number, in: tree).sorted()
                #expect(clients == specs.filter { $0.client != nil }.map(\.name).sorted())
                if specs.count < 17 { #expect(clients == everybody) }
            }
            #expect(tree.refusals.isEmpty)
            // Hello, plan, working, update, leave; welcome, plan, receipt, closed, drain of every device at least.
            #expect(lost.count >= 9 * everybody.count)
            #expect(tree.finished.count == specs.count, "everybody is told that the run is over")
        }
    }

    @Test("a plan that is lost is sent again to who is silent, and to nobody else")
    func aLostPlanIsRepeated() throws {
        var tree = try MemoryTree(TreeTests.flat, .init(rounds: 1, deadline: .seconds(90)))
        let (deaf, slow) = (NodeName("d-3"), NodeName("d-5"))
        tree.trainingTime[slow] = .seconds(80)
        var plans: [NodeName: [Double]] = [:]
        tree.run { tree, delivery in
            guard case .down(_, let name, let envelope) = delivery, case .plan = envelope.message else { return }
            plans[name, default: []].append(tree.now.seconds.rounded(.down))
            tree.isLost = name == deaf && plans[name]?.count == 1
        }
        #expect(tree.stepped.map(\.keys.count) == [12])
        #expect(plans[deaf] == [0, 30])
        #expect(plans.filter { $0.key != deaf }.allSatisfy { $0.value == [0] })
    }

    @Test("an aggregator whose parent lost the round's end asks for it, and passes it on")
    func aLostEndIsAskedFor() throws {
        var specs = TreeTests.threeTiers()
        specs[1].quorum = 0.5
        var tree = try MemoryTree(specs, .init(rounds: 1, deadline: .seconds(100)))
        // The run ends with the round: without a drain, the edges have nothing else to go by.
        tree.run { tree, delivery in
            guard case .down(NodeName("cloud"), _, let envelope) = delivery else { return }
            if case .drain = envelope.message { tree.isLost = true }
            if case .roundClosed = envelope.message, tree.now.seconds < 100 { tree.isLost = true }
        }
        let closed = tree.events.filter {
            $0.event == .roundClosed(RoundNumber(round: 1), .committed(contributorCount: 12))
        }
        #expect(Set(closed.map(\.node.value)).isSuperset(of: ["cloud", "edge-0", "edge-1", "edge-2", "d-0", "d-11"]))
    }

    @Test("an edge that steps repeats its voice, and its model enters once")
    func aLostVoiceIsRepeated() throws {
        var tree = try MemoryTree(TreeTests.threeTiers(edgeRounds: 2), .init(rounds: 1, deadline: .seconds(600)))
        var losses = 0
        tree.run { tree, delivery in
            guard case .up(_, NodeName("cloud"), let envelope) = delivery, case .update = envelope.message else {
                return
            }
            losses += 1
            tree.isLost = losses <= 3
        }
        let cloud = tree.stepped.filter { $0.node.value == "cloud" }
        #expect(cloud.map { $0.keys.map(\.node.value) } == [["edge-0", "edge-1", "edge-2"]])
        #expect(losses == 6)
    }
}
