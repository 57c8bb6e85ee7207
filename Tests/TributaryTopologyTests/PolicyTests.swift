// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryRing
import TributaryTopology

@Suite struct PolicyTests {
    /// A cloud, two stepping regions of two edge rounds, pass-through gateways, devices.
    static var deep: Topology {
        Example.topology([
            Tier(
                name: "cloud", fanOut: .one, optimizer: .fedAvgM(learningRate: 1, momentum: 0.5),
                deadline: .seconds(100)),
            Tier(name: "region", fanOut: .count(2), edgeRounds: 2),
            Tier(name: "gateway", fanOut: .perParent(3), quorum: 0.9),
            Tier(
                name: "camera", fanOut: .perParent(4), training: Training(deltaBound: 2, weightMax: 1000)),
        ])
    }

    @Test("stepping and pass-through follow from the tier")
    func modes() throws {
        let tree = try Tree(Self.deep)
        let policies = tree.aggregators.indices.map { tree.policy(ofAggregator: $0) }
        #expect(policies.map(\.isStepping) == [true, true, true] + Array(repeating: false, count: 6))
        #expect(policies[0].isRoot && !policies[1].isRoot)
        #expect(policies[0].optimizer == .fedAvgM(learningRate: 1, momentum: 0.5))
        #expect(policies[1].optimizer == .fedAvg(learningRate: 1))
        #expect(policies[3].optimizer == nil && policies[3].ring == nil)
        #expect(policies.map(\.edgeRounds) == [1, 2, 2, 1, 1, 1, 1, 1, 1])
        #expect(policies[1].uplink == .float32 && policies[3].uplink == .exact)
        #expect(policies[3].quorum == 0.9 && policies[1].quorum == Tier.quorumDefault)
        #expect(policies[0].children.map(\.clientCount) == [12, 12])
        #expect(policies[3].clientCount == 4 && policies[3].parent == NodeName("region-0"))
        #expect(policies[0].deadline == .fixed(.seconds(100)) && policies[3].deadline == .derived)
    }

    @Test("rings by segment: devices below a region, voices below the cloud")
    func rings() throws {
        let tree = try Tree(Self.deep)
        // Below a region: 12 devices of weight 1000 at most; below the cloud: two voices of 12 x 1000 at most.
        let region = try RingParameters(deltaBound: 2, weightMax: 1000, cohortMax: 12)
        let cloud = try RingParameters(deltaBound: 2, weightMax: 12_000, cohortMax: 2)
        #expect(tree.ringParameters(forSegmentOf: 0) == cloud)
        #expect(tree.ringParameters(forSegmentOf: 1) == region)
        #expect(tree.ringParameters(forSegmentOf: 8) == region)
        #expect(tree.segmentHead(of: 8) == 2 && tree.segmentHead(of: 3) == 1)
    }

    @Test("a pass-through tree has one ring, whatever its shape")
    func oneRing() throws {
        let flat = try Tree(
            Example.topology([Tier(name: "cloud", fanOut: .one), Tier(name: "camera", fanOut: .count(24))]))
        let deep = try Tree(Example.regions(4, devices: .count(24)))
        #expect(flat.aggregators[0].ring == deep.aggregators[0].ring)
        #expect(flat.aggregators[0].ring?.weightTotalMax == 24 << 20)
        for position in deep.aggregators.indices {
            #expect(deep.ringParameters(forSegmentOf: position) == deep.aggregators[0].ring)
        }
    }

    @Test("a fraction's cohort is bounded far beyond its mean, a count's exactly")
    func cohortBounds() {
        var topology = Example.regions(1, devices: .count(1))
        #expect(topology.cohortMax(among: 1_000_000) == 1_000_000)
        topology.tiers[2].cohort = .fraction(0.01, overSelect: 1)
        // 10,000 + 8 x 100 + 64
        #expect(topology.cohortMax(among: 1_000_000) == 10_864)
        #expect(topology.cohortMax(among: 50) == 50)
        topology.tiers[2].cohort = .count(100, overSelect: 1.25)
        #expect(topology.cohortMax(among: 1_000_000) == 125)
        #expect(topology.cohortMax(among: 60) == 60)
    }

    @Test("inner deadlines: nine tenths of what is left, divided by the edge rounds")
    func deadlines() {
        #expect(Self.deep.timesOpen == [.seconds(100), .seconds(45), .seconds(45) / 10 * 9])
        #expect(DeadlineRule.derived.timeOpen(timeLeft: .seconds(10)) == .seconds(9))
        #expect(DeadlineRule.derived.timeOpen(timeLeft: nil) == .zero)
        #expect(DeadlineRule.derived.timeOpen(timeLeft: .seconds(-10)) == .zero)
        #expect(DeadlineRule.fixed(.seconds(7)).timeOpen(timeLeft: .seconds(1)) == .seconds(7))
        #expect(DeadlineRule.edgeRound(of: .seconds(9), edgeRoundsLeft: 3) == .seconds(3))
        #expect(DeadlineRule.edgeRound(of: .seconds(9), edgeRoundsLeft: 0) == .seconds(9))
    }

    @Test("evaluation and stop rules")
    func rules() {
        let settings = EvaluationSettings(every: 3, onDevices: .init(every: 2))
        #expect((1...7).filter { settings.isDue(after: $0, of: 7) } == [3, 6, 7])
        #expect((1...7).filter { settings.isDueOnDevices(after: $0, of: 7) } == [2, 4, 6, 7])
        #expect(!EvaluationSettings().isDueOnDevices(after: 7, of: 7))
        let accuracy = StopRule(metric: .accuracy, threshold: 0.9)
        #expect(accuracy.isMet(accuracy: 0.9, loss: 9) && !accuracy.isMet(accuracy: 0.89, loss: 0))
        #expect(!accuracy.isMet(accuracy: .nan, loss: .nan))
        let loss = StopRule(metric: .loss, threshold: 0.5)
        #expect(loss.isMet(accuracy: 0, loss: 0.5) && !loss.isMet(accuracy: 1, loss: 0.6))
    }
}
