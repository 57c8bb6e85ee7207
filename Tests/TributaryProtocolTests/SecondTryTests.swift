// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryTopology

@testable import TributaryProtocol

/// What is tried again after a failure, and when.
@Suite struct SecondTryTests {
    private static func plan(_ round: UInt32) -> Envelope {
        let digest = Digest(words: UInt64(round), 0, 0, 0)
        let plan = RoundPlan(
            number: RoundNumber(round: round), kind: .train(.noTraining), model: MemoryTree.model(digest), groups: [],
            selection: .all, timeLeft: .seconds(60), seed: 1)
        return Envelope(run: RunID("run"), epoch: TopologyEpoch(1), message: .plan(plan))
    }

    private static func fetches(_ actions: [ClientAction]) -> Int {
        actions.count { if case .fetch = $0 { true } else { false } }
    }

    @Test("a plan that a client gave up is tried again when the parent repeats it; one at work is not")
    func givenUp() {
        let now = Moment(nanoseconds: 0)
        var machine = ClientMachine(node: NodeName("a"), client: ClientIndex(0), topology: nil, sequence: 0)
        _ = machine.handle(.message(Self.plan(1)), at: now)
        #expect(Self.fetches(machine.handle(.message(Self.plan(1)), at: now)) == 0)
        // The parent has just started again and does not hold the model yet.
        _ = machine.handle(.fetchFailed(Digest(words: 1, 0, 0, 0), .unknownObject), at: now)
        #expect(machine.isIdle)
        #expect(Self.fetches(machine.handle(.message(Self.plan(1)), at: now)) == 1)
        // Training fails, and the refusal is lost with the connection.
        _ = machine.handle(.fetched(Digest(words: 1, 0, 0, 0)), at: now)
        _ = machine.handle(.trainingFailed(RoundNumber(round: 1), text: "it diverged"), at: now)
        #expect(Self.fetches(machine.handle(.message(Self.plan(1)), at: now)) == 1)
        #expect(Self.fetches(machine.handle(.message(Self.plan(2)), at: now)) == 1)
        #expect(Self.fetches(machine.handle(.message(Self.plan(1)), at: now)) == 0)
    }

    @Test("a round that fails is followed by a pause, which grows as long as rounds fail")
    func pauses() throws {
        var tree = try MemoryTree([.init(name: "cloud"), .init(name: "a", parent: "cloud", client: 0)])
        tree.misshapen = [NodeName("a")]
        tree.run()
        let end = try #require(tree.finishedAt)
        #expect(tree.stepped.isEmpty)
        // One second after the first of three rounds, two after the second.
        #expect(end.seconds > 3 && end.seconds < 3.5)
    }
}
