// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryTopology

/// Puts a run's rounds together from what happens in virtual time.
struct RoundRecorder {
    private let tierNames: [String]
    private var row: RunRecord.Round?
    /// Rows that are complete; the last round that fails at once makes two in one event.
    private var ready: [RunRecord.Round] = []
    private var begin = Moment(nanoseconds: 0)
    private var isSurveying = false
    /// Bytes and joules by tier since the last row, in tier order.
    private var up: [UInt64]
    private var down: [UInt64]
    private var compute: [Double]
    private var radio: [Double]
    private var chosen: [UInt64]
    private var reported: [UInt64]
    private var dropped: [[ReasonCode: UInt64]]
    private var refusals: [ReasonCode: UInt64] = [:]
    /// Accuracies of single devices in the last survey.
    private(set) var deviceAccuracies: [ClientIndex: Double] = [:]
    /// The root's newest model.
    var model: Digest?
    /// The last row's round, and when it was over.
    private(set) var completed: (round: UInt32, at: Moment)?
    /// Since when no round is open at the root; `nil` while one is.
    private(set) var waitsSince: Moment?
    /// Updates that entered committed rounds.
    private(set) var clientRounds: UInt64 = 0
    /// The last round that was opened.
    private(set) var round: UInt32 = 0

    /// Devices whose accuracies are kept at most.
    private static let accuracyCountMax = 100_000

    init(_ tree: Tree) {
        tierNames = tree.topology.tiers.map(\.name)
        up = tierNames.map { _ in 0 }
        down = up
        chosen = up
        reported = up
        compute = tierNames.map { _ in 0 }
        radio = compute
        dropped = tierNames.map { _ in [:] }
    }

    /// The open round, devices chosen for it, and those whose updates were folded.
    var progress: (round: UInt32, chosen: UInt64, reported: UInt64) {
        (round, chosen.last ?? 0, reported.last ?? 0)
    }

    // MARK: Counting

    mutating func count(_ byteCount: Int, up isUp: Bool, tier: Int) {
        if isUp { up[tier] += UInt64(byteCount) } else { down[tier] += UInt64(byteCount) }
    }

    mutating func spend(compute joules: Double, tier: Int) { compute[tier] += joules }

    mutating func spend(radio joules: Double, tier: Int) { radio[tier] += joules }

    mutating func refused(_ reason: ReasonCode) { refusals[reason, default: 0] += 1 }

    mutating func deviceEvaluated(_ client: ClientIndex, _ metrics: [MetricCounter]) {
        guard deviceAccuracies.count < Self.accuracyCountMax || deviceAccuracies[client] != nil,
            let accuracy = metrics.first(where: { $0.name == "accuracy" })?.value
        else { return }
        deviceAccuracies[client] = accuracy
    }

    /// The root starts, or starts again: it waits for its children, and an open round of its earlier life is over.
    mutating func rootStarts(with model: Digest, _ now: Moment) {
        if row != nil, row?.round != completed?.round {
            row?.failure = ReasonCode.stopped.rawValue
            row?.virtualSeconds = (now - begin).seconds
            row?.virtualEnd = now.seconds
        }
        finishRow(now)
        self.model = model
        completed = nil
        waitsSince = now
        isSurveying = false
    }

    // MARK: Events

    /// An event of a device.
    mutating func take(_ event: TelemetryEvent, of client: ClientIndex) {
        if case .refused(_, let reason, _) = event { refused(reason) }
    }

    /// An event of an aggregator.
    mutating func take(_ event: TelemetryEvent, at node: SimulatedNode, _ now: Moment) {
        // A round of the root begins with counts of its own.
        if node.parent == nil, case .roundOpened(_, evaluate: false, _) = event { finishRow(now) }
        switch event {
        case .refused(_, let reason, _): refused(reason)
        case .accepted where !isSurveying: reported[node.tier + 1] += 1
        case .dropped(_, _, let reason) where !isSurveying: dropped[node.tier + 1][reason, default: 0] += 1
        case .roundOpened(_, evaluate: false, let count):
            if node.children.isEmpty { chosen[node.tier + 1] += count }
            if node.parent != nil { chosen[node.tier] += 1 }
        default: break
        }
        if node.parent == nil { takeFromRoot(event, now) }
    }

