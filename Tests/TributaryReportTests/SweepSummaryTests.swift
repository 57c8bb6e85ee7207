// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryReport

@Suite struct SweepSummaryTests {
    private static let seeds = SweepSummary.Axis(path: "seed", values: ["1", "2", "3"])
    private static let alphas = SweepSummary.Axis(path: "data.partition.alpha", values: ["0.1", "1"])

    /// A finished run of one evaluated round.
    private static func run(accuracy: Double, loss: Double, seed: UInt64) -> RunRecord {
        var run = RunRecord(
            command: "simulate", federation: "f", seed: seed, version: "1", devices: 4, aggregators: 1)
        run.tiers = [.init(name: "cloud", mode: .root, nodeCount: 1), .init(name: "cam", mode: .devices, nodeCount: 4)]
        var round = RunRecord.Round(round: 1)
        (round.accuracy, round.loss) = (accuracy, loss)
        round.bytesUp = ["cam": 500, "cloud": 7]
        run.rounds = [round, round]
        run.virtualSeconds = 60
        return run
    }

    private static func grid(_ accuracies: [Double?]) -> SweepSummary {
        let points = accuracies.enumerated().map { index, accuracy in
            var point = SweepPoint(
                number: index + 1,
                settings: [
                    .init(alphas.path, alphas.values[index / 3]), .init("seed", seeds.values[index % 3]),
                ], directory: "runs/\(index)")
            point.state = accuracy == nil ? .failed : .complete
            if let accuracy {
                point.take(run(accuracy: accuracy, loss: 1 - accuracy, seed: UInt64(index % 3 + 1)))
            } else {
                point.failure = .init(code: "topology.range", message: "must lie in 1...2")
            }
            return point
        }
        return SweepSummary(federation: "f", directory: "runs", axes: [alphas, seeds], points: points)
    }

    // Oracle, Python 3: statistics.mean([0.8, 0.9, 0.85]) = 0.85, statistics.stdev(...) = 0.05.
    @Test("seeds are grouped: mean, sample standard deviation, least and most")
    func groups() throws {
        let groups = Self.grid([0.8, 0.9, 0.85, 0.5, nil, 0.7]).groups
        #expect(groups.map(\.settings) == [[.init(Self.alphas.path, "0.1")], [.init(Self.alphas.path, "1")]])
        #expect(groups.map { $0.points.map(\.number) } == [[1, 2, 3], [4, 5, 6]])
        let spread = try #require(groups[0].accuracy)
        #expect(abs(spread.mean - 0.85) < 1e-15)
        #expect(abs(try #require(spread.standardDeviation) - 0.05) < 1e-15)
        #expect((spread.min, spread.max) == (0.8, 0.9))
        // What failed is counted, not averaged.
        #expect(groups[1].completeCount == 2)
        #expect(abs(try #require(groups[1].accuracy).mean - 0.6) < 1e-15)
        #expect(groups[0].deviceBytesUp?.mean == 1_000)
    }

    @Test("one run has no spread, and no run no mean")
    func fewRuns() {
        #expect(SweepSummary.Spread([0.5, nil, .nan])?.standardDeviation == nil)
        #expect(SweepSummary.Spread([0.5, nil, .nan])?.mean == 0.5)
        #expect(SweepSummary.Spread([nil, .infinity]) == nil)
        let groups = Self.grid([nil, nil, nil, 0.5, 0.5, 0.5]).groups
        #expect(groups[0].accuracy == nil)
        #expect(groups[1].accuracy?.standardDeviation == 0)
    }

    @Test("a row a group where seeds repeat, a row a point where not")
    func table() {
        var summary = Self.grid([0.8, 0.9, 0.85, 0.5, nil, 0.7])
        let grouped = summary.table(areShort: true)
        #expect(grouped.titles.prefix(3) == ["alpha", "seeds", "accuracy"])
        #expect(grouped.rows[0].prefix(4) == ["0.1", "3", "85.00 % ± 5.00 %", "0.1500 ± 0.0500"])
        #expect(grouped.rows[1].prefix(2) == ["1", "2 of 3"])
        let points = summary.points.prefix(2).map { point in
            var one = SweepPoint(number: point.number, settings: [point.settings[0]], directory: point.directory)
            one.state = .failed
            one.failure = .init(code: "topology.range", message: "")
            return one
        }
        summary = SweepSummary(federation: "f", directory: "runs", axes: [Self.alphas], points: points)
        let single = summary.table(areShort: false)
        #expect(single.titles.prefix(3) == ["point", "data.partition.alpha", "accuracy"])
        #expect(single.rows.map(\.last) == ["failed: topology.range", "failed: topology.range"])
        #expect(single.rows.allSatisfy { $0.count == single.titles.count })
    }

    @Test("short titles are told apart by as many words as that takes")
    func names() {
        let axes = [
            "tiers[2].train.batch", "tiers.cloud.optimizer.learning-rate", "tiers.cam.train.optimizer.learning-rate",
        ]
        .map { SweepSummary.Axis(path: $0, values: ["1", "2"]) }
        let fixed = SweepSummary.Axis(path: "rounds", values: ["3"])
        let summary = SweepSummary(federation: "", directory: "", axes: axes + [fixed], points: [])
        #expect(
            summary.names(areShort: true).map(\.name) == [
                "batch", "cloud.optimizer.learning-rate", "train.optimizer.learning-rate",
            ])
        #expect(summary.names(areShort: false).map(\.name) == axes.map(\.path))
    }

    @Test("few points are compared as they are, many by a point a group, from the best to the worst")
    func representatives() {
        let summary = Self.grid([0.8, 0.9, 0.85, 0.5, nil, 0.7])
        #expect(summary.representatives(max: 12).map(\.number) == [1, 2, 3, 4, 6])
        #expect(summary.representatives(max: 4).map(\.number) == [1, 4])
        let points = (0..<40).map { index in
            var point = SweepPoint(number: index + 1, settings: [.init("rounds", "\(index + 1)")], directory: "")
            point.take(Self.run(accuracy: Double((index * 7) % 40) / 40, loss: 1, seed: 1))
            point.state = .complete
            return point
        }
        let wide = SweepSummary(federation: "f", directory: "", axes: [], points: points)
        let chosen = wide.representatives(max: 12)
        #expect(chosen.count == 12)
        #expect(chosen.map(\.number) == chosen.map(\.number).sorted())
        #expect(chosen.compactMap(\.accuracy).max() == 39.0 / 40)
        #expect(chosen.compactMap(\.accuracy).min() == 0)
    }
}
