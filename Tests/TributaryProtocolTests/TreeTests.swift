// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryProtocol

/// Rounds over whole trees, in virtual time.
struct TreeTests {
    typealias Spec = MemoryTree.Spec

    static func device(_ index: UInt64, under parent: String) -> Spec {
        Spec(name: "d-\(index)", parent: parent, client: index)
    }

    static let flat = [Spec(name: "cloud")] + (0..<12).map { device($0, under: "cloud") }

    static func threeTiers(quorum: Double = 1, edgeRounds: UInt32? = nil) -> [Spec] {
        [Spec(name: "cloud", quorum: quorum)]
            + (0..<3).map { Spec(name: "edge-\($0)", parent: "cloud", quorum: quorum, edgeRounds: edgeRounds) }
            + (0..<12).map { device($0, under: "edge-\($0 / 4)") }
    }

    static let fourTiers =
        [Spec(name: "cloud")]
        + (0..<2).map { Spec(name: "region-\($0)", parent: "cloud") }
        + (0..<4).map { Spec(name: "edge-\($0)", parent: "region-\($0 / 2)") }
        + (0..<12).map { device($0, under: "edge-\($0 / 3)") }

    private func devices(_ keys: [UpdateKey]) -> [String] { keys.map(\.node.value).sorted() }
    private let everybody = (0..<12).map { "d-\($0)" }.sorted()

    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func everyTreeCountsEverybodyOnce(seed: UInt64) throws {
        for specs in [Self.flat, Self.threeTiers(), Self.fourTiers] {
            var tree = try MemoryTree(specs, .init(rounds: 5, seed: seed))
            tree.run()
            let steps = tree.stepped.filter { $0.node.value == "cloud" }
            #expect(steps.map(\.number.round) == [1, 2, 3, 4, 5])
            for step in steps { #expect(devices(step.keys) == everybody) }
            #expect(tree.refusals.isEmpty)
            #expect(tree.finished.count == specs.count, "everybody is told that the run is over")
        }
    }

    @Test func edgeRoundsStepInsideARound() throws {
        var tree = try MemoryTree(Self.threeTiers(edgeRounds: 2), .init(rounds: 3))
        tree.run()
        let edge = tree.stepped.filter { $0.node.value == "edge-1" }
        #expect(
            edge.map(\.number)
                == (1...3).flatMap { round in
                    (1...2).map { RoundNumber(round: round, edgeRound: $0) }
                })
        for step in edge { #expect(devices(step.keys) == ["d-4", "d-5", "d-6", "d-7"]) }
        let cloud = tree.stepped.filter { $0.node.value == "cloud" }
        #expect(cloud.count == 3)
        for step in cloud { #expect(devices(step.keys) == ["edge-0", "edge-1", "edge-2"]) }
    }

    @Test func surveyReachesEveryDevice() throws {
        for specs in [Self.flat, Self.threeTiers(), Self.threeTiers(edgeRounds: 2), Self.fourTiers] {
            var tree = try MemoryTree(specs, .init(rounds: 2, survey: 1))
            tree.run()
            let surveys = tree.events.compactMap { entry -> Int64? in
                if case .evaluated(_, true, let metrics) = entry.event { metrics.first?.numerator } else { nil }
            }
            #expect(surveys == [12, 12])
        }
    }

    @Test func stragglerIsDroppedAtTheDeadlineAndTheRoundGoesOn() throws {
        var tree = try MemoryTree(
            Self.threeTiers(quorum: 0.7), .init(rounds: 2, deadline: .seconds(10)))
        tree.trainingTime[NodeName("d-5")] = .seconds(100)
        tree.run()
        let cloud = tree.stepped.filter { $0.node.value == "cloud" }
        #expect(cloud.count == 2)
        for step in cloud { #expect(devices(step.keys) == everybody.filter { $0 != "d-5" }) }
        let drops = tree.events.filter { $0.event == .dropped(NodeName("d-5"), RoundNumber(round: 1), .late) }
        #expect(drops.contains { $0.node.value == "edge-1" })
    }

    @Test func belowQuorumARoundFailsWithItsReasonAndChangesNothing() throws {
        var tree = try MemoryTree(Self.flat, .init(rounds: 1, deadline: .seconds(10)))
        tree.trainingTime[NodeName("d-5")] = .seconds(100)
        tree.run()
        #expect(tree.stepped.isEmpty)
        #expect(tree.events.contains { $0.event == .roundClosed(RoundNumber(round: 1), .failed(.deadline)) })
    }

    @Test func aDeviceKilledWhileTrainingIsNotWaitedFor() throws {
        var tree = try MemoryTree(Self.threeTiers(quorum: 0.7), .init(rounds: 2))
        let victim = NodeName("d-5")
        tree.trainingTime[victim] = .seconds(30)
        var killed = false
        tree.run { tree, delivery in
            if case .client(victim, .fetched) = delivery, !killed {
                killed = true
                tree.push(.client(victim, .stop), after: .seconds(20))
            }
            if case .client(victim, .stop) = delivery { tree.kill(victim) }
        }
        #expect(tree.stepped.count { $0.node.value == "cloud" } == 2)
        let end = try #require(tree.finishedAt)
        #expect(end < Moment(nanoseconds: Duration.seconds(25).nanoseconds), "nobody waits for the dead")
        #expect(tree.events.contains { $0.event == .dropped(victim, RoundNumber(round: 1), .lost) })
    }

    @Test func anEdgeThatDiesAndReturnsMidRoundAnswersTheSamePlan() throws {
        var tree = try MemoryTree(Self.threeTiers(), .init(rounds: 2))
        let edge = NodeName("edge-1")
        let fresh = tree.aggregators[edge]
        tree.trainingTime[NodeName("d-5")] = .seconds(10)
        var restarted = false
        tree.run { tree, delivery in
            // Three of four updates are in when the edge loses everything it knows.
            guard case .client(NodeName("d-5"), .trained) = delivery, !restarted else { return }
            restarted = true
            tree.kill(edge)
            tree.dead.remove(edge)
            tree.aggregators[edge] = fresh
            tree.queue.removeAll { item in
                switch item.delivery {
                case .up(_, edge, _), .down(edge, _, _), .work(edge, _, _): true
                default: false
                }
            }
            tree.push(.connect(edge))
            for index in 4..<8 { tree.push(.connect(NodeName("d-\(index)")), after: .milliseconds(50)) }
        }
        let cloud = tree.stepped.filter { $0.node.value == "cloud" }
        #expect(cloud.count == 2)
        for step in cloud { #expect(devices(step.keys) == everybody) }
    }

    @Test func fractionChoosesTheSameClientsUnderEveryTree() throws {
        var chosen: Set<[String]> = []
        for specs in [Self.flat, Self.threeTiers(), Self.fourTiers] {
            var tree = try MemoryTree(
                specs, .init(rounds: 1, selection: .fraction(0.5, overSelect: 1), seed: 3))
            tree.run()
            chosen.insert(devices(tree.stepped.first { $0.node.value == "cloud" }?.keys ?? []))
        }
        #expect(chosen.count == 1)
        #expect((1..<12).contains(chosen.first?.count ?? 0))
    }

    @Test func countIsApportionedDownTheTree() throws {
        for specs in [Self.flat, Self.threeTiers(), Self.fourTiers] {
            var tree = try MemoryTree(specs, .init(rounds: 1, selection: .count(6, overSelect: 1)))
            tree.run()
            #expect(tree.stepped.first { $0.node.value == "cloud" }?.keys.count == 6)
        }
    }

    @Test func overSelectionClosesAtTheTarget() throws {
        var specs = Self.flat
        specs[0].quorum = 0.5
        var tree = try MemoryTree(specs, .init(rounds: 1, selection: .count(8, overSelect: 1.5)))
        for index in 0..<4 { tree.trainingTime[NodeName("d-\(index)")] = .seconds(50) }
        tree.run()
        let end = try #require(tree.finishedAt)
        #expect(end < Moment(nanoseconds: Duration.seconds(1).nanoseconds), "the slow are not waited for")
        #expect(tree.stepped.map(\.keys.count) == [8])
        let surplus = tree.events.count { entry in
            if case .dropped(_, _, .surplus) = entry.event { true } else { false }
        }
        #expect(surplus == 4)
    }

    @Test func anUpdateRefusedForItsHeaderDoesNotHoldUpTheRound() throws {
        var specs = Self.flat
        specs[0].quorum = 0.9
        var tree = try MemoryTree(specs, .init(rounds: 1))
        let wrong = NodeName("d-7")
        tree.misshapen = [wrong]
        tree.trainingTime[wrong] = .seconds(5)
        tree.run()
        #expect(tree.stepped.map { devices($0.keys) } == [everybody.filter { $0 != "d-7" }])
        #expect(tree.refusals.contains(.wrongShape))
        let end = try #require(tree.finishedAt)
        #expect(end < Moment(nanoseconds: Duration.seconds(6).nanoseconds), "nobody waits for the deadline")
    }
}
