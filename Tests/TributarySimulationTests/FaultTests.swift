// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryTopology

@testable import TributarySimulation

/// One fault at a time, and what must be seen of it.
@Suite struct FaultTests {
    private static let tree = SmallFleet(aggregators: [3], devices: 4, rounds: 4)

    private static func name(_ text: String) -> Fault.Target { .node(NodeName(text)) }

    private static func expectSound(_ outcome: Outcome, rounds: Int = 4) {
        #expect(outcome.isFinished && outcome.error == nil && outcome.violations == [])
        #expect(outcome.rows.count == rounds)
    }

    @Test("a partition of a node heals, and its devices take part again")
    func partitionOfNode() throws {
        let outcome = try Self.tree.with { $0.rounds = 8 }.with(
            faults: Fault(kind: .partition, target: Self.name("tiera-1"), from: .seconds(1), until: .seconds(20))
        ).run()
        Self.expectSound(outcome, rounds: 8)
        #expect(outcome.dropped("tiera") == ["client.lost": 1])
        #expect(outcome.rows[0].reported == 8)
        #expect(outcome.rows.last?.reported == 12)
    }

    @Test("a partition that heals within the round costs nothing but time")
    func shortPartition() throws {
        let outcome = try Self.tree.with(
            faults: Fault(kind: .partition, target: Self.name("tiera-1"), from: .seconds(1), until: .seconds(8))
        ).run()
        Self.expectSound(outcome)
        #expect(outcome.rows.allSatisfy { $0.reported == 12 && $0.dropped.isEmpty })
        #expect(outcome.sha256 == (try Self.tree.run().sha256))
    }

    @Test("a partition of a whole tier: rounds fail or wait, and all comes back")
    func partitionOfTier() throws {
        for tier in ["tiera", "device"] {
            let outcome = try Self.tree.with(
                faults: Fault(kind: .partition, target: .tier(tier), from: .seconds(1), until: .seconds(30))
            ).run()
            Self.expectSound(outcome)
            #expect(outcome.rows.last?.reported == 12, "\(tier)")
            #expect(outcome.end.seconds > 30)
        }
    }

    @Test("an edge that is killed mid-round and starts again does its part over")
    func killOfEdge() throws {
        let outcome = try Self.tree.with(
            faults: Fault(kind: .kill, target: Self.name("tiera-0"), from: .seconds(2), until: .seconds(4))
        ).run()
        Self.expectSound(outcome)
        #expect(outcome.rows.last?.reported == 12)
        #expect(outcome.count { if case .childGone(NodeName("tiera-0"), .lost, _) = $0 { true } else { false } } == 1)
        #expect(outcome.rows[0].failure == nil)
    }

    @Test("two faults that overlap hold a node down until both are over")
    func overlappingKills() throws {
        let outcome = try Self.tree.with(
            faults: Fault(kind: .kill, target: Self.name("tiera-0"), from: .seconds(2), until: .seconds(10)),
            Fault(kind: .kill, target: .tier("tiera"), from: .seconds(5), until: .seconds(30))
        ).run()
        Self.expectSound(outcome)
        let returns = outcome.events.filter { who, event, _ in
            if case .welcomed = event { who == NodeName("tiera-0") } else { false }
        }.map(\.at.seconds)
        #expect(returns.allSatisfy { $0 < 2 || $0 > 30 })
        #expect(returns.contains { $0 > 30 })
    }

    @Test("a device that is killed mid-round and starts again is asked again")
    func killOfDevice() throws {
        let outcome = try SmallFleet(devices: 4, rounds: 3).with { $0.tiers[0].quorum = 1 }.with(
            faults: Fault(kind: .kill, target: Self.name("device-2"), from: .seconds(2), until: .seconds(5))
        ).run()
        Self.expectSound(outcome, rounds: 3)
        #expect(outcome.rows.allSatisfy { $0.failure == nil && $0.reported == 4 })
        // It began anew after the restart.
        #expect((outcome.rows[0].virtualSeconds ?? 0) > 11)
        #expect((outcome.rows[1].virtualSeconds ?? 0) < 8)
    }

    @Test("a device that stays down is dropped with a reason, and chosen no more")
    func deathOfDevice() throws {
        let outcome = try SmallFleet(devices: 4, rounds: 3).with(
            faults: Fault(kind: .kill, target: Self.name("device-2"), from: .seconds(2))
        ).run()
        Self.expectSound(outcome, rounds: 3)
        #expect(outcome.rows[0].dropped["device"] == ["client.lost": 1])
        #expect(outcome.rows.map(\.selected) == [4, 3, 3] && outcome.rows.map(\.reported) == [3, 3, 3])
    }

    @Test("a root that starts again completes the round that it died in, and learns the same model")
    func killOfRoot() throws {
        let outcome = try Self.tree.with(
            faults: Fault(kind: .kill, target: Self.name("cloud"), from: .seconds(3), until: .seconds(6))
        ).run()
        #expect(outcome.isFinished && outcome.violations == [])
        #expect(outcome.rows.map(\.round) == [1, 2, 3, 4])
        #expect(outcome.rows.allSatisfy { $0.failure == nil && $0.reported == 12 })
        #expect(outcome.count { if case .roundResumed = $0 { true } else { false } } == 1)
        #expect(outcome.sha256 == (try Self.tree.run().sha256))
    }