    private mutating func takeFromRoot(_ event: TelemetryEvent, _ now: Moment) {
        switch event {
        case .roundOpened(let number, let evaluate, let count):
            waitsSince = nil
            if evaluate {
                isSurveying = true
                deviceAccuracies = [:]
            } else {
                round = number.round
                begin = now
                row = RunRecord.Round(round: number.round)
                row?.selected = count
            }
        case .roundResumed: waitsSince = nil
        case .roundCollected(_, let count, let selected, _) where !isSurveying:
            row?.reported = count
            row?.selected = selected
        case .stepped(_, let digest):
            model = digest
            row?.modelSHA256 = digest.description
        case .trained(_, let metrics):
            row?.trainLoss = Self.value("train.loss", in: metrics)
            row?.trainAccuracy = Self.value("train.accuracy", in: metrics)
        case .evaluated(_, let distributed, let metrics): evaluated(distributed, metrics)
        case .roundClosed(_, let outcome):
            waitsSince = now
            closed(outcome, now)
        case .finished: finishRow(now)
        default: break
        }
    }

    private mutating func evaluated(_ distributed: Bool, _ metrics: [MetricCounter]) {
        let (accuracy, loss) = (Self.value("accuracy", in: metrics), Self.value("loss", in: metrics))
        if distributed {
            row?.deviceAccuracy = accuracy
            row?.deviceLoss = loss
        } else {
            row?.accuracy = accuracy
            row?.loss = loss
        }
    }

    private mutating func closed(_ outcome: RoundClosed.Outcome, _ now: Moment) {
        if isSurveying {
            isSurveying = false
            return
        }
        row?.virtualSeconds = (now - begin).seconds
        row?.virtualEnd = now.seconds
        completed = (round, now)
        switch outcome {
        case .committed(let count): clientRounds += count
        case .failed(let reason): row?.failure = reason.rawValue
        }
    }

    private static func value(_ name: String, in metrics: [MetricCounter]) -> Double? {
        metrics.first { $0.name == name }?.value
    }

    // MARK: Rows

    /// Ends the row of a round that is over, although the devices still evaluate its model; `nil` while one is open.
    mutating func cutRow(_ now: Moment) -> RunRecord.Round? {
        guard row != nil, row?.round == completed?.round else { return nil }
        finishRow(now)
        return takeRound()
    }

    /// The next round that has become complete.
    mutating func takeRound() -> RunRecord.Round? { ready.isEmpty ? nil : ready.removeFirst() }

    /// Completes the row of the last round with what was counted since the one before.
    private mutating func finishRow(_ now: Moment) {
        guard var row else { return }
        for (tier, name) in tierNames.enumerated().dropFirst() {
            row.bytesUp[name] = up[tier]
            row.bytesDown[name] = down[tier]
            row.participation[name] = RunRecord.Participation(chosen: chosen[tier], reported: reported[tier])
            if !dropped[tier].isEmpty {
                row.dropped[name] = Dictionary(
                    uniqueKeysWithValues: dropped[tier].map { ($0.key.rawValue, $0.value) })
            }
        }
        if let devices = tierNames.indices.last {
            row.energyJoules[tierNames[devices]] = RunRecord.Energy(compute: compute[devices], radio: radio[devices])
        }
        row.refused = Dictionary(uniqueKeysWithValues: refusals.map { ($0.key.rawValue, $0.value) })
        ready.append(row)
        self.row = nil
        reset()
    }

    private mutating func reset() {
        for tier in tierNames.indices {
            up[tier] = 0
            down[tier] = 0
            chosen[tier] = 0
            reported[tier] = 0
            compute[tier] = 0
            radio[tier] = 0
            dropped[tier] = [:]
        }
        refusals = [:]
    }
}
