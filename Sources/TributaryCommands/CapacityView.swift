// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryPlanning
import TributaryReport
import TributaryTopology
import TributaryTopologyFile

/// A capacity plan for people and for scripts.
struct CapacityView {
    let plan: CapacityPlan
    let deviceCount: UInt64

    // MARK: Text

    func text(federation: String) -> String {
        let head =
            "\(federation): \(deviceCount) devices, a model of \(plan.parameterCount) parameters; a round asks "
            + "\(Self.number(plan.chosen)) devices"
            + (plan.reporting < plan.chosen - 0.5 ? " and waits for \(Self.number(plan.reporting))" : "") + "\n\n"
        return head + traffic + "\n" + nodes + "\n" + sentences
    }

    private var traffic: String {
        let rows = plan.tiers.map { tier in
            let isRoot = tier.mode == .root
            return [
                tier.name, String(tier.nodeCount), isRoot ? "-" : tier.bytesDown.byteText,
                isRoot ? "-" : tier.bytesUp.byteText, isRoot ? "-" : tier.bytesDownPerNode.byteText,
                isRoot ? "-" : tier.bytesUpPerNode.byteText, tier.time.median.secondsText, tier.time.p95.secondsText,
                tier.timeOpen.seconds.secondsText,
            ]
        }
        return "a round, by tier\n"
            + TextTable.text(
                titles: ["tier", "nodes", "down", "up", "down/node", "up/node", "median", "p95", "open"], rows: rows)
    }

    private var nodes: String {
        let rows = plan.tiers.map { tier in
            [
                tier.name, tier.mode.rawValue, tier.mode == .devices ? "-" : String(tier.fanIn),
                tier.resources.memoryByteCount.byteText,
                tier.resources.mappedByteCount.byteText, tier.resources.diskByteCount.byteText,
                String(tier.resources.descriptorCount),
                tier.criticalNodes.count == 0 ? "-" : String(tier.criticalNodes.count),
            ]
        }
        return "one node, at most\n"
            + TextTable.text(
                titles: ["tier", "mode", "children", "memory", "mapped", "disk", "files", "critical"], rows: rows)
    }

    private var sentences: String {
        var lines: [String] = []
        let cut =
            plan.round.p95 > plan.deadline.seconds
            ? "; the deadline of \(NumberText.seconds(plan.deadline.seconds)) cuts it" : ""
        lines.append(
            "A round takes \(plan.round.median.secondsText) (median), \(plan.round.p95.secondsText) (p95)\(cut).")
        lines.append("The largest part is the \(plan.dominant).")
        lines += plan.parts.dropFirst().prefix(3).compactMap { part in
            let percent = Int((plan.share(of: part) * 100).rounded())
            return percent == 0 ? nil : "  then \(part.kind.rawValue) of \(part.tier): \(percent) %"
        }
        lines.append(
            "A chosen device spends \(NumberText.joules(plan.energy.total)) a round: computing "
                + "\(NumberText.joules(plan.energy.compute)), sending \(NumberText.joules(plan.energy.transmit)), "
                + "receiving \(NumberText.joules(plan.energy.receive)).")
        lines.append("A simulation of the whole takes at most \(plan.simulationByteCount.byteText) of memory.")
        lines.append(criticalSentence)
        let assumptions = plan.assumptions.map { TextTable.wrapped("- " + $0, indent: 2) }
        return lines.map { TextTable.wrapped($0, indent: 2) }.joined() + "\nassuming\n" + assumptions.joined()
    }

    private var criticalSentence: String {
        let names = plan.tiers.flatMap(\.criticalNodes.names).map(\.value)
        let count = plan.tiers.reduce(0) { $0 + $1.criticalNodes.count }
        let listed = names.prefix(6).joined(separator: ", ") + (count > min(6, names.count) ? ", ..." : "")
        return count == 1
            ? "Every round fails without \(listed), and without no other single node."
            : "Every round fails without any one of \(count) nodes: \(listed)."
    }

    private static func number(_ value: Double) -> String {
        value < 1e15 ? String(Int(value.rounded())) : String(value)
    }

    // MARK: JSON

    func document(file: String, federation: String, warnings: [TopologyDiagnostic]) -> PlainValue {
        .mapping([
            .init("file", .text(file)), .init("federation", .text(federation)),
            .init("devices", .number(deviceCount)), .init("parameters", .number(plan.parameterCount)),
            .init("selected", .number(plan.chosen)), .init("reported", .number(plan.reporting)),
            .init("bytes_up", bytes(\.bytesUp)), .init("bytes_down", bytes(\.bytesDown)),
            .init("round_seconds", plan.round.document), .init("deadline_seconds", .number(plan.deadline.seconds)),
            .init("dominant", .text(plan.dominant)),
            .init(
                "parts",
                .list(
                    plan.parts.map { part in
                        .mapping([
                            .init("kind", .text(part.kind.rawValue)), .init("tier", .text(part.tier)),
                            .init("seconds", .number(part.seconds)), .init("share", .number(plan.share(of: part))),
                        ])
                    })),
            .init(
                "device_joules",
                .mapping([
                    .init("compute", .number(plan.energy.compute)), .init("transmit", .number(plan.energy.transmit)),
                    .init("receive", .number(plan.energy.receive)), .init("total", .number(plan.energy.total)),
                ])),
            .init("simulation_memory_bytes", .number(plan.simulationByteCount.rounded(.up))),
            .init("host_files", .number(plan.hostDescriptorCount)),
            .init("tiers", .list(plan.tiers.map(\.document))),
            .init(
                "warnings",
                .list(
                    warnings.map { warning in
                        .mapping([
                            .init("code", .text(warning.code)), .init("message", .text(warning.text)),
                            .init("at", .text(warning.location)),
                        ])
                    })),
            .init("assumptions", .list(plan.assumptions.map { .text($0) })),
        ])
    }

    /// A figure of every tier but the root, by tier name, as a run's rounds have it.
    private func bytes(_ figure: (CapacityPlan.Tier) -> Double) -> PlainValue {
        .mapping(plan.tiers.dropFirst().map { .init($0.name, .number(figure($0).rounded())) })
    }
}

extension RoundTime.Quantiles {
    /// The seconds as JSON.
    var document: PlainValue { .mapping([.init("median", .number(median)), .init("p95", .number(p95))]) }
}

extension CapacityPlan.Tier {
    /// The tier as JSON.
    var document: PlainValue {
        .mapping([
            .init("name", .text(name)), .init("mode", .text(mode.rawValue)), .init("nodes", .number(nodeCount)),
            .init("nodes_expected", .number(nodesExpected)), .init("children_max", .number(fanIn)),
            .init("plans_per_round", .number(plansPerRound)), .init("bytes_down", .number(bytesDown.rounded())),
            .init("bytes_up", .number(bytesUp.rounded())), .init("bytes_up_max", .number(bytesUpMax.rounded())),
            .init("bytes_down_per_node", .number(bytesDownPerNode.rounded())),
            .init("bytes_up_per_node", .number(bytesUpPerNode.rounded())),
            .init("open_seconds", .number(timeOpen.seconds)), .init("seconds", time.document),
            .init("memory_bytes", .number(resources.memoryByteCount.rounded())),
            .init("mapped_bytes", .number(resources.mappedByteCount.rounded())),
            .init("disk_bytes", .number(resources.diskByteCount.rounded())),
            .init("files", .number(resources.descriptorCount)),
            .init("critical_nodes", .number(criticalNodes.count)),
            .init("critical_names", .list(criticalNodes.names.map { .text($0.value) })),
        ])
    }
}
