// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// A federation as its topology file describes it, with every default filled in.
///
/// The value can be wrong; `issues()` says how, and `Tree(_:)` refuses what has errors.
package struct Topology: Hashable, Sendable {
    /// The federation's name; letters, digits, `-`, `_` and `.`, at most `Limits.nameByteCountMax` bytes.
    package var federation: String
    /// Keys every random choice of a run.
    package var seed: UInt64
    package var model: ModelSpecification
    package var data: DataSpecification
    /// Rounds of the root, at least 1.
    package var rounds: UInt32
    package var stop: StopRule?
    package var evaluation: EvaluationSettings
    /// The tiers, root first; the last one holds the devices.
    package var tiers: [Tier]
    /// The nodes that differ from their tier, by name.
    package var nodes: [String: NodeOverride]
    /// What a simulation assumes; not part of what nodes compare.
    package var simulation: SimulationSettings

    package init(
        federation: String, seed: UInt64 = 1, model: ModelSpecification, data: DataSpecification, rounds: UInt32,
        stop: StopRule? = nil, evaluation: EvaluationSettings = EvaluationSettings(), tiers: [Tier],
        nodes: [String: NodeOverride] = [:], simulation: SimulationSettings = SimulationSettings()
    ) {
        self.federation = federation
        self.seed = seed
        self.model = model
        self.data = data
        self.rounds = rounds
        self.stop = stop
        self.evaluation = evaluation
        self.tiers = tiers
        self.nodes = nodes
        self.simulation = simulation
    }

    /// Whether the nodes of a tier step a model of their own: the root, and tiers with edge rounds or an optimizer.
    package func isStepping(tier: Int) -> Bool {
        guard tiers.indices.contains(tier), tier < tiers.count - 1 else { return false }
        return tier == 0 || tiers[tier].optimizer != nil || tiers[tier].edgeRounds > 1
    }

    /// Who of the devices takes part in a round.
    package var selection: Selection { tiers.last?.cohort ?? .all }

    /// How the devices train.
    package var training: Training { tiers.last?.training ?? Training() }
}

/// When a run ends before its last round.
package struct StopRule: Hashable, Sendable {
    /// The root's held-out metrics.
    package enum Metric: String, Hashable, Sendable, CaseIterable {
        case accuracy
        case loss
    }
    package var metric: Metric
    /// The run stops at an accuracy of at least, or a loss of at most, this value.
    package var threshold: Double

    package init(metric: Metric, threshold: Double) {
        self.metric = metric
        self.threshold = threshold
    }

    /// Whether a round's held-out metrics end the run; a metric that is not a number never does.
    package func isMet(accuracy: Double, loss: Double) -> Bool {
        switch metric {
        case .accuracy: accuracy >= threshold
        case .loss: loss <= threshold
        }
    }
}

/// When the model is evaluated, and on whose examples.
package struct EvaluationSettings: Hashable, Sendable {
    /// Evaluation on the devices' own hold-out examples, as rounds of kind `evaluate`.
    package struct OnDevices: Hashable, Sendable {
        /// After every so many rounds, and after the last one; at least 1.
        package var every: UInt32
        /// The share of each device's examples that it never trains on, in (0, 1).
        package var holdOut: Double
        package init(every: UInt32 = 1, holdOut: Double = 0.1) {
            self.every = every
            self.holdOut = holdOut
        }
    }

    /// Held-out evaluation at the root after every so many rounds, and after the last one; at least 1.
    package var every: UInt32
    /// `nil` leaves the devices out.
    package var onDevices: OnDevices?

    package init(every: UInt32 = 1, onDevices: OnDevices? = nil) {
        self.every = every
        self.onDevices = onDevices
    }

    /// Whether the root evaluates after `round` of `rounds`.
    package func isDue(after round: UInt32, of rounds: UInt32) -> Bool {
        round == rounds || (every > 0 && round % every == 0)
    }

    /// Whether the devices evaluate after `round` of `rounds`.
    package func isDueOnDevices(after round: UInt32, of rounds: UInt32) -> Bool {
        guard let onDevices else { return false }
        return round == rounds || (onDevices.every > 0 && round % onDevices.every == 0)
    }
}
