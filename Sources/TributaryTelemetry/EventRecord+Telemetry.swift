// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

extension EventRecord {
    /// The record of an event at a node.
    package init(_ event: TelemetryEvent, at node: NodeName) {
        switch event {
        case .childJoined(let child, let count):
            self.init(node: node, name: "child-joined", fields: [("child", child), ("clients", count)])
        case .childGone(let child, let reason, let count):
            self.init(
                node: node, name: "child-gone", level: .warning,
                fields: [("child", child), ("reason", reason), ("clients", count)])
        case .welcomed: self.init(node: node, name: "welcomed", fields: [])
        case .parentGone: self.init(node: node, name: "parent-gone", level: .warning, fields: [])
        case .gathering(let connected, let needed, let expected):
            self.init(
                node: node, name: "gathering",
                fields: [("connected", connected), ("needed", needed), ("expected", expected)])
        case .refused(let peer, let reason, let text):
            self.init(
                node: node, name: "refused", level: .warning,
                fields: [("peer", peer), ("reason", reason), ("text", text)])
        case .storageFull(true):
            self.init(node: node, name: "not-ready", level: .warning, fields: [("reason", ReasonCode.storageFull)])
        case .storageFull(false): self.init(node: node, name: "ready", fields: [])
        case .training(let number): self.init(node: node, name: "training", fields: Self.place(number))
        case .uploaded(let number): self.init(node: node, name: "uploaded", fields: Self.place(number))
        case .finished(let reason):
            self.init(node: node, name: "finished", fields: reason.map { [("reason", $0)] } ?? [])
        case .roundResumed(let number, let reported):
            self.init(node: node, name: "round-resumed", fields: Self.counted(number, reported))
        case .roundOpened, .accepted, .dropped, .roundCollected, .roundClosed, .stepped, .evaluated, .trained:
            self = Self.round(event, at: node)
        }
    }

    private static func round(_ event: TelemetryEvent, at node: NodeName) -> EventRecord {
        switch event {
        case .roundOpened(let number, let evaluate, let chosen):
            EventRecord(
                node: node, name: "round-opened",
                fields: place(number) + [("kind", evaluate ? "evaluate" : "train"), ("chosen", chosen)])
        case .accepted(let member, let number, let contributors):
            EventRecord(
                node: node, name: "accepted", level: .debug,
                fields: place(number) + [("member", member), ("contributors", contributors)])
        case .dropped(let member, let number, let reason):
            EventRecord(
                node: node, name: "dropped", level: .warning,
                fields: place(number) + [("member", member), ("reason", reason)])
        case .roundCollected(let number, let reported, let chosen, let reason):
            EventRecord(
                node: node, name: "round-collected",
                fields: place(number) + [("reported", reported), ("chosen", chosen)]
                    + (reason.map { [("reason", $0)] } ?? []))
        case .roundClosed(let number, .committed(let count)):
            EventRecord(
                node: node, name: "round-closed",
                fields: place(number) + [("outcome", "committed"), ("contributors", count)])
        case .roundClosed(let number, .failed(let reason)):
            EventRecord(
                node: node, name: "round-closed", level: .warning,
                fields: place(number) + [("outcome", "failed"), ("reason", reason)])
        case .stepped(let number, let model):
            EventRecord(node: node, name: "stepped", fields: place(number) + [("model", model.description)])
        case .evaluated(let round, let distributed, let metrics):
            EventRecord(
                node: node, name: distributed ? "evaluated-on-devices" : "evaluated",
                fields: [("round", UInt64(round))] + values(of: metrics))
        case .trained(let number, let metrics):
            EventRecord(node: node, name: "trained", fields: place(number) + values(of: metrics))
        default:
            preconditionFailure("not an event of a round")
        }
    }

    private static func place(_ number: RoundNumber) -> [(key: String, value: Value)] {
        [("round", .integer(Int64(number.round))), ("edge_round", .integer(Int64(number.edgeRound)))]
    }

    private static func counted(_ number: RoundNumber, _ reported: UInt64) -> [(String, any EventFieldValue)] {
        [
            ("round", UInt64(number.round)), ("edge_round", UInt64(number.edgeRound)), ("reported", reported),
        ]
    }

    private static func values(of metrics: [MetricCounter]) -> [(key: String, value: Value)] {
        metrics.compactMap { metric in metric.value.map { (metric.name, .number($0)) } }
    }

    private init(
        node: NodeName, name: String, level: Level = .info, fields: [(String, any EventFieldValue)]
    ) {
        self.init(node: node, name: name, level: level, fields: fields.map { ($0.0, $0.1.fieldValue) })
    }
}

/// What may stand in a field.
private protocol EventFieldValue {
    var fieldValue: EventRecord.Value { get }
}

extension NodeName: EventFieldValue { var fieldValue: EventRecord.Value { .text(value) } }
extension ReasonCode: EventFieldValue { var fieldValue: EventRecord.Value { .text(rawValue) } }
extension String: EventFieldValue { var fieldValue: EventRecord.Value { .text(self) } }
extension UInt64: EventFieldValue { var fieldValue: EventRecord.Value { .integer(Int64(clamping: self)) } }
extension EventRecord.Value: EventFieldValue { var fieldValue: EventRecord.Value { self } }
