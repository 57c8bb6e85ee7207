// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryCrypto
import TributaryFiles
import TributaryProtocol
import TributaryRing
import TributaryTestSupport

@testable import TributaryRuntime

/// A seeded sequence of batches such as a node of some kind would have its journal write.
struct JournalScript {
    /// What kinds of records there are, and how they follow each other.
    enum Mix: CaseIterable {
        /// An aggregator between devices and a parent: sums go up.
        case passThrough
        /// An aggregator that steps its own model in edge rounds: one update goes up.
        case stepping
        /// The root: sums come from children, models are stepped.
        case root
    }

    /// Records that are made durable together; a body is the bytes that the record's object stands for.
    typealias Batch = [(record: JournalRecord, body: [UInt8]?)]

    let mix: Mix
    private var generator: Generator
    private let layout: ParameterLayout
    private(set) var batches: [Batch] = []
    private var sequence: UInt64 = 0
    /// A round that has no end yet, while another is under way.
    private var late: RoundNumber?
    /// The names of each round's contributions.
    private var contributions: [RoundNumber: [ContributionName]] = [:]

    init(_ mix: Mix, seed: UInt64, roundCount: UInt32 = 4) throws {
        self.mix = mix
        generator = Generator(seed: seed)
        layout = try ParameterLayout(tensors: [
            ParameterTensor(name: "dense.weight", group: "body", shape: [4, 3]),
            ParameterTensor(name: "dense.bias", group: "body", shape: [3]),
        ])
        batches.append([(.welcomed(layout), nil)])
        for round in 1...roundCount { try addRound(round) }
    }

    private mutating func addRound(_ round: UInt32) throws {
        let number = RoundNumber(round: round)
        let plan = try plan(number)
        if mix != .root { batches.append([(.assigned(plan), nil)]) }
        let edgeRounds: UInt32 = mix == .stepping ? 2 : 1
        for edgeRound in 1...edgeRounds {
            let inner = RoundNumber(round: round, edgeRound: edgeRound)
            var inside = plan
            inside.number = inner
            let asked = [JournalRecord.Asked(name: NodeName("edge-1"), chosenCount: 4)]
            batches.append([
                (.opened(.init(plan: inside, aggregators: mix == .root ? asked : [], clientCount: 5)), nil)
            ])
            addContributions(inner)
            if mix != .passThrough { batches.append([(.stepped(step(inner)), nil)]) }
            if mix == .root || edgeRound < edgeRounds {
                end(inner, .committed(contributorCount: 2))
            }
        }
        guard mix != .root else { return }
        batches.append([(.answered(answer(number)), nil)])
        let isLost = generator.integer(0...3) == 0
        let last = RoundNumber(round: round, edgeRound: edgeRounds)
        // Now and then the parent's word comes when it has gone on to the next round already.
        if mix == .passThrough, round.isMultiple(of: 3) { return late = last }
        end(last, isLost ? .failed(.parentLate) : .committed(contributorCount: 3))
        if let late { end(late, .committed(contributorCount: 1)) }
        late = nil
    }

    /// Ends a round; now and then a contribution is in no committed sum.
    private mutating func end(_ number: RoundNumber, _ outcome: RoundClosed.Outcome) {
        let names = contributions[number] ?? []
        let without = names.isEmpty || generator.integer(0...2) > 0 ? [] : [names[0]]
        batches.append([(.closed(RoundClosed(number: number, outcome: outcome, without: without)), nil)])
    }

