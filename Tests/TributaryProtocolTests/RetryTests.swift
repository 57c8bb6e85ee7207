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
        #expect(client.nextAlarm == nil)
        #expect(client.handle(.alarm, at: Self.seconds(500)) == [])
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
        #expect(client.nextAlarm == nil)
    }

    /// The kinds of messages that answers consist of.
    static func answerKind(_ delivery: MemoryTree.Delivery) -> String? {
        let envelope: Envelope
        switch delivery {
        case .up(_, _, let sent), .down(_, _, let sent): envelope = sent
        case .work, .client, .connect: return nil
        }
        switch envelope.message {
        case .update: return "update"
        case .sumOffer: return "offer"
        case .sumGrant: return "grant"
        case .sum: return "sum"
        case .receipt: return "receipt"
        default: return nil
        }
    }

    @Test(
        "each link loses the first message of each kind, and still everybody counts once",
        arguments: [1, 2, 3] as [UInt64])
    func lostAnswersAreRepeated(seed: UInt64) throws {
        let everybody = (0..<12).map { "d-\($0)" }.sorted()
        for specs in [TreeTests.flat, TreeTests.threeTiers(), TreeTests.fourTiers] {
            var tree = try MemoryTree(specs, .init(rounds: 2, deadline: .seconds(600), seed: seed))
            var lost: Set<String> = []
            tree.run { tree, delivery in
                guard let kind = Self.answerKind(delivery) else { return }
                tree.isLost = lost.insert("\(kind) on \(delivery.link)").inserted
            }
            let steps = tree.stepped.filter { $0.node.value == "cloud" }
            #expect(steps.map { $0.keys.map(\.node.value).sorted() } == [everybody, everybody])
            #expect(tree.refusals.isEmpty)
            #expect(lost.count >= 24)
            #expect(tree.finished.count == specs.count)
        }
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
