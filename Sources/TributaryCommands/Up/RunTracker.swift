// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryTopology

/// Puts a run's rounds together from the event lines of its nodes.
struct RunTracker {
    /// What a view wants to know of right now.
    struct Now {
        var round: UInt32 = 0
        var roundCount: UInt32
        var reported: UInt64 = 0
        var chosen: UInt64 = 0
        var connected: UInt64 = 0
        var expected: UInt64
        var isGathering = true
        /// How often a node that was killed was started again, and which was the last.
        var restartCount = 0
        var restarted = ""
    }

    /// A round below one node.
    private struct Place: Hashable {
        var node: String
        var round: UInt32
        var edgeRound: UInt32?
    }

    private(set) var now: Now
    private(set) var isFinished = false
    private let start: Moment
    private let blank: RunRecord
    private let root: String
    /// For each aggregator, its own tier and the one below it.
    private let tiers: [String: (own: String, below: String)]
    private let deviceTier: String
    private var rows: [UInt32: RunRecord.Round] = [:]
    /// The last round that is over.
    private var endedRound: UInt32 = 0
    /// Cumulative bytes of each aggregator's children, as of the round before.
    private var counted: [String: (up: UInt64, down: UInt64)] = [:]
    /// Rounds that are over, but whose bytes not all aggregators have told yet, oldest first.
    private var waiting: [UInt32] = []
    /// Which aggregators have told a round's bytes.
    private var tellers: [UInt32: Set<String>] = [:]
    private var openedAt: [UInt32: Moment] = [:]
    /// Rounds that only judge the model, and nodes that were counted already.
    private var evaluations: Set<Place> = []
    private var asked: Set<Place> = []
    private var answered: Set<Place> = []

    init(tree: Tree, record: RunRecord, start: Moment) {
        let topology = tree.topology
        blank = record
        now = Now(roundCount: topology.rounds, expected: tree.deviceCount)
        root = tree.aggregators[Tree.root].name.value
        tiers = Dictionary(
            uniqueKeysWithValues: tree.aggregators.map {
                ($0.name.value, (own: topology.tiers[$0.tier].name, below: topology.tiers[$0.tier + 1].name))
            })
        deviceTier = topology.tiers.last?.name ?? ""
        self.start = start
    }

    /// Takes an event; returns the row of a round that can now be shown: over, and its bytes told by all aggregators,
    /// or the next one is over too.
    mutating func take(_ line: EventLine, at moment: Moment) -> RunRecord.Round? {
        count(line)
        if let round = heard(line, at: moment), round > endedRound {
            endedRound = round
            waiting.append(round)
        }
        guard let first = waiting.first else { return nil }
        let isTold = tellers[first]?.count == tiers.count
        return isTold || waiting.count > 1 ? takeWaiting() : nil
    }

    /// Notes that a node which was killed runs again.
    mutating func restarted(_ name: String) {
        now.restartCount += 1
        now.restarted = name
    }

    /// The oldest row that still waits for bytes, as far as they are known.
    mutating func takeWaiting() -> RunRecord.Round? {
        guard !waiting.isEmpty else { return nil }
        let round = waiting.removeFirst()
        tellers[round] = nil
        return rows[round]
    }

    /// Takes what the root tells; returns a round that is over, maybe not for the first time.
    private mutating func heard(_ line: EventLine, at moment: Moment) -> UInt32? {
        guard line.node == root else { return nil }
        switch line.event {
        case "gathering": gathering(line)
        case "round-opened" where line.kind == "train":
            let last = now.round
            opened(line, at: moment)
            return last
        case "round-collected":
            change(line.round, kind: line.edgeRound) { row in
                row.selected = line.chosen ?? 0
                row.reported = line.reported ?? 0
            }
        case "accepted", "progress": now.reported = line.reported ?? now.reported
        case "stepped": change(line.round, kind: line.edgeRound) { $0.modelSHA256 = line.model }
        case "round-closed" where line.edgeRound == 1: return closed(line, at: moment)
        case "evaluated", "evaluated-on-devices", "trained": return judged(line)
        // With a reason the run was not brought to its end: the root's process says why.
        case "finished" where line.reason == nil:
            isFinished = true
            return now.round
        default: break
        }
        return nil
    }

    /// The rounds that nothing changes any more: before the open one or of a finished run, and waiting for no bytes.
    var settledRounds: [RunRecord.Round] {
        let end = min(isFinished ? .max : now.round, waiting.first ?? .max)
        return rows.values.filter { $0.round < end }.sorted { $0.round < $1.round }
    }

    /// What the run amounts to so far.
    func record(at moment: Moment, peakResidentBytes: UInt64) -> RunRecord {
        var record = blank
        record.isComplete = isFinished
        // A round that is still open is no round yet.
        record.rounds = rows.values.filter { $0.modelSHA256 != nil || $0.failure != nil }
            .sorted { $0.round < $1.round }
        record.wallSeconds = (moment - start).seconds
        record.peakResidentBytes = peakResidentBytes
        let reports = record.rounds.reduce(0) { $0 + ($1.failure == nil ? $1.reported : 0) }
        let training = record.rounds.reduce(0) { $0 + $1.wallSeconds }
        record.clientRoundsPerSecond = training > 0 ? Double(reports) / training : 0
        return record
    }

