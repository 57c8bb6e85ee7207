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
    }

    private(set) var summary: RunSummary
    private(set) var now: Now
    private(set) var isFinished = false
    private let root: String
    /// For each aggregator, the name of the tier below it.
    private let tierBelow: [String: String]
    private var rows: [UInt32: RunSummary.Round] = [:]
    /// Cumulative bytes of each aggregator's children, as of the round before.
    private var counted: [String: (up: UInt64, down: UInt64)] = [:]
    /// Rounds that are over, but whose bytes not all aggregators have told yet, oldest first.
    private var waiting: [UInt32] = []
    /// Which aggregators have told a round's bytes.
    private var tellers: [UInt32: Set<String>] = [:]
    private var openedAt: [UInt32: Moment] = [:]
    private let start: Moment

    init(tree: Tree, model: String, directory: String, start: Moment) {
        let topology = tree.topology
        summary = RunSummary(
            federation: topology.federation, seed: topology.seed, devices: tree.deviceCount,
            aggregators: tree.aggregators.count, model: model, directory: directory)
        now = Now(roundCount: topology.rounds, expected: tree.deviceCount)
        root = tree.aggregators[Tree.root].name.value
        tierBelow = Dictionary(
            uniqueKeysWithValues: tree.aggregators.map { ($0.name.value, topology.tiers[$0.tier + 1].name) })
        self.start = start
    }

    /// Takes an event; returns the row of a round that is now complete: over, and its bytes told by all aggregators,
    /// or the next one is over too.
    mutating func take(_ line: EventLine, at moment: Moment) -> RunSummary.Round? {
        if line.event == "counters" { countTraffic(line) }
        if let row = heard(line, at: moment) { waiting.append(row.round) }
        guard let first = waiting.first else { return nil }
        let isTold = tellers[first]?.count == tierBelow.count
        return isTold || waiting.count > 1 ? takeWaiting() : nil
    }

    /// The oldest row that still waits for bytes, as far as they are known.
    mutating func takeWaiting() -> RunSummary.Round? {
        guard !waiting.isEmpty else { return nil }
        let round = waiting.removeFirst()
        tellers[round] = nil
        return rows[round]
    }

    private mutating func heard(_ line: EventLine, at moment: Moment) -> RunSummary.Round? {
        guard line.node == root else { return nil }
        switch line.event {
        case "gathering": gathering(line)
        case "round-opened" where line.kind == "train": opened(line, at: moment)
        case "round-collected":
            change(line.round, kind: line.edgeRound) { row in
                row.selected = line.chosen ?? 0
                row.reported = line.reported ?? 0
            }
        case "accepted", "progress": now.reported = line.reported ?? now.reported
        case "stepped": change(line.round, kind: line.edgeRound) { $0.modelSHA256 = line.model }
        case "round-closed" where line.edgeRound == 1: return closed(line, at: moment)
        case "evaluated": return evaluated(line, at: moment)
        // With a reason the run was not brought to its end: the root's process says why.
        case "finished" where line.reason == nil: isFinished = true
        default: break
        }
        return nil
    }

    /// What the run amounts to so far.
    mutating func finish(at moment: Moment, peakResidentBytes: UInt64) -> RunSummary {
        summary.rounds = rows.values.sorted { $0.round < $1.round }
        summary.wallSeconds = (moment - start).seconds
        summary.peakResidentBytes = peakResidentBytes
        let reports = summary.rounds.reduce(0) { $0 + ($1.failure == nil ? $1.reported : 0) }
        let training = summary.rounds.reduce(0) { $0 + $1.wallSeconds }
        summary.clientRoundsPerSecond = training > 0 ? Double(reports) / training : 0
        let last = summary.rounds.last { $0.modelSHA256 != nil }
        summary.final.modelSHA256 = last?.modelSHA256
        let judged = summary.rounds.last { $0.accuracy != nil }
        summary.final.accuracy = judged?.accuracy
        summary.final.loss = judged?.loss
        return summary
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
        rows[round] = RunSummary.Round(round: round, selected: now.chosen)
    }

    private mutating func change(_ round: UInt32?, kind edgeRound: UInt32?, _ body: (inout RunSummary.Round) -> Void) {
        guard let round, edgeRound == 1, var row = rows[round] else { return }
        body(&row)
        rows[round] = row
    }

    private mutating func closed(_ line: EventLine, at moment: Moment) -> RunSummary.Round? {
        guard let round = line.round else { return nil }
        let seconds = openedAt[round].map { (moment - $0).seconds } ?? 0
        change(round, kind: 1) { row in
            row.wallSeconds = seconds
            if line.outcome == "failed" { row.failure = line.reason ?? "round.failed" }
        }
        return line.outcome == "failed" ? rows[round] : nil
    }

    private mutating func evaluated(_ line: EventLine, at moment: Moment) -> RunSummary.Round? {
        change(line.round, kind: 1) { row in
            row.accuracy = line.accuracy
            row.loss = line.loss
        }
        return line.round.flatMap { rows[$0] }
    }

    private mutating func countTraffic(_ line: EventLine) {
        guard let tier = tierBelow[line.node], let up = line.receivedFromChildren, let down = line.sentToChildren
        else { return }
        let before = counted[line.node] ?? (0, 0)
        counted[line.node] = (up, down)
        if let round = line.round { tellers[round, default: []].insert(line.node) }
        change(line.round, kind: 1) { row in
            row.bytesUp[tier, default: 0] += up &- before.up
            row.bytesDown[tier, default: 0] += down &- before.down
        }
    }
}
