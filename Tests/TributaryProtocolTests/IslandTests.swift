// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryProtocol

/// Edges that lose the cloud go on by themselves within their quota.
struct IslandTests {
    @Test(
        "an edge on its own opens as many rounds as it may, and drops them when the cloud is back",
        arguments: [0, 1, 3])
    func quota(rounds: UInt32) throws {
        for edgeRounds in [nil, 2] as [UInt32?] {
            let specs = TreeTests.threeTiers(quorum: 0.5, edgeRounds: edgeRounds).map { spec in
                var spec = spec
                if spec.parent == "cloud" { spec.islandRounds = rounds }
                return spec
            }
            var tree = try MemoryTree(specs, .init(rounds: 2, deadline: .seconds(60)))
            let cloud = NodeName("cloud")
            for index in 0..<12 { tree.trainingTime[NodeName("d-\(index)")] = .seconds(1) }
            tree.push(.stop(cloud), after: .milliseconds(500))
            tree.push(.restart(cloud), after: .seconds(600))
            tree.run()
            let edge = tree.events.filter { $0.node.value == "edge-1" }.map(\.event)
            let opened = edge.compactMap { event -> RoundNumber? in
                if case .roundOpened(let number, _, _) = event, number.edgeRound > 1000 { number } else { nil }
            }
            #expect(opened.count == rounds && Set(opened).count == opened.count)
            for number in opened {
                #expect(edge.contains(.roundClosed(number, .failed(.parentLate))), "\(number)")
                for index in 4..<8 {
                    let device = tree.events.filter { $0.node.value == "d-\(index)" }.map(\.event)
                    #expect(
                        device.contains(.roundClosed(number, .failed(.parentLate)))
                            || device.contains { event in
                                if case .dropped(_, number, _) = event { true } else { false }
                            }, "d-\(index) in \(number)")
                }
            }
            #expect(tree.stepped.filter { $0.node == cloud }.map(\.number.round).suffix(1) == [2])
            for step in tree.stepped where step.node == cloud {
                #expect(Set(step.keys.map(\.node)).count == step.keys.count)
            }
            #expect(tree.finished.count == specs.count)
        }
    }
}
