// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore

@testable import TributaryBus

/// A link with several parents goes to the first that takes it.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct FallbackTests {
    private func address(_ node: Node, _ endpoint: String) -> ParentAddress {
        ParentAddress(endpoint: endpoint, key: node.keys.publicKey)
    }

    private func connect(_ child: Node, _ parents: [(Node, String)]) throws -> Peer {
        try child.bus.connect(parents.map { address($0.0, $0.1) }, identity: child.keys, jitterSeed: 3)
    }

    @Test func aLinkIsKeptWhileItStandsAndBeginsAgainWithTheFirstParent() throws {
        let (first, second, child) = (try Node(), try Node(), try Node())
        let (there, other) = (try first.listen(to: ["c": child]), try second.listen(to: ["c": child]))
        let link = try connect(child, [(first, there), (second, other)])
        try drive([first, second, child]) { child.connectedCount == 1 }
        #expect(child.bus.parent(of: link) == 0)
        let start = Bus.now()
        first.bus.close()
        try drive([second, child]) { child.connectedCount == 2 }
        #expect(child.bus.parent(of: link) == 1)
        #expect(child.gone == [link])
        #expect(Bus.now() - start >= Link.patience, "a parent that starts again keeps its children")
        child.bus.send(ready(5), to: link)
        try drive([second, child]) { !second.messages.isEmpty }
        // The first parent is back; nobody leaves the second for that.
        let again = try Node(keys: first.keys)
        #expect(try again.listen(to: ["c": child], at: there) == there)
        child.bus.send(ready(6), to: link)
        try drive([again, second, child]) { second.messages.count == 2 }
        #expect(again.messages.isEmpty && child.connectedCount == 2)
        second.bus.close()
        try drive([again, child]) { child.connectedCount == 3 }
        #expect(child.bus.parent(of: link) == 0)
    }

    @Test func aParentThatRefusesIsLeftAtOnce() throws {
        let (first, second, child) = (try Node(), try Node(), try Node())
        let there = try first.listen(to: [:])
        let other = try second.listen(to: ["c": child])
        let link = try connect(child, [(first, there), (second, other)])
        try drive([first, second, child]) { child.connectedCount == 1 }
        #expect(child.bus.parent(of: link) == 1)
        #expect(child.refused == [.unknownKey])
    }

    @Test func everyParentIsTriedForAWhileAgainAndAgain() throws {
        let keys = try CurveKeyPair.generate()
        let parents = (1...3).map { ParentAddress(endpoint: "tcp://127.0.0.1:\($0)", key: keys.publicKey) }
        let link = Link(
            token: 2, parents: parents, identity: keys, jitterSeed: 9, firstAttempt: Moment(nanoseconds: 0))
        var now = Moment(nanoseconds: 0)
        var visits: [(position: Int, time: Duration)] = [(0, .zero)]
        var longest = Duration.zero
        while now < Moment(nanoseconds: 600_000_000_000) {
            let before = link.position
            let pause = link.next(weight: 1, now)
            longest = max(longest, pause)
            now = now + pause
            if link.position != before { visits.append((link.position, .zero)) }
            visits[visits.count - 1].time += pause
        }
        #expect(visits.map(\.position) == visits.indices.map { $0 % 3 })
        // Each for two seconds and the last pause of its attempts; only a sweep's end waits longer.
        for visit in visits.dropFirst().dropLast() where visit.position != 0 {
            #expect(visit.time >= Link.patience && visit.time < .milliseconds(5300), "\(visit)")
        }
        #expect(longest <= Backoff.longest && longest > .seconds(10))
    }
}
