// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryTopology

@testable import TributaryReport

@Suite struct RunRecordTests {
    private func tree(regions: UInt64, devices: UInt64) throws -> Tree {
        try Tree(
            Topology(
                federation: "record", seed: 5, model: .linear,
                data: .init(source: .synthetic(examples: 10, features: 2, classes: 2), partition: .iid, holdOut: 0.2),
                rounds: 4,
                tiers: [
                    Tier(name: "cloud", fanOut: .one), Tier(name: "region", fanOut: .count(regions), edgeRounds: 2),
                    Tier(name: "device", fanOut: .perParent(devices)),
                ]))
    }

    @Test func aTopologySaysWhatIsKnownBeforeARun() throws {
        let run = RunRecord(command: "up", version: "1.2.3", tree: try tree(regions: 3, devices: 4))
        #expect(run.federation == "record" && run.seed == 5 && run.devices == 12 && run.aggregators == 4)
        #expect(!run.isComplete && run.rounds.isEmpty)
        #expect(run.tiers.map(\.mode) == [.root, .stepping, .devices])
        #expect(run.tiers.map(\.nodeCount) == [1, 3, 12])
        #expect(run.nodes.map(\.name) == ["cloud", "region-0", "region-1", "region-2"])
        #expect(run.nodes.map(\.parent) == [nil, "cloud", "cloud", "cloud"])
        #expect(run.nodes.map(\.clientCount) == [12, 4, 4, 4])
        let settings = Dictionary(run.settings.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
        #expect(settings.count == run.settings.count)
        #expect(settings["rounds"] == "4" && settings["model.kind"] == "linear")
        #expect(settings["tiers.region.edge-rounds"] == "2" && settings["tiers.device.train.batch"] == "32")
    }

    @Test func aLabelMapHasDevicesWhenTheyAreFewAndAggregatorsElse() throws {
        func map(_ regions: UInt64, _ devices: UInt64) throws -> RunRecord.LabelMap {
            try .init(tree(regions: regions, devices: devices), classNames: ["no", "yes"]) { [Int($0.value), 1] }
        }
        let few = try map(2, 2)
        #expect(few.nodes == ["device-0", "device-1", "device-2", "device-3"])
        #expect(few.labels == ["no", "yes"])
        #expect(few.counts == [[0, 1], [1, 1], [2, 1], [3, 1]])
        let more = try map(2, 100)
        #expect(more.nodes == ["region-0", "region-1"])
        #expect(more.counts == [[4_950, 100], [14_950, 100]])
        let most = try map(50, 2)
        #expect(most.nodes == ["cloud"])
        #expect(most.counts == [[4_950, 100]])
    }

    /// Expected values by hand, and Jain's index by its definition.
    @Test func fairnessSumsUpAccuracies() throws {
        let even = try #require(RunRecord.Fairness(round: 2, accuracies: [0.5, 0.5, 0.5]))
        #expect(even.jainIndex == 1 && even.standardDeviation == 0 && even.mean == 0.5)
        let one = try #require(RunRecord.Fairness(round: 2, accuracies: [0, 1, 0, 0]))
        #expect(one.jainIndex == 0.25 && one.mean == 0.25 && one.worstDecileMean == 0 && one.bestDecileMean == 1)
        let many = try #require(
            RunRecord.Fairness(round: 2, accuracies: (0...4_999).reversed().map { Double($0) / 4_999 }))
        #expect(many.sampleCount == 5_000 && many.values.count == 1_000)
        #expect(many.values.first == 0 && many.values.last == 1 && many.values == many.values.sorted())
        #expect(abs(many.worstDecileMean - 0.04991) < 1e-4 && abs(many.bestDecileMean - 0.95009) < 1e-4)
        #expect(abs(many.mean - 0.5) < 1e-12 && abs(many.standardDeviation - 0.28873) < 1e-4)
        #expect(RunRecord.Fairness(round: 1, accuracies: []) == nil)
        #expect(RunRecord.Fairness(round: 1, accuracies: [.nan, 0.5])?.sampleCount == 1)
        #expect(RunRecord.Fairness(round: 1, accuracies: [0, 0])?.jainIndex == 1)
    }

    @Test func theFinalIsTheLastOfEach() {
        var run = Example.run(rounds: 4)
        #expect(run.final.accuracy == run.rounds[2].accuracy)
        #expect(run.final.modelSHA256 == run.rounds[2].modelSHA256)
        run.rounds[3].modelSHA256 = "x"
        #expect(run.final.accuracy == run.rounds[2].accuracy && run.final.modelSHA256 == "x")
        run.rounds = []
        #expect(run.final.accuracy == nil && run.final.loss == nil && run.final.modelSHA256 == nil)
    }
}
