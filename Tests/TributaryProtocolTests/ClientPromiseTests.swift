// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore

@testable import TributaryProtocol

/// What a client does until it has heard what became of an update.
struct ClientPromiseTests {
    static let name = NodeName("d-0")
    static let (east, west) = (NodeName("east"), NodeName("west"))
    static let now = Moment(nanoseconds: 0)

    static func plan(_ round: UInt32, model: String = "model", isStepping: Bool = false) -> RoundPlan {
        RoundPlan(
            number: RoundNumber(round: round), kind: .evaluate, model: MemoryTree.model(MemoryTree.digest(model)),
            groups: [], selection: .all, timeLeft: .seconds(60), seed: 1, isStepping: isStepping)
    }

    /// A client that is welcome at a parent, what it said, and what it wrote down.
    struct Device {
        var machine: ClientMachine
        var offers: [Update] = []
        var refusals: [Refuse] = []
        var outcomes: [(key: UpdateKey, outcome: RoundClosed.Outcome)] = []
        var trainings = 0
        var hasLeft = false

        init(parent: NodeName? = ClientPromiseTests.east) throws {
            machine = ClientMachine(
                node: name, client: ClientIndex(0), topology: nil, sequence: 7, parent: parent)
            try connect()
        }

        mutating func connect() throws {
            handle(.connected)
            hear(.welcome(Welcome(wireVersion: WireVersion.current, layout: try MemoryTree.layout())))
        }

        /// Goes to another parent.
        mutating func move(to parent: NodeName) throws {
            handle(.disconnected)
            handle(.moved(to: parent))
            try connect()
        }

        mutating func hear(_ message: Message) {
            handle(.message(Envelope(run: RetryTests.run, epoch: TopologyEpoch(1), message: message)))
        }

        mutating func handle(_ event: ClientEvent, at moment: Moment = now) {
            for action in machine.handle(event, at: moment) {
                switch action {
                case .send(let envelope):
                    switch envelope.message {
                    case .update(let update): offers.append(update)
                    case .refuse(let refusal): refusals.append(refusal)
                    case .leave: hasLeft = true
                    default: break
                    }
                case .fetch(let object): handle(.fetched(object.digest))
                case .train(let job, _):
                    trainings += 1
                    let report = TrainReport(exampleCount: 1, metrics: [])
                    handle(.trained(job.number, TrainOutcome(report: report, groups: [], body: nil)))
                case .store(.settled(let update, let outcome)): outcomes.append((update.update.key, outcome))
                case .store, .release, .report, .finish: break
                }
            }
        }

        /// Answers a plan, and returns the update.
        mutating func answer(_ round: UInt32, isStepping: Bool = false) throws -> Update {
            hear(.plan(plan(round, isStepping: isStepping)))
            return try #require(offers.last)
        }
    }

    static func closed(_ round: UInt32, _ outcome: RoundClosed.Outcome = .committed(contributorCount: 3)) -> Message {
        .roundClosed(RoundClosed(number: RoundNumber(round: round), outcome: outcome))
    }

    static func refusal(_ update: Update, _ reason: ReasonCode) -> Message {
        .refuse(Refuse(subject: .update(update.key), reason: reason, text: "no"))
    }

    @Test("an update whose round's end was not heard is asked about when the next plan comes, and both get an outcome")
    func aLostEnd() throws {
        var device = try Device()
        let first = try device.answer(1)
        device.hear(RetryTests.receipt(first))
        device.hear(.plan(Self.plan(2)))
        #expect(device.offers.map(\.key.sequence) == [7, 7, 8])
        #expect(device.offers[1] == first)
        #expect(device.outcomes.isEmpty)
        device.hear(Self.closed(1))
        #expect(device.outcomes.map(\.key) == [first.key])
        #expect(device.outcomes.first?.outcome == .committed(contributorCount: 3))
        device.hear(RetryTests.receipt(device.offers[2]))
        device.hear(Self.closed(2, .failed(.belowQuorum)))
        #expect(device.outcomes.map(\.outcome) == [.committed(contributorCount: 3), .failed(.belowQuorum)])
        #expect(device.machine.isIdle)
    }

