// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryTopology

/// A run as `up --format json` tells it; the names are a contract.
struct RunSummary {
    struct Round {
        var round: UInt32
        var loss: Double?
        var accuracy: Double?
        var selected: UInt64 = 0
        var reported: UInt64 = 0
        /// Bytes from a tier's nodes to their parents, by tier name.
        var bytesUp: [String: UInt64] = [:]
        /// Bytes from the parents to a tier's nodes, by tier name.
        var bytesDown: [String: UInt64] = [:]
        var wallSeconds = 0.0
        var modelSHA256: String?
        /// Why the round failed; `nil` when it was committed.
        var failure: String?

        var fields: [PlainValue.Field] {
            [
                .init("round", .number(round)), .init("loss", .optional(loss)), .init("accuracy", .optional(accuracy)),
                .init("selected", .number(selected)), .init("reported", .number(reported)),
                .init("bytes_up", .counts(bytesUp)), .init("bytes_down", .counts(bytesDown)),
                // Only a simulation has a virtual clock.
                .init("virtual_seconds", .null), .init("wall_seconds", .number(wallSeconds)),
                .init("model_sha256", .optional(modelSHA256)), .init("failure", .optional(failure)),
            ]
        }
    }

    struct Final {
        var accuracy: Double?
        var loss: Double?
        var modelSHA256: String?
    }

    var federation: String
    var seed: UInt64
    var devices: UInt64
    var aggregators: Int
    var rounds: [Round] = []
    var final = Final()
    var wallSeconds = 0.0
    /// The largest sum of the resident memory of all nodes, looked at twice a second.
    var peakResidentBytes: UInt64 = 0
    /// Updates that entered the model, for each second of an open round.
    var clientRoundsPerSecond = 0.0
    /// The saved model.
    var model: String
    /// Where keys, logs and state of the run lie.
    var directory: String

    var document: PlainValue {
        .mapping([
            .init("federation", .text(federation)), .init("seed", .number(seed)), .init("devices", .number(devices)),
            .init("aggregators", .number(aggregators)),
            .init("rounds", .list(rounds.map { .mapping($0.fields) })),
            .init(
                "final",
                .mapping([
                    .init("accuracy", .optional(final.accuracy)), .init("loss", .optional(final.loss)),
                    .init("model_sha256", .optional(final.modelSHA256)),
                ])),
            .init("wall_seconds", .number(wallSeconds)), .init("peak_rss_bytes", .number(peakResidentBytes)),
            .init("client_rounds_per_second", .number(clientRoundsPerSecond)), .init("model", .text(model)),
            .init("directory", .text(directory)),
        ])
    }
}

extension PlainValue {
    fileprivate static func optional(_ value: Double?) -> PlainValue { value.map { .number($0) } ?? .null }
    fileprivate static func optional(_ value: String?) -> PlainValue { value.map { .text($0) } ?? .null }
    fileprivate static func counts(_ counts: [String: UInt64]) -> PlainValue {
        .mapping(counts.sorted { $0.key < $1.key }.map { .init($0.key, .number($0.value)) })
    }
}
