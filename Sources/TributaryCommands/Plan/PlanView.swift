// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryPlanning
import TributaryReport
import TributaryTopology
import TributaryTopologyFile

/// The difference of two topologies for people and for scripts.
struct PlanView {
    /// What one of the two costs.
    struct Cost {
        /// Bytes up and down in one round, all tiers together.
        let bytesUp: Double
        let bytesDown: Double
        /// Memory of the aggregator that takes most, in bytes.
        let memory: Double
        let deviceCount: UInt64
        let aggregatorCount: Int

        init(_ document: TopologyDocument) throws {
            let tree = document.tree
            let plan = CapacityPlan(tree, workload: try document.workload(samples: false))
            bytesUp = plan.tiers.reduce(0) { $0 + $1.bytesUp }
            bytesDown = plan.tiers.reduce(0) { $0 + $1.bytesDown }
            memory = plan.tiers.dropLast().map(\.resources.memoryByteCount).max() ?? 0
            deviceCount = tree.deviceCount
            aggregatorCount = tree.aggregators.count
        }
    }

    let diff: TopologyDiff
    let before: Cost
    let after: Cost
    let isColoured: Bool

    // MARK: Text

    func text(old: String, new: String) -> String {
        guard !diff.isEmpty else { return "\(new) describes the same federation as \(old)\n" }
        let changes = settings + tiers + aggregators + devices
        let note =
            diff.dealsDataAnew
            ? TextTable.wrapped(
                "The examples are dealt to \(after.deviceCount) devices in place of \(before.deviceCount): every "
                    + "device holds another share.", indent: 0) + "\n" : ""
        return changes.joined(separator: "\n") + "\n\n" + note + keys + costs + "\n" + summary + "\n"
    }

    private enum Mark: String {
        case added = "+"
        case changed = "~"
        case removed = "-"
    }

    private func line(_ mark: Mark, _ text: String) -> String {
        guard isColoured else { return "\(mark.rawValue) \(text)" }
        let colour =
            switch mark {
            case .added: "32"
            case .changed: "33"
            case .removed: "31"
            }
        return "\u{1B}[\(colour)m\(mark.rawValue)\u{1B}[0m \(text)"
    }

    private var settings: [String] {
        diff.settings.map { setting in
            switch (setting.before, setting.after) {
            case (nil, let after): line(.added, "\(setting.path): \(after ?? "")")
            case (let before, nil): line(.removed, "\(setting.path): \(before ?? "")")
            case (let before?, let after?): line(.changed, "\(setting.path): \(before) -> \(after)")
            }
        }
    }

    private var tiers: [String] {
        diff.tiers.map { tier in
            line(
                tier.isAdded ? .added : .removed,
                "tier \(tier.name) (\(NumberText.count(tier.nodeCount, of: "node")))")
        }
    }

    private var aggregators: [String] {
        diff.aggregators.map { node in
            let (mark, place) = Self.words(node.change)
            return line(mark, "\(node.tier) \(node.name)\(place)")
        }
    }

    private var devices: [String] {
        diff.devices.map { run in
            let (mark, words) = Self.words(run.change)
            let names = run.count == 1 ? "\(run.first)" : "\(run.first) ... \(run.last)"
            let count = run.count == 1 ? "device" : NumberText.count(run.count, of: "device")
            let share =
                run.shift == 0 ? "" : run.count == 1 ? "; holds another share of the data" : "; hold other shares"
            return line(mark, "\(count) \(names)\(words)\(share)")
        }
    }

    /// The mark of a change, and where it happens.
    private static func words(_ change: TopologyDiff.NodeChange) -> (Mark, String) {
        switch change {
        case .added(let parent): (.added, parent.map { " below \($0)" } ?? "")
        case .removed(let parent): (.removed, parent.map { ", was below \($0)" } ?? "")
        case .moved(let from, let to) where from == to: (.changed, "")
        case .moved(let from, let to):
            (.changed, ": \(from?.value ?? "the top") -> \(to?.value ?? "the top")")
        }
    }

    /// Keys that the text lists by name.
    private static let nameCountMax = 24

    private var keys: String {
        func sentence(_ names: [String], _ verb: String) -> String {
            guard !names.isEmpty else { return "" }
            let rest = names.count - Self.nameCountMax
            let listed = names.prefix(Self.nameCountMax).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
            return TextTable.wrapped("keys to \(verb): \(listed)", indent: 2)
        }
        let text = sentence(keys(.added), "issue") + sentence(keys(.removed), "revoke")
        return text.isEmpty ? "" : text + "\n"
    }