    private mutating func addContributions(_ number: RoundNumber) {
        var keys: [UpdateKey] = []
        var left = generator.integer(2...5)
        while left > 0 {
            let size = min(left, generator.integer(1...3))
            left -= size
            batches.append(
                (0..<size).map { _ in
                    let body = (0..<Int(generator.integer(1...900))).map { _ in
                        UInt8.random(in: 0...255, using: &generator)
                    }
                    guard mix != .root else {
                        let names = names()
                        contributions[number, default: []] += names
                        return (.sumAccepted(sum(number, body), names: names, excluded: self.names()), body)
                    }
                    let update = update(number, body)
                    keys.append(update.key)
                    contributions[number, default: []].append(
                        ContributionName(node: update.key.node, number: number, seed: 7))
                    return (.updateAccepted(update), body)
                })
        }
        if let key = keys.first, generator.integer(0...1) == 0 {
            batches.append([(.tookOut(number, [key], sums: []), nil)])
        }
    }

    // MARK: Values

    private mutating func update(_ number: RoundNumber, _ body: [UInt8]) -> Update {
        sequence += 1
        let object = ObjectReference(digest: .sha256(of: body), byteCount: UInt64(body.count))
        return Update(
            key: UpdateKey(node: NodeName("device-\(generator.integer(0...9))"), sequence: sequence), number: number,
            base: digest(), groups: [.init(weight: 3, encoding: .float32, byteCount: object.byteCount)],
            metrics: [MetricCounter(name: "loss", numerator: -5, denominator: 7)], body: object)
    }

    private mutating func sum(_ number: RoundNumber, _ body: [UInt8]) -> Sum {
        sequence += 1
        return Sum(
            key: SumKey(node: NodeName("edge-\(sequence)"), number: number, revision: 1), base: digest(),
            contributorCount: 4, contributionCount: 3,
            groups: [.init(totalWeight: 9, byteCount: UInt64(body.count))], metrics: [],
            body: ObjectReference(digest: .sha256(of: body), byteCount: UInt64(body.count)))
    }

    private mutating func names() -> [ContributionName] {
        // Now and then many.
        let count = generator.integer(0...6) == 0 ? 1200 : 3
        return (0..<count).map { _ in ContributionName(high: generator.next(), low: generator.next()) }
    }

    private mutating func step(_ number: RoundNumber) -> JournalRecord.Step {
        JournalRecord.Step(
            number: number, model: model(), totals: SumTotals(weights: [12], metrics: []), contributorCount: 4,
            chosenCount: 5)
    }

    private mutating func answer(_ number: RoundNumber) -> Message {
        guard mix == .passThrough else { return .update(update(number, [1, 2, 3])) }
        let key = SumKey(node: NodeName("edge"), number: number, revision: 1)
        return .sumOffer(
            SumOffer(key: key, names: nil, chosenCount: 5, contributorCount: 4, contributionCount: 4, reason: nil))
    }

    private mutating func plan(_ number: RoundNumber) throws -> RoundPlan {
        let ring = try RingParameters(deltaBound: 8, weightMax: 1 << 20, cohortMax: 1 << 12)
        return RoundPlan(
            number: number,
            kind: .train(TrainSettings(work: .epochs(1), batch: 8, optimizer: .sgd(learningRate: 0.5, momentum: 0))),
            model: model(),
            groups: [
                .init(name: "body", parameterCount: 15, ring: ring, encoding: .float32, normaliser: .weight)
            ], selection: .all, timeLeft: .milliseconds(1500), seed: 7)
    }

    private mutating func model() -> ModelReference {
        let object = ObjectReference(digest: digest(), byteCount: 60)
        return ModelReference(digest: object.digest, sources: [.init(object: object, encoding: .float32)])
    }

    private mutating func digest() -> Digest {
        Digest(words: generator.next(), generator.next(), generator.next(), generator.next())
    }
}

extension JournalScript {
    static let run = RunID("federation-20260101-000000")

    /// What a node remembers after so many of the script's records.
    func memory(afterRecords count: Int) -> RunMemory? {
        guard count > 0 else { return nil }
        var memory = RunMemory(run: Self.run)
        for (record, _) in batches.joined().prefix(count) { memory.apply(record) }
        return memory
    }

    /// Records in the batches before one.
    func recordCount(beforeBatch number: Int) -> Int { batches.prefix(number).reduce(0) { $0 + $1.count } }
}
