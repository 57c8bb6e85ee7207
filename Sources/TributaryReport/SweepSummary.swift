// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
package import TributaryTopology

/// A grid of runs: its points, and what those come to that differ in nothing but the seed.
package struct SweepSummary {
    /// The values that a path takes, as they were given.
    package struct Axis: Hashable, Sendable {
        package let path: String
        package let values: [String]

        package init(path: String, values: [String]) {
            self.path = path
            self.values = values
        }
    }

    /// How a figure varies over runs; at least one.
    package struct Spread: Hashable, Sendable {
        package let mean: Double
        /// Of a sample, with n - 1 below; `nil` for a single run.
        package let standardDeviation: Double?
        package let min: Double
        package let max: Double

        /// Sums up what there is; `nil` when nothing finite is among it.
        package init?(_ values: [Double?]) {
            let values = values.compactMap(\.self).filter(\.isFinite)
            guard let first = values.first else { return nil }
            let count = Double(values.count)
            let mean = values.reduce(0, +) / count
            self.mean = mean
            let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            standardDeviation = values.count > 1 ? (squares / (count - 1)).squareRoot() : nil
            min = values.reduce(first, Swift.min)
            max = values.reduce(first, Swift.max)
        }
    }

    /// Points with equal settings but for the seed.
    package struct Group {
        package let settings: [RunRecord.Setting]
        /// In the order of the grid; at least one.
        package let points: [SweepPoint]

        private var complete: [SweepPoint] { points.filter { $0.state == .complete } }
        package var completeCount: Int { complete.count }
        package var accuracy: Spread? { Spread(complete.map(\.accuracy)) }
        package var loss: Spread? { Spread(complete.map(\.loss)) }
        package var rounds: Spread? { Spread(complete.map { $0.roundCount.map(Double.init) }) }
        package var virtualSeconds: Spread? { Spread(complete.map(\.virtualSeconds)) }
        package var deviceBytesUp: Spread? { Spread(complete.map(\.deviceBytesUp)) }
        package var clientRoundsPerSecond: Spread? { Spread(complete.map(\.clientRoundsPerSecond)) }
    }

    private static let seedPath = "seed"

    package let federation: String
    package let directory: String
    /// The last varies fastest.
    package let axes: [Axis]
    package var points: [SweepPoint]

    package init(federation: String, directory: String, axes: [Axis], points: [SweepPoint]) {
        self.federation = federation
        self.directory = directory
        self.axes = axes
        self.points = points
    }

    /// Whether several seeds stand for each of the other settings.
    package var hasRepeats: Bool { axes.contains { $0.path == Self.seedPath && $0.values.count > 1 } }

    /// How many points are in a state.
    package func count(_ state: SweepPoint.State) -> Int { points.count { $0.state == state } }

    /// In the order in which they first appear in the grid.
    package var groups: [Group] {
        var order: [[RunRecord.Setting]] = []
        var members: [[RunRecord.Setting]: [SweepPoint]] = [:]
        for point in points {
            let settings = point.settings.filter { $0.key != Self.seedPath }
            if members[settings] == nil { order.append(settings) }
            members[settings, default: []].append(point)
        }
        return order.map { Group(settings: $0, points: members[$0] ?? []) }
    }

    /// The paths that take several values, each with its last words: as few as tell them apart, or all of them.
    package func names(areShort: Bool) -> [(path: String, name: String)] {
        let varied = axes.filter { $0.values.count > 1 }.map(\.path)
        let words = varied.map { $0.split(whereSeparator: { ".[]".contains($0) }).map(String.init) }
        return varied.enumerated().map { place, path in
            guard areShort else { return (path, path) }
            for count in 1...max(1, words[place].count) {
                let name = words[place].suffix(count)
                if words.enumerated().allSatisfy({ $0 == place || $1.suffix(count) != name }) {
                    return (path, name.joined(separator: "."))
                }
            }
            return (path, path)
        }
    }

    // MARK: The table

    /// One row a point, or one a group where seeds repeat a setting.
    package func table(areShort: Bool) -> (titles: [String], rows: [[String]]) {
        let figures = ["accuracy", "loss", "rounds run", "virtual time", "devices sent", "client-rounds/s"]
        let names = names(areShort: areShort)
        guard hasRepeats else {
            return (["point"] + names.map(\.name) + figures + ["state"], points.map { row($0, names.map(\.path)) })
        }
        let others = names.filter { $0.path != Self.seedPath }
        return (others.map(\.name) + ["seeds"] + figures, groups.map { row($0, others.map(\.path)) })
    }

    private func row(_ point: SweepPoint, _ paths: [String]) -> [String] {
        ["\(point.number)"] + values(at: paths, of: point.settings) + [
            NumberText.percent(point.accuracy, 2), NumberText.fixed(point.loss, 4),
            point.roundCount.map(String.init) ?? "-", NumberText.seconds(point.virtualSeconds),
            NumberText.bytes(point.deviceBytesUp), NumberText.short(point.clientRoundsPerSecond), point.stateText,
        ]
    }

    private func row(_ group: Group, _ paths: [String]) -> [String] {
        let all = group.points.count
        return values(at: paths, of: group.settings) + [
            group.completeCount == all ? "\(all)" : "\(group.completeCount) of \(all)",
            Self.text(group.accuracy) { NumberText.percent($0, 2) }, Self.text(group.loss) { NumberText.fixed($0, 4) },
            NumberText.short(group.rounds?.mean), NumberText.seconds(group.virtualSeconds?.mean),
            NumberText.bytes(group.deviceBytesUp?.mean), NumberText.short(group.clientRoundsPerSecond?.mean),
        ]
    }

    private func values(at paths: [String], of settings: [RunRecord.Setting]) -> [String] {
        paths.map { path in settings.first { $0.key == path }?.value ?? "-" }
    }

    private static func text(_ spread: Spread?, _ format: (Double) -> String) -> String {
        guard let spread else { return "-" }
        return format(spread.mean) + (spread.standardDeviation.map { " ± \(format($0))" } ?? "")
    }

    // MARK: Comparing

    /// So many points at most that stand for all: one a group, evenly from the best to the worst, in grid order.
    package func representatives(max countMax: Int) -> [SweepPoint] {
        let complete = points.filter { $0.state == .complete }
        guard complete.count > countMax else { return complete }
        let ranked = groups.compactMap { $0.points.first { $0.state == .complete } }.sorted(by: Self.isBetter)
        guard ranked.count > countMax, countMax > 1 else { return ranked.sorted { $0.number < $1.number } }
        let chosen = (0..<countMax).map { ranked[$0 * (ranked.count - 1) / (countMax - 1)] }
        return chosen.sorted { $0.number < $1.number }
    }

    /// Higher accuracy, then lower loss, then the earlier point; what was not measured comes last.
    private static func isBetter(_ left: SweepPoint, _ right: SweepPoint) -> Bool {
        let accuracies = [left, right].map { $0.accuracy ?? -1 }
        if accuracies[0] != accuracies[1] { return accuracies[0] > accuracies[1] }
        let losses = [left, right].map { $0.loss ?? .infinity }
        return losses[0] == losses[1] ? left.number < right.number : losses[0] < losses[1]
    }
}

