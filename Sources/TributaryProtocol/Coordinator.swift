// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryTopology

/// The root's round loop: when to open a round, what comes after it, and when the run is over.
struct Coordinator: Sendable {
    enum Phase: Sendable {
        /// Waits for clients; `since` is when enough were first there.
        case gathering(since: Moment?)
        /// A round is open, or its sum is being stepped and evaluated.
        case busy
        /// The devices evaluate the model.
        case surveying
        case finished
    }

    let settings: AggregatorConfiguration.Root
    var model: ModelReference
    /// The last round that was begun; 0 before the first.
    var round: UInt32 = 0
    /// The round that gave the model that the root started with.
    private let startRound: UInt32
    var phase = Phase.gathering(since: nil)
    /// What was said last about gathering, so that it is said once.
    var announced: UInt64?
    /// Rounds that have failed one after another, and the end of the pause that follows the last of them.
    private var failureCount = 0
    private var pauseEnds: Moment?

    /// The pause after a failed round, doubled with each further one: what was wrong gets time to pass.
    private static let pauseMin = Duration.seconds(1)
    private static let doublingsMax = 6

    /// A coordinator that goes on from `model`, which `round` gave; 0 for the initial one.
    init(settings: AggregatorConfiguration.Root, model: ModelReference, round: UInt32 = 0) {
        self.settings = settings
        self.model = model
        self.round = round
        startRound = round
    }

    /// When the next round may open: after a pause, or although not everybody has come for the first one.
    var gatheringEnds: Moment? {
        guard case .gathering(let since) = phase else { return nil }
        return pauseEnds ?? since.map { $0 + settings.deadline }
    }

    /// A round is over; after a failed one the next has to wait a little.
    mutating func roundEnded(failed: Bool, at now: Moment) {
        guard failed else {
            failureCount = 0
            return
        }
        pauseEnds = now + Self.pauseMin * (1 << min(failureCount, Self.doublingsMax))
        failureCount += 1
    }

    /// Whether a round may open: everybody is there, or enough are and the first round after the start has waited.
    mutating func mayOpen(connected: UInt64, needed: UInt64, expected: UInt64, at now: Moment) -> Bool {
        guard case .gathering(let since) = phase else { return false }
        if let end = pauseEnds {
            guard now >= end else { return false }
            pauseEnds = nil
        }
        if connected >= expected { return true }
        guard connected >= needed else {
            phase = .gathering(since: nil)
            return false
        }
        if round > startRound { return true }
        phase = .gathering(since: since ?? now)
        return now - (since ?? now) >= settings.deadline
    }

    /// Whether no round is left, as in a run that is taken up after its last one.
    var isOver: Bool { round >= settings.roundCount }

    /// Whether the model of the last round is to be judged on the root's held-out set.
    var evaluationIsDue: Bool { settings.evaluation.isDue(after: round, of: settings.roundCount) }

    /// Whether the devices are to evaluate the model of the last round.
    var surveyIsDue: Bool { settings.evaluation.isDueOnDevices(after: round, of: settings.roundCount) }

    func stops(at metrics: [MetricCounter]) -> Bool {
        func value(_ name: String) -> Double { metrics.first { $0.name == name }?.value ?? .nan }
        return settings.stop?.isMet(accuracy: value("accuracy"), loss: value("loss")) ?? false
    }
}