    @Test("without a receipt the end of the round is no outcome yet: the answer to the offer tells")
    func aLostReceipt() throws {
        var device = try Device()
        let update = try device.answer(1)
        device.hear(Self.closed(1))
        #expect(device.outcomes.isEmpty, "the receipt may be lost, or the update late")
        var late = device
        late.hear(Self.refusal(update, .staleRound))
        #expect(late.outcomes.map(\.outcome) == [.failed(.staleRound)])
        device.hear(Self.closed(1))
        #expect(device.outcomes.map(\.outcome) == [.committed(contributorCount: 3)])
        // A round of which nothing is left needs no receipt to fail.
        var failed = try Device()
        _ = try failed.answer(1)
        failed.hear(Self.closed(1, .failed(.deadline)))
        #expect(failed.outcomes.map(\.outcome) == [.failed(.deadline)])
    }

    @Test("an update goes to another parent under the same key, and is worked on once")
    func aMove() throws {
        var device = try Device()
        let update = try device.answer(1)
        try device.move(to: Self.west)
        #expect(device.offers == [update, update])
        device.hear(.plan(Self.plan(1)))
        #expect(device.offers == [update, update, update])
        #expect(device.trainings == 1)
        device.hear(RetryTests.receipt(update))
        device.hear(Self.closed(1))
        #expect(device.outcomes.count == 1)
    }

    @Test("a parent that knows nothing of an update does not void another's receipt")
    func aReceiptElsewhere() throws {
        var device = try Device()
        let update = try device.answer(1)
        device.hear(RetryTests.receipt(update))
        try device.move(to: Self.west)
        device.hear(Self.refusal(update, .notInCohort))
        #expect(device.outcomes.isEmpty)
        // It works on, and does not ask there again.
        device.hear(.plan(Self.plan(2)))
        #expect(device.offers.map(\.key.sequence) == [7, 7, 8])
        device.hear(Self.closed(1, .failed(.late)))
        #expect(device.outcomes.isEmpty)
        try device.move(to: Self.east)
        #expect(device.offers.count { $0 == update } == 3)
        device.hear(Self.closed(1))
        #expect(device.outcomes.map(\.outcome) == [.committed(contributorCount: 3)])
    }

    @Test("of two parents that gave a receipt, one that lost the update is not the last word")
    func twoReceipts() throws {
        var device = try Device()
        let update = try device.answer(1)
        device.hear(RetryTests.receipt(update))
        try device.move(to: Self.west)
        device.hear(RetryTests.receipt(update))
        device.hear(Self.closed(1, .failed(.parentLate)))
        #expect(device.outcomes.isEmpty)
        var lucky = device
        try lucky.move(to: Self.east)
        lucky.hear(Self.closed(1))
        #expect(lucky.outcomes.map(\.outcome) == [.committed(contributorCount: 3)])
        try device.move(to: Self.east)
        device.hear(Self.closed(1, .failed(.parentLate)))
        #expect(device.outcomes.map(\.outcome) == [.failed(.parentLate)])
    }

    @Test("a parent that never comes back is given up after eight rounds without it")
    func anAbandonedReceipt() throws {
        var device = try Device()
        let update = try device.answer(1)
        device.hear(RetryTests.receipt(update))
        try device.move(to: Self.west)
        device.hear(Self.refusal(update, .staleRound))
        for round in 2...8 as ClosedRange<UInt32> {
            let next = try device.answer(round)
            device.hear(RetryTests.receipt(next))
            device.hear(Self.closed(round))
        }
        #expect(device.outcomes.count == 7)
        _ = try device.answer(9)
        #expect(device.outcomes.last?.key == update.key)
        #expect(device.outcomes.last?.outcome == .failed(.cohortAbandoned))
    }

    @Test("what was offered to a parent that steps goes to no other: its round is sat out there")
    func aSteppingParent() throws {
        var device = try Device()
        let update = try device.answer(1, isStepping: true)
        try device.move(to: Self.west)
        #expect(device.offers == [update])
        device.hear(.plan(Self.plan(1, isStepping: true)))
        #expect(device.offers == [update])
        #expect(device.refusals.map(\.reason) == [.duplicate])
        #expect(device.trainings == 1)
        // The next round is another one.
        device.hear(.plan(Self.plan(2, isStepping: true)))
        #expect(device.offers.map(\.key.sequence) == [7, 8])
        try device.move(to: Self.east)
        #expect(device.offers.map(\.key.sequence) == [7, 8, 7])
    }