    private mutating func gathering(_ line: EventLine) {
        now.isGathering = true
        now.connected = line.connected ?? 0
    }

    private mutating func opened(_ line: EventLine, at moment: Moment) {
        guard let round = line.round else { return }
        now.isGathering = false
        now.round = round
        now.chosen = line.chosen ?? 0
        now.reported = 0
        openedAt[round] = moment
        var row = RunRecord.Round(round: round)
        row.selected = now.chosen
        rows[round] = row
    }

    private mutating func change(_ round: UInt32?, kind edgeRound: UInt32?, _ body: (inout RunRecord.Round) -> Void) {
        guard let round, edgeRound == 1, var row = rows[round] else { return }
        body(&row)
        rows[round] = row
    }

    private mutating func closed(_ line: EventLine, at moment: Moment) -> UInt32? {
        guard let round = line.round else { return nil }
        let seconds = openedAt[round].map { (moment - $0).seconds } ?? 0
        change(round, kind: 1) { row in
            row.wallSeconds = seconds
            if line.outcome == "failed" { row.failure = line.reason ?? "round.failed" }
        }
        return line.outcome == "failed" ? round : nil
    }

    /// Takes metrics of a round's model; the root's own judgement makes the round fit to be shown.
    private mutating func judged(_ line: EventLine) -> UInt32? {
        change(line.round, kind: 1) { row in
            switch line.event {
            case "trained": (row.trainAccuracy, row.trainLoss) = (line.trainAccuracy, line.trainLoss)
            case "evaluated": (row.accuracy, row.loss) = (line.accuracy, line.loss)
            default: (row.deviceAccuracy, row.deviceLoss) = (line.accuracy, line.loss)
            }
        }
        return line.event == "evaluated" ? line.round : nil
    }
}

// MARK: - Counting by tier

extension RunTracker {
    /// Takes what any node tells: traffic, who was asked, who answered, who dropped out, what was refused.
    private mutating func count(_ line: EventLine) {
        switch line.event {
        case "counters": countTraffic(line)
        case "round-opened": countAsked(line)
        case "round-collected": countDevices(line)
        case "accepted": countAnswered(line)
        case "dropped":
            guard let tier = tiers[line.node]?.below, let reason = line.reason, !isEvaluation(line) else { return }
            change(line.round, kind: 1) { $0.dropped[tier, default: [:]][reason, default: 0] += 1 }
        case "refused":
            // A refusal belongs to no round; it is told of the one that is open.
            guard let reason = line.reason else { return }
            change(now.round, kind: 1) { $0.refused[reason, default: 0] += 1 }
        default: break
        }
    }

    private func isEvaluation(_ line: EventLine) -> Bool {
        line.round.map { evaluations.contains(Place(node: line.node, round: $0, edgeRound: line.edgeRound)) } ?? false
    }

    private mutating func countAsked(_ line: EventLine) {
        guard let round = line.round, let tier = tiers[line.node] else { return }
        guard line.kind == "train" else {
            evaluations.insert(Place(node: line.node, round: round, edgeRound: line.edgeRound))
            return
        }
        if tier.below == deviceTier {
            add(to: deviceTier, in: round, chosen: line.chosen ?? 0)
        }
        if line.node != root, asked.insert(Place(node: line.node, round: round)).inserted {
            add(to: tier.own, in: round, chosen: 1)
        }
    }

    private mutating func countDevices(_ line: EventLine) {
        guard let round = line.round, tiers[line.node]?.below == deviceTier, !isEvaluation(line) else { return }
        add(to: deviceTier, in: round, reported: line.reported ?? 0)
    }

    /// Counts an aggregator whose sum its parent took.
    private mutating func countAnswered(_ line: EventLine) {
        guard let round = line.round, let member = line.member, let tier = tiers[member]?.own, !isEvaluation(line),
            answered.insert(Place(node: member, round: round)).inserted
        else { return }
        add(to: tier, in: round, reported: 1)
    }

    private mutating func add(to tier: String, in round: UInt32, chosen: UInt64 = 0, reported: UInt64 = 0) {
        change(round, kind: 1) { row in
            let before = row.participation[tier] ?? .init(chosen: 0, reported: 0)
            row.participation[tier] = .init(
                chosen: before.chosen &+ chosen, reported: before.reported &+ reported)
        }
    }

    private mutating func countTraffic(_ line: EventLine) {
        guard let tier = tiers[line.node]?.below, let up = line.receivedFromChildren, let down = line.sentToChildren
        else { return }
        let before = counted[line.node] ?? (0, 0)
        counted[line.node] = (up, down)
        if let round = line.round { tellers[round, default: []].insert(line.node) }
        change(line.round, kind: 1) { row in
            // A node that was started again counts from zero.
            row.bytesUp[tier, default: 0] += up >= before.up ? up - before.up : up
            row.bytesDown[tier, default: 0] += down >= before.down ? down - before.down : down
        }
    }
}
