// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
package import TributaryTopology

extension RunRecord {
    /// The record as `run.json` holds it, and as the verbs print it under `data`; the names are a contract.
    package var document: PlainValue {
        .mapping([
            .init("format", .number(Self.formatVersion)), .init("command", .text(command)),
            .init("federation", .text(federation)), .init("seed", .number(seed)), .init("version", .text(version)),
            .init("topology_sha256", .optional(topologySHA256)), .init("devices", .number(devices)),
            .init("aggregators", .number(aggregators)), .init("complete", .flag(isComplete)),
            .init("started_at", startedAt.map { .number($0) } ?? .null),
            .init("rounds", .list(rounds.map { .mapping($0.fields) })), .init("final", final.document),
            .init("wall_seconds", .finite(wallSeconds)), .init("virtual_seconds", .optional(virtualSeconds)),
            .init("peak_rss_bytes", .number(peakResidentBytes)),
            .init("client_rounds_per_second", .finite(clientRoundsPerSecond)), .init("model", .optional(modelPath)),
            .init("directory", .optional(directory)),
            .init("settings", .list(settings.map(\.document))), .init("tiers", .list(tiers.map(\.document))),
            .init("nodes", .list(nodes.map(\.document))), .init("fairness", fairness?.document ?? .null),
            .init("labels", labels?.document ?? .null), .init("faults", .list(faults.map(\.document))),
        ])
    }

    /// The last line of `metrics.jsonl`: how the run ended.
    package var closingFields: [PlainValue.Field] {
        [
            .init("complete", .flag(isComplete)), .init("final", final.document),
            .init("wall_seconds", .finite(wallSeconds)), .init("virtual_seconds", .optional(virtualSeconds)),
            .init("peak_rss_bytes", .number(peakResidentBytes)),
            .init("client_rounds_per_second", .finite(clientRoundsPerSecond)),
        ]
    }
}

extension RunRecord.Round {
    /// The round as a row of `rounds` and as a line of `metrics.jsonl`.
    package var fields: [PlainValue.Field] {
        [
            .init("round", .number(round)), .init("loss", .optional(loss)), .init("accuracy", .optional(accuracy)),
            .init("train_loss", .optional(trainLoss)), .init("train_accuracy", .optional(trainAccuracy)),
            .init("device_loss", .optional(deviceLoss)), .init("device_accuracy", .optional(deviceAccuracy)),
            .init("selected", .number(selected)), .init("reported", .number(reported)),
            .init("bytes_up", .counts(bytesUp)), .init("bytes_down", .counts(bytesDown)),
            .init(
                "participation",
                .keyed(participation) {
                    .mapping([.init("chosen", .number($0.chosen)), .init("reported", .number($0.reported))])
                }),
            .init("dropped", .keyed(dropped) { .counts($0) }), .init("refused", .counts(refused)),
            .init(
                "energy_joules",
                .keyed(energyJoules) {
                    .mapping([.init("compute", .finite($0.compute)), .init("radio", .finite($0.radio))])
                }),
            .init("virtual_seconds", .optional(virtualSeconds)), .init("virtual_end", .optional(virtualEnd)),
            .init("wall_seconds", .finite(wallSeconds)), .init("model_sha256", .optional(modelSHA256)),
            .init("failure", .optional(failure)),
        ]
    }
}

extension RunRecord.Final {
    fileprivate var document: PlainValue {
        .mapping([
            .init("accuracy", .optional(accuracy)), .init("loss", .optional(loss)),
            .init("model_sha256", .optional(modelSHA256)),
        ])
    }
}

extension RunRecord.Setting {
    fileprivate var document: PlainValue { .mapping([.init("key", .text(key)), .init("value", .text(value))]) }
}

extension RunRecord.Tier {
    fileprivate var document: PlainValue {
        .mapping([
            .init("name", .text(name)), .init("mode", .text(mode.rawValue)), .init("nodes", .number(nodeCount)),
        ])
    }
}

extension RunRecord.Node {
    fileprivate var document: PlainValue {
        .mapping([
            .init("name", .text(name)), .init("parent", .optional(parent)), .init("tier", .text(tier)),
            .init("clients", .number(clientCount)),
        ])
    }
}

extension RunRecord.Fairness {
    fileprivate var document: PlainValue {
        .mapping([
            .init("round", .number(round)), .init("samples", .number(sampleCount)), .init("mean", .finite(mean)),
            .init("standard_deviation", .finite(standardDeviation)),
            .init("worst_decile_mean", .finite(worstDecileMean)), .init("best_decile_mean", .finite(bestDecileMean)),
            .init("jain_index", .finite(jainIndex)), .init("values", .list(values.map { .finite($0) })),
        ])
    }
}

extension RunRecord.LabelMap {
    fileprivate var document: PlainValue {
        .mapping([
            .init("nodes", .list(nodes.map { .text($0) })), .init("labels", .list(labels.map { .text($0) })),
            .init("counts", .list(counts.map { .list($0.map { .number($0) }) })),
        ])
    }
}

extension RunRecord.FaultNote {
    fileprivate var document: PlainValue {
        .mapping([
            .init("text", .text(text)), .init("from_seconds", .finite(fromSeconds)),
            .init("until_seconds", .optional(untilSeconds)),
        ])
    }
}

extension PlainValue {
    /// JSON has no infinities: an optional number that is none, or is not finite, is `null`.
    fileprivate static func optional(_ value: Double?) -> PlainValue {
        value.flatMap { $0.isFinite ? .number($0) : nil } ?? .null
    }
    fileprivate static func optional(_ value: String?) -> PlainValue { value.map { .text($0) } ?? .null }

    /// A number that must be there; one that is not finite is clamped to what JSON can hold.
    fileprivate static func finite(_ value: Double) -> PlainValue {
        let limit = Double.greatestFiniteMagnitude
        return .number(value.isNaN ? 0 : min(max(value, -limit), limit))
    }

    fileprivate static func counts(_ counts: [String: UInt64]) -> PlainValue { keyed(counts) { .number($0) } }

    fileprivate static func keyed<Value>(_ values: [String: Value], _ body: (Value) -> PlainValue) -> PlainValue {
        .mapping(values.sorted { $0.key < $1.key }.map { .init($0.key, body($0.value)) })
    }
}
