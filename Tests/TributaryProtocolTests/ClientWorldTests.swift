// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore

@testable import TributaryProtocol

/// One client, two parents that lose messages, connections and their own rounds, and a process that dies at any record.
///
/// The parents are a model: what they accept, they keep, and answer for. So the test knows what became of each update.
struct ClientWorldTests {
    /// A parent, as far as a client can tell.
    struct Parent {
        var accepted: [RoundNumber: Set<UpdateKey>] = [:]
        /// How its rounds ended for what it accepted.
        var ends: [RoundNumber: RoundClosed.Outcome] = [:]
        var isDead = false
    }

    struct World {
        var random: CounterRandom
        var machine: ClientMachine
        var records: [ClientRecord] = []
        var parents: [NodeName: Parent] = [ClientPromiseTests.east: Parent(), ClientPromiseTests.west: Parent()]
        var parent = ClientPromiseTests.east
        var isConnected = false
        var now = Moment(nanoseconds: 0)
        var round: UInt32 = 0
        /// Messages of the parent that are on their way, and the client's work.
        var inbox: [Message] = []
        var work: [ClientEvent] = []
        /// The number from which on none was used, as the disk says.
        var reserved: UInt64 = 0
        var offered: [UpdateKey: Update] = [:]
        var outcomes: [UpdateKey: [RoundClosed.Outcome]] = [:]
        var unsettledMost = 0
        /// The record after whose writing the process dies; `nil` for chance alone.
        var deadly: Int?
        var losses = true

        init(seed: UInt64, deadly: Int? = nil) {
            random = CounterRandom(seed: seed, purpose: .synthetic)
            self.deadly = deadly
            machine = ClientMachine(
                node: ClientPromiseTests.name, client: ClientIndex(0), topology: nil, sequence: 0, parent: parent)
        }

        mutating func happens(oneIn count: UInt64) -> Bool { losses && random.next(below: count) == 0 }

        // MARK: The process

        /// What the records say is left, in order.
        var disk: [UnsettledUpdate] {
            var left: [UnsettledUpdate] = []
            for record in records {
                switch record {
                case .made(let update):
                    left.removeAll { $0.update.key == update.update.key }
                    left.append(update)
                case .receipted(let key, let durability):
                    for place in left.indices where left[place].update.key == key { left[place].receipt = durability }
                case .settled(let update, _): left.removeAll { $0.update.key == update.update.key }
                }
            }
            return left
        }

        mutating func restart() {
            let left = disk
            inbox = []
            work = []
            isConnected = false
            parent = ClientPromiseTests.east
            machine = ClientMachine(
                node: ClientPromiseTests.name, client: ClientIndex(0), topology: nil, sequence: reserved,
                parent: parent, unsettled: left)
        }

        mutating func handle(_ event: ClientEvent) throws {
            for action in machine.handle(event, at: now) {
                switch action {
                case .store(let record):
                    records.append(record)
                    switch record {
                    case .made(let update): reserved = max(reserved, update.update.key.sequence + 1)
                    case .settled(let update, let outcome): outcomes[update.update.key, default: []].append(outcome)
                    case .receipted: break
                    }
                    if records.count == deadly || happens(oneIn: 40) { return restart() }
                case .send(let envelope): try send(envelope)
                case .fetch(let object): work.append(.fetched(object.digest))
                case .train(let job, _):
                    let report = TrainReport(exampleCount: 1, metrics: [])
                    work.append(.trained(job.number, TrainOutcome(report: report, groups: [], body: nil)))
                case .release, .report, .finish: break
                }
            }
            unsettledMost = max(unsettledMost, machine.unsettledUpdates.count)
        }

        // MARK: The parents

        mutating func send(_ envelope: Envelope) throws {
            if case .update(let update) = envelope.message {
                // One key is one update, for ever.
                #expect(offered[update.key, default: update] == update)
                #expect(records.contains { if case .made(let made) = $0 { made.update == update } else { false } })
                offered[update.key] = update
            }
            guard isConnected, parents[parent]?.isDead == false else { return }
            if happens(oneIn: 12) { return breakLink() }
            switch envelope.message {
            case .hello:
                inbox.append(.welcome(Welcome(wireVersion: WireVersion.current, layout: try MemoryTree.layout())))
            case .update(let update): take(update)
            default: break
            }
        }

        private mutating func take(_ update: Update) {
            let receipt = Message.receipt(Receipt(subject: .update(update.key), durability: .disk))
            if let end = parents[parent]?.ends[update.number] {
                let isIn = parents[parent]?.accepted[update.number]?.contains(update.key) == true
                inbox.append(
                    isIn
                        ? .roundClosed(RoundClosed(number: update.number, outcome: end))
                        : ClientPromiseTests.refusal(update, .staleRound))
            } else if update.number.round < round {
                inbox.append(ClientPromiseTests.refusal(update, .staleRound))
            } else if happens(oneIn: 8) {
                inbox.append(.wait(Wait(retryAfter: .seconds(1))))
            } else if let other = parents[parent]?.accepted[update.number]?.first, other != update.key {
                inbox.append(ClientPromiseTests.refusal(update, .duplicate))
            } else {
                parents[parent]?.accepted[update.number] = [update.key]
                inbox.append(receipt)
            }
        }