extension SweepSummary {
    /// The grid as `sweep.json` holds it and the verb prints it under `data`; the names are a contract.
    ///
    /// `report` is the page that compares the points.
    package func document(report: String?) -> PlainValue {
        .mapping([
            .init("federation", .text(federation)), .init("directory", .text(directory)),
            .init(
                "axes",
                .list(
                    axes.map { axis in
                        .mapping([
                            .init("path", .text(axis.path)), .init("values", .list(axis.values.map { .text($0) })),
                        ])
                    })),
            .init("complete", .number(count(.complete))), .init("failed", .number(count(.failed))),
            .init("points", .list(points.map(\.document))), .init("groups", .list(groups.map(\.document))),
            .init("report", report.map { .text($0) } ?? .null),
        ])
    }
}

extension SweepSummary.Group {
    fileprivate var document: PlainValue {
        .mapping([
            .init("settings", .mapping(settings.map { .init($0.key, .text($0.value)) })),
            .init("points", .list(points.map { .number($0.number) })), .init("complete", .number(completeCount)),
            .init("accuracy", accuracy.document), .init("loss", loss.document), .init("rounds", rounds.document),
            .init("virtual_seconds", virtualSeconds.document), .init("device_bytes_up", deviceBytesUp.document),
            .init("client_rounds_per_second", clientRoundsPerSecond.document),
        ])
    }
}

extension SweepSummary.Spread? {
    fileprivate var document: PlainValue {
        guard let self else { return .null }
        return .mapping([
            .init("mean", .figure(self.mean)), .init("standard_deviation", .figure(self.standardDeviation)),
            .init("min", .figure(self.min)), .init("max", .figure(self.max)),
        ])
    }
}
