// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// A run as it is kept, reported and compared: the same description for real processes and for a simulated fleet.
///
/// A record may be taken at any moment of a run; `isComplete` says whether the run came to its own end.
package struct RunRecord: Hashable, Sendable, Decodable {
    /// The newest shape of a written record that this source tree knows; a reader refuses newer ones.
    package static let formatVersion: UInt32 = 1

    /// What the whole run amounts to.
    package struct Final: Hashable, Sendable {
        /// Of the last round that was evaluated; in 0...1.
        package var accuracy: Double?
        package var loss: Double?
        /// Of the last model that was stepped, 64 hexadecimal digits.
        package var modelSHA256: String?
    }

    /// The verb that ran: `up` or `simulate`.
    package var command: String
    package var federation: String
    package var seed: UInt64
    /// The version of the program.
    package var version: String
    /// Of the canonical topology, 64 hexadecimal digits.
    package var topologySHA256: String?
    package var devices: UInt64
    package var aggregators: UInt64
    /// What of the topology is worth showing beside the curves, in the order in which it is shown.
    package var settings: [Setting] = []
    /// Root first, devices last.
    package var tiers: [Tier] = []
    /// Aggregators, each after its parent; at most `nodeCountMax`, else those of the upper tiers.
    package var nodes: [Node] = []
    /// Ascending; failed rounds too.
    package var rounds: [Round] = []
    /// How well the model serves single devices, when they were asked.
    package var fairness: Fairness?
    /// What the devices below each node hold, when the data is known.
    package var labels: LabelMap?
    /// Faults that were played, in the order of their beginnings.
    package var faults: [FaultNote] = []
    /// When the run began, in seconds since 1970 UTC.
    package var startedAt: UInt64?
    /// Whether the run came to its own end; `false` when it was stopped or broke.
    package var isComplete = true
    /// Real time from start to end.
    package var wallSeconds = 0.0
    /// Time on the virtual clock; `nil` where there is none.
    package var virtualSeconds: Double?
    /// The largest resident memory of all the run's processes together; 0 when it was not measured.
    package var peakResidentBytes: UInt64 = 0
    /// Updates that entered the model, for each real second of an open round.
    package var clientRoundsPerSecond = 0.0
    /// The saved model.
    package var modelPath: String?
    /// Where the run's files lie.
    package var directory: String?

    /// How many nodes a record names at most: a page that draws more says nothing.
    package static let nodeCountMax = 500

    package init(
        command: String, federation: String, seed: UInt64, version: String, devices: UInt64, aggregators: UInt64
    ) {
        self.command = command
        self.federation = federation
        self.seed = seed
        self.version = version
        self.devices = devices
        self.aggregators = aggregators
    }

    /// The last judgement and the last model; all `nil` before the first round closes.
    package var final: Final {
        let judged = rounds.last { $0.accuracy != nil || $0.loss != nil }
        return Final(
            accuracy: judged?.accuracy, loss: judged?.loss,
            modelSHA256: rounds.last { $0.modelSHA256 != nil }?.modelSHA256)
    }

    private enum CodingKeys: String, CodingKey {
        case command, federation, seed, version, devices, aggregators, settings, tiers, nodes, rounds, fairness, labels
        case faults, directory
        case topologySHA256 = "topology_sha256"
        case startedAt = "started_at"
        case isComplete = "complete"
        case wallSeconds = "wall_seconds"
        case virtualSeconds = "virtual_seconds"
        case peakResidentBytes = "peak_rss_bytes"
        case clientRoundsPerSecond = "client_rounds_per_second"
        case modelPath = "model"
    }
}
