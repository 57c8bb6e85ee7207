// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

extension RunRecord {
    /// One round of the root, whatever its outcome; counts by tier are keyed by the tier's name.
    package struct Round: Hashable, Sendable, Decodable {
        /// Starts at 1; 0 is the initial model, where it was evaluated.
        package var round: UInt32
        /// Of the new model on the held-out set; accuracies lie in 0...1.
        package var loss: Double?
        package var accuracy: Double?
        /// What devices measured while they trained, weighted by their examples.
        package var trainLoss: Double?
        package var trainAccuracy: Double?
        /// Of the new model on the devices' own held-out examples.
        package var deviceLoss: Double?
        package var deviceAccuracy: Double?
        /// Clients chosen, and those whose updates entered the round's sum.
        package var selected: UInt64 = 0
        package var reported: UInt64 = 0
        /// Bytes from a tier's nodes to their parents.
        package var bytesUp: [String: UInt64] = [:]
        /// Bytes from the parents to a tier's nodes.
        package var bytesDown: [String: UInt64] = [:]
        /// A tier's nodes that were asked, and those that answered in time.
        package var participation: [String: Participation] = [:]
        /// A tier's nodes that were chosen and took no part, by reason code.
        package var dropped: [String: [String: UInt64]] = [:]
        /// Messages and bodies that were refused, by reason code.
        package var refused: [String: UInt64] = [:]
        /// What a tier's nodes spent.
        package var energyJoules: [String: Energy] = [:]
        /// The round's duration on the virtual clock, and that clock when the round ended.
        package var virtualSeconds: Double?
        package var virtualEnd: Double?
        /// The round's real duration.
        package var wallSeconds = 0.0
        /// Of the model after the round, 64 hexadecimal digits; `nil` when the round failed.
        package var modelSHA256: String?
        /// Why the round failed, a reason code; `nil` when it was committed.
        package var failure: String?

        package init(round: UInt32) { self.round = round }

        private enum CodingKeys: String, CodingKey {
            case round, loss, accuracy, selected, reported, participation, dropped, refused, failure
            case trainLoss = "train_loss"
            case trainAccuracy = "train_accuracy"
            case deviceLoss = "device_loss"
            case deviceAccuracy = "device_accuracy"
            case bytesUp = "bytes_up"
            case bytesDown = "bytes_down"
            case energyJoules = "energy_joules"
            case virtualSeconds = "virtual_seconds"
            case virtualEnd = "virtual_end"
            case wallSeconds = "wall_seconds"
            case modelSHA256 = "model_sha256"
        }
    }

    /// How many of a tier's nodes were asked in a round, and how many answered.
    package struct Participation: Hashable, Sendable, Decodable {
        package var chosen: UInt64
        package var reported: UInt64

        package init(chosen: UInt64, reported: UInt64) {
            self.chosen = chosen
            self.reported = reported
        }
    }

    /// What a tier's nodes spent in a round, in joules.
    package struct Energy: Hashable, Sendable, Decodable {
        package var compute: Double
        package var radio: Double

        package init(compute: Double, radio: Double) {
            self.compute = compute
            self.radio = radio
        }
    }
}