        /// Ends the round at every parent, for each in its own way, and tells who is there.
        mutating func endRound() {
            let number = RoundNumber(round: round)
            for name in parents.keys.sorted() {
                guard parents[name]?.isDead == false else { continue }
                let isCommitted = !happens(oneIn: 4)
                let end: RoundClosed.Outcome =
                    isCommitted ? .committed(contributorCount: 1) : .failed(.parentLate)
                parents[name]?.ends[number] = end
                guard isConnected, parent == name, !happens(oneIn: 3) else { continue }
                let isIn = parents[name]?.accepted[number]?.isEmpty == false
                inbox.append(.roundClosed(RoundClosed(number: number, outcome: isIn ? end : .failed(.late))))
            }
        }

        /// How an update's rounds ended at those who have it.
        func truth(of key: UpdateKey) -> [RoundClosed.Outcome?] {
            guard let number = offered[key]?.number else { return [] }
            return parents.keys.sorted().compactMap { name in
                guard let parent = parents[name], parent.accepted[number]?.contains(key) == true else { return nil }
                return .some(parent.ends[number])
            }
        }

        // MARK: The network

        mutating func breakLink() {
            isConnected = false
            inbox = []
            work.append(.disconnected)
        }

        mutating func connect(to name: NodeName) throws {
            guard parents[name]?.isDead == false, !isConnected else { return }
            isConnected = true
            inbox = []
            if parent != name {
                parent = name
                try handle(.moved(to: name))
            }
            try handle(.connected)
        }

        mutating func step() throws {
            now = now + .milliseconds(100)
            switch random.next(below: 12) {
            case 0 where !isConnected:
                let names = parents.keys.sorted()
                try connect(to: names[Int(random.next(below: UInt64(names.count)))])
            case 1 where isConnected && happens(oneIn: 3): breakLink()
            case 2 where isConnected && !inbox.contains(where: { if case .plan = $0 { true } else { false } }):
                inbox.append(.plan(ClientPromiseTests.plan(round)))
            case 3: if let due = machine.nextAlarm { try ring(at: due) }
            case 4 where random.next(below: 3) == 0:
                endRound()
                round += 1
            default: try settleOne()
            }
        }

        mutating func ring(at due: Moment) throws {
            now = max(now, due)
            try handle(.alarm)
        }

        /// Delivers a message, or lets the client's own work be done.
        mutating func settleOne() throws {
            if !work.isEmpty {
                try handle(work.removeFirst())
            } else if !inbox.isEmpty, isConnected {
                let message = inbox.removeFirst()
                try handle(.message(Envelope(run: RetryTests.run, epoch: TopologyEpoch(1), message: message)))
            }
        }

        /// Lets the client visit every parent that lives, without losses, until it has heard everything.
        mutating func comeToRest() throws {
            losses = false
            deadly = nil
            endRound()
            round += 1
            for _ in 0..<4 {
                for name in parents.keys.sorted() {
                    if isConnected { breakLink() }
                    while !work.isEmpty { try settleOne() }
                    try connect(to: name)
                    for _ in 0..<100 where !inbox.isEmpty || !work.isEmpty { try settleOne() }
                    if let due = machine.nextAlarm { try ring(at: due) }
                    for _ in 0..<100 where !inbox.isEmpty || !work.isEmpty { try settleOne() }
                }
            }
        }
    }

    private func check(_ world: World, _ what: String) {
        for (key, outcomes) in world.outcomes {
            #expect(outcomes.count == 1, "\(what): \(key) has \(outcomes)")
            let truth = world.truth(of: key)
            let isIn = truth.contains { if case .committed? = $0 { true } else { false } }
            switch outcomes[0] {
            case .committed: #expect(isIn, "\(what): \(key) is in no sum")
            // Given up: too many others waited, or a parent was away for too long.
            case .failed(.cohortAbandoned), .failed(.parentLost), .failed(.late): break
            case .failed(let reason): #expect(!isIn, "\(what): \(key) is in a sum, not \(reason)")
            }
        }
        #expect(world.machine.unsettledUpdates.isEmpty, "\(what): \(world.machine.unsettledUpdates.map(\.update.key))")
        #expect(world.unsettledMost <= ClientMachine.unsettledCountMax)
        for key in world.offered.keys { #expect(world.outcomes[key] != nil, "\(what): \(key) has no outcome") }
    }

    @Test("whatever is lost and whenever the process dies, an update has one key and one outcome, the true one")
    func byChance() throws {
        var outcomeCount = 0
        var committedCount = 0
        for seed in 0..<400 as Range<UInt64> {
            var world = World(seed: seed)
            for _ in 0..<600 { try world.step() }
            try world.comeToRest()
            check(world, "seed \(seed)")
            outcomeCount += world.outcomes.count
            committedCount += world.outcomes.values.count { if case .committed? = $0.first { true } else { false } }
        }
        // Else the world is not one that tests anything.
        #expect(outcomeCount > 2000 && committedCount > 1000, "\(outcomeCount), \(committedCount)")
    }

    @Test("a process that dies after any record goes on with it", arguments: [11, 12, 13] as [UInt64])
    func atEveryRecord(seed: UInt64) throws {
        var undisturbed = World(seed: seed, deadly: .max)
        for _ in 0..<400 { try undisturbed.step() }
        let count = undisturbed.records.count
        #expect(count > 10)
        for record in 1...count {
            var world = World(seed: seed, deadly: record)
            for _ in 0..<400 { try world.step() }
            try world.comeToRest()
            check(world, "seed \(seed), record \(record)")
        }
    }
}
