// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// A run as `up --format json` tells it; the names are a contract.
struct RunSummary: Encodable {
    struct Round: Encodable {
        var round: UInt32
        var loss: Double?
        var accuracy: Double?
        var selected: UInt64 = 0
        var reported: UInt64 = 0
        /// Bytes from a tier's nodes to their parents, by tier name.
        var bytesUp: [String: UInt64] = [:]
        /// Bytes from the parents to a tier's nodes, by tier name.
        var bytesDown: [String: UInt64] = [:]
        /// Only a simulation has a virtual clock.
        var virtualSeconds: Double?
        var wallSeconds = 0.0
        var modelSHA256: String?
        /// Why the round failed; `nil` when it was committed.
        var failure: String?

        enum CodingKeys: String, CodingKey {
            case round, loss, accuracy, selected, reported, failure
            case bytesUp = "bytes_up"
            case bytesDown = "bytes_down"
            case virtualSeconds = "virtual_seconds"
            case wallSeconds = "wall_seconds"
            case modelSHA256 = "model_sha256"
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(round, forKey: .round)
            try container.encode(loss, forKey: .loss)
            try container.encode(accuracy, forKey: .accuracy)
            try container.encode(selected, forKey: .selected)
            try container.encode(reported, forKey: .reported)
            try container.encode(bytesUp, forKey: .bytesUp)
            try container.encode(bytesDown, forKey: .bytesDown)
            try container.encode(virtualSeconds, forKey: .virtualSeconds)
            try container.encode(wallSeconds, forKey: .wallSeconds)
            try container.encode(modelSHA256, forKey: .modelSHA256)
            try container.encodeIfPresent(failure, forKey: .failure)
        }
    }

    struct Final: Encodable {
        var accuracy: Double?
        var loss: Double?
        var modelSHA256: String?

        enum CodingKeys: String, CodingKey {
            case accuracy, loss
            case modelSHA256 = "model_sha256"
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(accuracy, forKey: .accuracy)
            try container.encode(loss, forKey: .loss)
            try container.encode(modelSHA256, forKey: .modelSHA256)
        }
    }

    var federation: String
    var seed: UInt64
    var devices: UInt64
    var aggregators: Int
    var rounds: [Round] = []
    var final = Final()
    var wallSeconds = 0.0
    /// The largest sum of the resident memory of all processes, looked at once a second.
    var peakResidentBytes: UInt64 = 0
    var clientRoundsPerSecond = 0.0
    /// The saved model.
    var model: String
    /// Where keys, logs and state of the run lie.
    var directory: String

    enum CodingKeys: String, CodingKey {
        case federation, seed, devices, aggregators, rounds, final, model, directory
        case wallSeconds = "wall_seconds"
        case peakResidentBytes = "peak_rss_bytes"
        case clientRoundsPerSecond = "client_rounds_per_second"
    }
}