    /// The nodes whose keys come or go, runs of devices in one piece.
    private func keys(_ mark: Mark) -> [String] {
        diff.aggregators.filter { Self.words($0.change).0 == mark }.map(\.name.value)
            + diff.devices.filter { Self.words($0.change).0 == mark }.map {
                $0.count == 1 ? $0.first.value : "\($0.first) ... \($0.last)"
            }
    }

    private var costs: String {
        TextTable.text(
            titles: ["", "before", "after"],
            rows: [
                ["aggregators", String(before.aggregatorCount), String(after.aggregatorCount)],
                ["devices", String(before.deviceCount), String(after.deviceCount)],
                ["up, a round", before.bytesUp.byteText, after.bytesUp.byteText],
                ["down, a round", before.bytesDown.byteText, after.bytesDown.byteText],
                ["memory of one aggregator, at most", before.memory.byteText, after.memory.byteText],
            ])
    }

    private var summary: String {
        let counts = counts
        return "\(NumberText.count(UInt64(diff.settings.count), of: "setting")) changed; nodes: "
            + "\(NumberText.count(counts.added)) added, \(NumberText.count(counts.moved)) moved, "
            + "\(NumberText.count(counts.removed)) removed"
    }

    private var counts: (added: UInt64, moved: UInt64, removed: UInt64) {
        var counts: (added: UInt64, moved: UInt64, removed: UInt64) = (0, 0, 0)
        let all = diff.aggregators.map { ($0.change, UInt64(1)) } + diff.devices.map { ($0.change, $0.count) }
        for (change, count) in all {
            switch change {
            case .added: counts.added += count
            case .moved: counts.moved += count
            case .removed: counts.removed += count
            }
        }
        return counts
    }

    // MARK: JSON

    func document(old: String, new: String) -> PlainValue {
        .mapping([
            .init("old", .text(old)), .init("new", .text(new)), .init("changes", .flag(!diff.isEmpty)),
            .init("settings", .list(diff.settings.map(\.document))),
            .init(
                "tiers",
                .list(
                    diff.tiers.map { tier in
                        .mapping([
                            .init("name", .text(tier.name)), .init("change", .text(tier.isAdded ? "added" : "removed")),
                            .init("nodes", .number(tier.nodeCount)),
                        ])
                    })),
            .init(
                "aggregators",
                .list(
                    diff.aggregators.map { node in
                        .mapping(
                            [.init("name", .text(node.name.value)), .init("tier", .text(node.tier))]
                                + node.change.fields)
                    })),
            .init(
                "devices",
                .list(
                    diff.devices.map { run in
                        .mapping(
                            [
                                .init("first", .text(run.first.value)), .init("last", .text(run.last.value)),
                                .init("count", .number(run.count)),
                            ] + run.change.fields
                                + (run.shift == 0 ? [] : [.init("client_index_shift", .number(run.shift))]))
                    })),
            .init("deals_data_anew", .flag(diff.dealsDataAnew)),
            .init("keys_to_issue", .list(keys(.added).map { .text($0) })),
            .init("keys_to_revoke", .list(keys(.removed).map { .text($0) })),
            .init("before", before.document), .init("after", after.document),
        ])
    }
}

extension TopologyDiff.Setting {
    fileprivate var document: PlainValue {
        .mapping([
            .init("path", .text(path)), .init("before", before.map { .text($0) } ?? .null),
            .init("after", after.map { .text($0) } ?? .null),
        ])
    }
}

extension TopologyDiff.NodeChange {
    fileprivate var fields: [PlainValue.Field] {
        func name(_ node: NodeName?) -> PlainValue { node.map { .text($0.value) } ?? .null }
        return switch self {
        case .added(let parent): [.init("change", .text("added")), .init("parent", name(parent))]
        case .removed(let parent): [.init("change", .text("removed")), .init("parent", name(parent))]
        case .moved(let from, let to):
            [.init("change", .text("moved")), .init("from", name(from)), .init("parent", name(to))]
        }
    }
}

extension PlanView.Cost {
    fileprivate var document: PlainValue {
        .mapping([
            .init("aggregators", .number(aggregatorCount)), .init("devices", .number(deviceCount)),
            .init("bytes_up", .number(bytesUp.rounded())), .init("bytes_down", .number(bytesDown.rounded())),
            .init("memory_bytes", .number(memory.rounded())),
        ])
    }
}