    @Test("slow devices become late")
    func slow() throws {
        let outcome = try SmallFleet(devices: 4, rounds: 2, deadline: .seconds(20)).with(
            faults: Fault(kind: .slow(factor: 10), target: Self.name("device-0"), until: .seconds(100))
        ).run()
        Self.expectSound(outcome, rounds: 2)
        #expect(outcome.dropped("device")["update.late"] == 2)
    }

    @Test("a skewed clock moves an edge's deadline, and nothing breaks")
    func skew() throws {
        func run(_ offset: Duration, _ rate: Double = 0) throws -> Outcome {
            try SmallFleet(aggregators: [3], devices: 4, rounds: 3, deadline: .seconds(20)).with(
                faults: Fault(kind: .slow(factor: 100), target: Self.name("device-0"), until: .seconds(15)),
                Fault(
                    kind: .clockSkew(offset: offset, rate: rate), target: Self.name("tiera-0"), from: .seconds(2),
                    until: .seconds(50))
            ).run()
        }
        func deadline(_ outcome: Outcome) -> Double? {
            outcome.events.first { who, event, _ in
                if case .roundCollected = event { who == NodeName("tiera-0") } else { false }
            }?.at.seconds
        }
        let (right, ahead, behind) = (try run(.nanoseconds(1)), try run(.seconds(5)), try run(.seconds(-1)))
        for outcome in [right, ahead, behind, try run(.seconds(-300)), try run(.zero, 100_000)] {
            Self.expectSound(outcome, rounds: 3)
        }
        let time = try #require(deadline(right))
        #expect(abs(time - 18) < 0.2)
        #expect(abs((deadline(ahead) ?? 0) - (time - 5)) < 0.01)
        #expect(abs((deadline(behind) ?? 0) - (time + 1)) < 0.01)
        // A clock that gains a tenth from 2 s on reaches 18 s at 2 + 16 / 1.1.
        let fast = try #require(deadline(try run(.zero, 100_000)))
        #expect(abs(fast - (2 + (time - 2) / 1.1)) < 0.05)
    }

    @Test("a damaged message is counted as malformed and breaks the connection, which comes back")
    func corrupt() throws {
        for tier in ["device", "tiera"] {
            let outcome = try Self.tree.with(
                faults: Fault(kind: .corrupt(0.2), target: .tier(tier), until: .seconds(60))
            ).run()
            Self.expectSound(outcome)
            #expect(outcome.refused["wire.malformed"] ?? 0 > 0, "\(tier)")
            // Who is lost is not waited for once the quorum is met.
            #expect(outcome.rows.allSatisfy { $0.failure == nil && $0.reported >= 4 }, "\(tier)")
            #expect(outcome.rows.contains { $0.reported >= 8 }, "\(tier)")
        }
    }

    @Test("what arrives twice counts once")
    func duplicate() throws {
        let outcome = try Self.tree.with(
            faults: Fault(kind: .duplicate(1), target: .tier("device")),
            Fault(kind: .duplicate(1), target: .tier("tiera"))
        ).run()
        Self.expectSound(outcome)
        #expect(outcome.rows.allSatisfy { $0.reported == 12 && $0.dropped.isEmpty })
        #expect(outcome.sha256 == (try Self.tree.run().sha256))
    }

    @Test("lost and overtaken messages end in retries; nobody is lost without a reason")
    func dropAndReorder() throws {
        for tier in ["device", "tiera"] {
            for kind in [Fault.Kind.drop(0.2), .reorder(0.5, delay: .seconds(2))] {
                let outcome = try Self.tree.with(faults: Fault(kind: kind, target: .tier(tier))).run()
                Self.expectSound(outcome)
                for row in outcome.rows {
                    let dropped = row.dropped.values.reduce(0) { $0 + $1.values.reduce(0, +) }
                    // A round may open while a node makes its connection again; it is not chosen then.
                    #expect(row.reported == row.selected || dropped > 0, "\(kind) of \(tier): \(row)")
                }
                #expect(outcome.rows.contains { $0.selected == 12 }, "\(kind) of \(tier)")
                #expect(outcome.rows.allSatisfy { $0.failure == nil }, "\(kind) of \(tier)")
            }
        }
    }

    @Test("nobody awake: rounds fail with a reason and the run ends, however many rounds there are")
    func nobody() throws {
        var fleet = SmallFleet(devices: 3, rounds: 20_000, training: .none)
        fleet.topology.simulation.availability = .trace(path: "")
        var traces = AvailabilityTraces()
        for client in 0..<3 as Range<UInt64> {
            try traces.append(ClientIndex(client), from: 3000, until: 3001, line: 1)
        }
        fleet.traces = traces
        let outcome = try fleet.run()
        #expect(outcome.isFinished && outcome.rows.count == 20_000)
        #expect(outcome.rows.first?.failure == "round.below_quorum")
        // It does not spend its rounds all at once.
        #expect(outcome.rows[10].virtualEnd ?? 0 > 5)
    }

    @Test("a root that can never reach its children says so instead of waiting for ever")
    func stall() throws {
        let cut = Fault(kind: .partition, target: .tier("tiera"), from: .seconds(1))
        let deaf = Fault(kind: .drop(1), target: .tier("tiera"), from: .seconds(1))
        for fault in [cut, deaf] {
            let outcome = try Self.tree.with(faults: fault).run()
            guard case .stalled? = outcome.error as? SimulationError else {
                Issue.record("\(fault.kind): \(outcome)")
                continue
            }
            #expect(outcome.violations == [])
        }
    }
}