    @Test("a plan at work that another parent repeats is that parent's from then on")
    func aMoveAtWork() throws {
        var machine = ClientMachine(
            node: Self.name, client: ClientIndex(0), topology: nil, sequence: 7, parent: Self.east)
        func hear(_ message: Message) -> [ClientAction] {
            machine.handle(
                .message(Envelope(run: RetryTests.run, epoch: TopologyEpoch(1), message: message)), at: Self.now)
        }
        let digest = MemoryTree.digest("model")
        _ = hear(.plan(Self.plan(1, isStepping: true)))
        _ = machine.handle(.fetched(digest), at: Self.now)
        _ = machine.handle(.disconnected, at: Self.now)
        _ = machine.handle(.moved(to: Self.west), at: Self.now)
        _ = machine.handle(.connected, at: Self.now)
        _ = hear(.welcome(Welcome(wireVersion: WireVersion.current, layout: try MemoryTree.layout())))
        #expect(hear(.plan(Self.plan(1, isStepping: true))).isEmpty)
        let outcome = TrainOutcome(report: TrainReport(exampleCount: 1, metrics: []), groups: [], body: nil)
        let actions = machine.handle(.trained(RoundNumber(round: 1), outcome), at: Self.now)
        #expect(RetryTests.offers(actions).count == 1)
        #expect(machine.unsettledUpdates.map(\.parent) == [Self.west])
    }

    @Test("with four promises open a round is sat out; an update without a receipt makes room instead")
    func theBound() throws {
        var device = try Device()
        for round in 1...4 as ClosedRange<UInt32> {
            let update = try device.answer(round)
            device.hear(RetryTests.receipt(update))
        }
        #expect(device.machine.unsettledUpdates.count == 4)
        var full = device
        full.hear(.plan(Self.plan(5)))
        #expect(full.refusals.map(\.reason) == [.parentLate])
        #expect(full.trainings == 4)
        full.hear(Self.closed(2))
        full.hear(.plan(Self.plan(6)))
        #expect(full.trainings == 5)
        // One that nobody promised anything about.
        device.hear(Self.closed(4))
        _ = try device.answer(5)
        _ = try device.answer(6)
        #expect(device.outcomes.map(\.outcome) == [.committed(contributorCount: 3), .failed(.late)])
        #expect(device.machine.unsettledUpdates.map(\.update.number.round) == [1, 2, 3, 6])
    }

    @Test("at the end of the run an outcome that is owed is asked for; a parent that has none to give is left")
    func theEnd() throws {
        var device = try Device()
        let update = try device.answer(1)
        device.hear(RetryTests.receipt(update))
        var patient = device
        let drain = Message.drain(Drain(reason: .stopped))
        patient.hear(drain)
        #expect(!patient.hasLeft)
        #expect(patient.offers == [update, update])
        patient.hear(Self.closed(1))
        #expect(patient.hasLeft)
        #expect(patient.outcomes.count == 1)
        for count in 1...3 {
            device.hear(drain)
            #expect(device.hasLeft == (count == 3))
        }
        #expect(device.machine.unsettledUpdates.map(\.update) == [update], "it is for the next process")
    }

    @Test("a root that begins another run is asked about updates of the old one as theirs")
    func anotherRun() throws {
        var device = try Device()
        let update = try device.answer(5)
        device.hear(RetryTests.receipt(update))
        let other = Envelope(run: RunID("other"), epoch: TopologyEpoch(1), message: .plan(Self.plan(1)))
        let actions = device.machine.handle(.message(other), at: Self.now)
        let asked = actions.compactMap { action -> RunID? in
            if case .send(let envelope) = action, case .update = envelope.message { envelope.run } else { nil }
        }
        #expect(asked == [RetryTests.run])
        device.hear(Self.refusal(update, .wrongRun))
        #expect(device.outcomes.map(\.outcome) == [.failed(.wrongRun)])
    }
}
