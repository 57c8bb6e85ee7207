// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryRing
import TributaryTopology

@testable import TributaryPlanning

@Suite struct CapacityPlanTests {
    private static let link = LinkSettings(
        bandwidthUp: 1e6, bandwidthDown: 4e6, latency: .milliseconds(20), jitter: .milliseconds(5), loss: 0.01)

    private static func plan(
        devices: UInt64 = 100, regions: UInt64? = nil, hidden: UInt32 = 64, cohort: Selection = .all,
        simulation: SimulationSettings? = nil, descriptorMax: UInt64? = nil,
        _ change: (inout Topology) -> Void = { _ in }
    ) throws -> CapacityPlan {
        let links = regions == nil ? ["device": link] : ["device": link, "region": link]
        var topology = RoundTimeTests.topology(
            devices: devices, regions: regions, cohort: cohort,
            simulation: simulation ?? SimulationSettings(links: links))
        topology.model = .mlp(hidden: [Int(hidden)])
        change(&topology)
        let tree = try Tree(topology)
        return CapacityPlan(
            tree, workload: try #require(Workload(topology, deviceCount: devices)), descriptorMax: descriptorMax)
    }

    @Test("by hand: one device, a constant step, a plain link")
    func byHand() throws {
        let plain = LinkSettings(bandwidthUp: 8e5, bandwidthDown: 8e6, latency: .milliseconds(10))
        let simulation = SimulationSettings(
            links: ["device": plain], compute: .constant(.milliseconds(100)),
            energy: EnergyModel(compute: .power(watts: 2), transmitPower: 0.5, receivePower: 0.25))
        let plan = try Self.plan(devices: 1, simulation: simulation) {
            $0.tiers[1].training.settings.work = .steps(7)
        }
        // 32 x 64 + 64 + 64 x 10 + 10 parameters, 11,048 bytes and 60 or so of a frame's head: 110 ms up at 100 kB/s.
        #expect(plan.parameterCount == 2762)
        let device = try #require(plan.tiers.last)
        #expect(device.bytesUp > 11_048 && device.bytesUp < 11_500)
        // Six one-way delays: plan, request, model, offer, request, delta. Receipt and the end are not waited for.
        let up = try #require(plan.parts.first { $0.kind == .uplink }).seconds
        let down = try #require(plan.parts.first { $0.kind == .downlink }).seconds
        #expect(up > 0.110 && up < 0.114 && down > 0.011 && down < 0.0115)
        #expect(abs(plan.round.median - (0.7 + 0.06 + up + down)) < 1e-6)
        #expect(abs(plan.round.p95 - plan.round.median) < 1e-6)
        #expect(abs(plan.parts.reduce(0) { $0 + $1.seconds } - plan.round.median) < 1e-6)
        #expect(plan.dominant == "training on device: 79 % of the round")
        // 0.7 s at 2 W; the radio for all frames of the round.
        #expect(abs(plan.energy.compute - 1.4) < 1e-9)
        #expect(abs(plan.energy.transmit - 0.5 * device.bytesUp * 8 / 8e5) < 1e-9)
        #expect(abs(plan.energy.receive - 0.25 * device.bytesDown * 8 / 8e6) < 1e-9)
        #expect(plan.warnings.isEmpty)
    }

    @Test("the parts of a round add up to its median, whatever the tree", arguments: [1, 3] as [UInt32])
    func parts(_ edgeRounds: UInt32) throws {
        let plan = try Self.plan(regions: 4) { $0.tiers[1].edgeRounds = edgeRounds }
        let sum = plan.parts.reduce(0) { $0 + $1.seconds }
        #expect(abs(sum - plan.round.median) < 0.02 * plan.round.median)
    }

    @Test("more bandwidth never costs time; more parameters and more devices never save any")
    func monotone() throws {
        var last = Double.infinity
        for bandwidth in [2e5, 1e6, 5e6, 1e9] {
            var link = Self.link
            (link.bandwidthUp, link.bandwidthDown) = (bandwidth, bandwidth)
            let plan = try Self.plan(regions: 4, simulation: SimulationSettings(links: ["device": link]))
            #expect(plan.round.median < last)
            last = plan.round.median
        }
        var before: CapacityPlan?
        for hidden in [8, 64, 512] as [UInt32] {
            let plan = try Self.plan(regions: 4, hidden: hidden)
            for (tier, old) in zip(plan.tiers, before?.tiers ?? []) where tier.mode != .root {
                #expect(tier.bytesUp > old.bytesUp && tier.bytesDown > old.bytesDown)
                #expect(tier.resources.memoryByteCount > old.resources.memoryByteCount)
                #expect(tier.resources.diskByteCount > old.resources.diskByteCount)
            }
            if let before { #expect(plan.round.median > before.round.median) }
            before = plan
        }
        before = nil
        for devices in [10, 1000, 100_000] as [UInt64] {
            let plan = try Self.plan(devices: devices, regions: 10) { $0.tiers[2].training = .none }
            #expect(plan.round.median > before?.round.median ?? 0)
            #expect(try #require(plan.tiers.last).bytesUp > before?.tiers.last?.bytesUp ?? 0)
            before = plan
        }
    }

    @Test("bytes are linear in the devices, and in the share of them that is chosen")
    func linear() throws {
        let all = try #require(Self.plan(devices: 1000).tiers.last)
        let tenth = try #require(Self.plan(devices: 1000, cohort: .fraction(0.1, overSelect: 1)).tiers.last)
        #expect(abs(tenth.bytesUp * 10 - all.bytesUp) < 0.02 * all.bytesUp)
        let asleep = try #require(
            Self.plan(
                devices: 1000,
                simulation: SimulationSettings(availability: .markov(up: .seconds(3600), down: .seconds(3600)))
            ).tiers.last)
        #expect(asleep.nodesExpected == 500)
    }

    @Test("a hundred million devices answer at once, with the time of those that are chosen")
    func hundredMillion() throws {
        let plan = try Self.plan(
            devices: 100_000_000, regions: 1000, cohort: .count(10_000, overSelect: 1),
            simulation: SimulationSettings(
                links: ["device": Self.link], compute: .lognormal(median: .milliseconds(50), sigma: 1))
        ) { $0.tiers[2].training = .none }
        #expect(plan.chosen == 10_000)
        let few = try Self.plan(
            devices: 10_000, regions: 1000,
            simulation: SimulationSettings(
                links: ["device": Self.link], compute: .lognormal(median: .milliseconds(50), sigma: 1))
        ) { $0.tiers[2].training = .none }
        #expect(abs(plan.round.median - few.round.median) < 0.03 * few.round.median)
        #expect(plan.warnings.map(\.path) == ["tiers[2]"])
    }

    @Test("sums take what packing gives them, within their bounds")
    func sums() throws {
        // Sums of 3000 values: the width of 2 x |v| with |v| up to 2^30 is 31 or 32 bits.
        var random = CounterRandom(seed: 3, purpose: .shuffle)
        let values = (0..<3000).map { _ in Int64((random.nextUniform() * 2 - 1) * 0x1p30) }
        let packed = values.withUnsafeBufferPointer { RingPacking.byteCount(of: $0) }
        let weight = 0x1p14
        // 1/16 x 2^14 x 2^20 = 2^30.
        let expected = SumSize.byteCountExpected(parameterCount: 3000, exponent: 20, weight: weight)
        #expect(abs(Double(expected) - Double(packed)) < 0.05 * Double(packed))
        #expect(expected < SumSize.byteCountMax(parameterCount: 3000))
        let plan = try Self.plan(regions: 4)
        #expect(plan.tiers[1].bytesUp < plan.tiers[1].bytesUpMax)
    }

    @Test("warnings: a short deadline, a quorum out of reach, too many children, too few descriptors")
    func warnings() throws {
        let slow = SimulationSettings(compute: .lognormal(median: .seconds(1), sigma: 1))
        let deadline = try Self.plan(simulation: slow) {
            $0.tiers[0].deadline = .seconds(400)
            $0.tiers[1].training.settings.work = .steps(60)
        }
        #expect(deadline.warnings.map(\.code) == [.deadline])
        let late = try Self.plan(simulation: slow) {
            $0.tiers[0].deadline = .seconds(60)
            $0.tiers[0].quorum = 0.9
            $0.tiers[1].training.settings.work = .steps(60)
        }
        #expect(late.warnings.map(\.code) == [.deadline, .quorum])
        let asleep = try Self.plan(
            cohort: .count(80, overSelect: 1),
            simulation: SimulationSettings(
                availability: .diurnal(mean: 0.4, amplitude: 0.1, peak: .zero, zones: [0])))
        #expect(asleep.warnings.map(\.path) == ["tiers[0].quorum", "tiers[1].cohort.count"])
        let wide = try Self.plan(devices: 20_001, descriptorMax: 1024)
        #expect(wide.warnings.filter { $0.code == .limit }.map(\.path) == ["tiers[1]", "tiers[0]"])
        #expect(try Self.plan(devices: 500, descriptorMax: 1024).warnings.filter { $0.code == .limit }.isEmpty)
    }

    @Test("critical nodes: those whose devices the quorum cannot do without")
    func criticalNodes() throws {
        let half = try Self.plan(regions: 2) { $0.tiers[0].quorum = 0.6 }
        #expect(half.tiers.map(\.criticalNodes.count) == [1, 2, 0])
        let many = try Self.plan(regions: 4) { $0.tiers[0].quorum = 0.6 }
        #expect(many.tiers.map(\.criticalNodes.count) == [1, 0, 0])
    }

    @Test("a deadline that the links do not allow is an error, one that they allow is none")
    func impossible() throws {
        var topology = RoundTimeTests.topology(
            devices: 10, regions: 2,
            simulation: SimulationSettings(links: [
                "region": LinkSettings(bandwidthUp: 1e4, bandwidthDown: 1e6), "device": Self.link,
            ]))
        // A region's sum of about 13 kB takes ten seconds on 10 kbit/s.
        topology.tiers[0].deadline = .seconds(8)
        let issues = CrossCheck.issues(try Tree(topology))
        #expect(issues.map(\.code) == [.deadline] && issues.map(\.severity) == [.error])
        topology.tiers[0].deadline = .seconds(30)
        #expect(CrossCheck.issues(try Tree(topology)).isEmpty)
    }
}
