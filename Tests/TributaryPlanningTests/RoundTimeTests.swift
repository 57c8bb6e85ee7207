// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import TributaryCore
import TributaryTopology

@testable import TributaryPlanning

/// A plain sampler of the model that a plan assumes, written for itself: draws each device, each message, each link.
private struct Sampler {
    var random: CounterRandom

    init(seed: UInt64) { random = CounterRandom(seed: seed, purpose: .shuffle) }

    mutating func uniform() -> Double { random.nextUniform() }

    mutating func normal() -> Double {
        (-2 * log(1 - uniform())).squareRoot() * cos(2 * Double.pi * uniform())
    }

    /// Jitter and retransmission timers of one message.
    mutating func draw(_ link: LinkSettings) -> Double {
        var delay = -link.jitter.seconds * log(1 - uniform())
        var losses = 0
        while losses < 10, uniform() < link.loss { losses += 1 }
        delay += Double((1 << losses) - 1) * max(0.2, 2 * link.latency.seconds)
        return delay
    }

    /// The seconds of a dialogue on a link.
    mutating func dialogue(_ dialogue: Dialogue, _ link: LinkSettings) -> Double {
        dialogue.steps.reduce(0) { sum, step in
            let bandwidth = step.isUp ? link.bandwidthUp : link.bandwidthDown
            var time = bandwidth.isFinite ? step.byteCount * 8 / bandwidth / (1 - link.loss) : 0
            if step.isTransfer, link.latency > .zero {
                let window = Double(1 << 20) * 8 / (2 * link.latency.seconds)
                time = max(time, step.byteCount * 8 / window / (1 - link.loss))
            }
            return sum + time + link.latency.seconds * (step.isTransfer ? 2 : 1) + draw(link)
        }
    }

    mutating func work(_ compute: ComputeModel, batches: Double, bits: Double) -> Double {
        switch compute {
        case .constant(let time): time.seconds * batches
        case .lognormal(let median, let sigma): median.seconds * exp(sigma * normal()) * batches
        case .cpu(let frequency, let cyclesPerBit): bits * cyclesPerBit / frequency * batches
        }
    }
}

/// The middle and the slow end of samples.
private func quantiles(_ samples: [Double]) -> (median: Double, p95: Double) {
    let sorted = samples.sorted()
    return (sorted[sorted.count / 2], sorted[sorted.count * 19 / 20])
}

private func isWithin(_ share: Double, _ value: Double, of other: Double) -> Bool {
    abs(value - other) <= share * abs(other)
}

@Suite struct RoundTimeTests {
    private static let camera = LinkSettings(
        bandwidthUp: 2e6, bandwidthDown: 1e7, latency: .milliseconds(30), jitter: .milliseconds(20))
    private static let plant = LinkSettings(
        bandwidthUp: 2e7, bandwidthDown: 2e7, latency: .milliseconds(10), jitter: .milliseconds(5))

    static func topology(
        devices: UInt64, regions: UInt64? = nil, edgeRounds: UInt32 = 1, cohort: Selection = .all,
        simulation: SimulationSettings
    ) -> Topology {
        var tiers = [Tier(name: "cloud", fanOut: .one, deadline: .seconds(3600))]
        if let regions { tiers.append(Tier(name: "region", fanOut: .count(regions), edgeRounds: edgeRounds)) }
        tiers.append(Tier(name: "device", fanOut: .count(devices), cohort: cohort))
        return Topology(
            federation: "example", model: .mlp(hidden: [64]),
            data: DataSpecification(
                source: .synthetic(examples: 1_000_000, features: 32, classes: 10), partition: .iid, holdOut: 0),
            rounds: 3, tiers: tiers, simulation: simulation)
    }

    @Test(
        "a flat round agrees with drawing every message, in each kind of time",
        arguments: [
            (
                SimulationSettings(
                    links: ["device": camera], compute: .lognormal(median: .milliseconds(20), sigma: 0.6)), 200
            ),
            (SimulationSettings(links: ["device": camera], compute: .constant(.milliseconds(5))), 50),
            (SimulationSettings(compute: .lognormal(median: .milliseconds(3), sigma: 1.2)), 1000),
            (
                SimulationSettings(links: [
                    "device": LinkSettings(
                        bandwidthUp: 1e6, bandwidthDown: 1e6, latency: .milliseconds(50), jitter: .milliseconds(400),
                        loss: 0.02)
                ]), 30
            ),
            (
                SimulationSettings(
                    links: ["device": camera], compute: .lognormal(median: .milliseconds(2), sigma: 0.5),
                    classes: [
                        DeviceClass(name: "fast", share: 3),
                        DeviceClass(
                            name: "slow", share: 1, compute: .lognormal(median: .milliseconds(10), sigma: 0.3),
                            link: LinkSettings(
                                bandwidthUp: 5e5, bandwidthDown: 5e6, latency: .milliseconds(100),
                                jitter: .milliseconds(60), loss: 0.01)),
                    ]), 40
            ),
        ])
    func flat(_ simulation: SimulationSettings, _ devices: Int) throws {
        let topology = Self.topology(devices: UInt64(devices), simulation: simulation)
        let tree = try Tree(topology)
        let workload = try #require(Workload(topology, deviceCount: tree.deviceCount))
        let plan = CapacityPlan(tree, workload: workload)
        let classes = NodeClasses(tree, workload: workload, availability: 1)
        let dialogue = try #require(classes.all[0].deviceDialogue)
        let work = WorkAmount(
            topology.training.settings, exampleCount: workload.exampleCounts[0].count, featureCount: 32)
        let kinds = simulation.classes.isEmpty ? [DeviceClass(name: "all", share: 1)] : simulation.classes
        let total = kinds.reduce(0) { $0 + $1.share }
        var sampler = Sampler(seed: 7)
        let rounds = (0..<1500).map { _ in
            (0..<devices).reduce(0.0) { latest, _ in
                var draw = sampler.uniform() * total
                let kind =
                    kinds.first {
                        draw -= $0.share; return draw < 0
                    } ?? kinds[0]
                let link = kind.link ?? simulation.link(ofTier: "device")
                let work = sampler.work(
                    kind.compute ?? simulation.compute, batches: work.batchCount, bits: work.bitCount)
                return max(latest, sampler.dialogue(dialogue, link) + work)
            }
        }
        let drawn = quantiles(rounds)
        #expect(isWithin(0.05, plan.round.median, of: drawn.median), "\(plan.round.median) against \(drawn.median)")
        #expect(isWithin(0.05, plan.round.p95, of: drawn.p95), "\(plan.round.p95) against \(drawn.p95)")
    }

    @Test("edge rounds below two tiers of links, and a chosen share of the devices, agree with drawing")
    func tree() throws {
        let simulation = SimulationSettings(
            links: ["device": Self.camera, "region": Self.plant],
            compute: .lognormal(median: .milliseconds(1), sigma: 0.8))
        let topology = Self.topology(
            devices: 400, regions: 8, edgeRounds: 3, cohort: .fraction(0.2, overSelect: 1), simulation: simulation)
        let tree = try Tree(topology)
        let workload = try #require(Workload(topology, deviceCount: tree.deviceCount))
        let plan = CapacityPlan(tree, workload: workload)
        let classes = NodeClasses(tree, workload: workload, availability: 1)
        let device = try #require(classes.all[0].deviceDialogue)
        let region = try #require(classes.all[0].dialogue)
        let work = WorkAmount(
            topology.training.settings, exampleCount: workload.exampleCounts[0].count, featureCount: 32)
        var sampler = Sampler(seed: 9)
        let rounds = (0..<1500).map { _ in
            (0..<8).reduce(0.0) { latest, _ in
                var time = sampler.dialogue(region, Self.plant)
                for _ in 0..<3 {
                    time += (0..<50).reduce(0.0) { latest, _ in
                        guard sampler.uniform() < 0.2 else { return latest }
                        let work = sampler.work(simulation.compute, batches: work.batchCount, bits: 0)
                        return max(latest, sampler.dialogue(device, Self.camera) + work)
                    }
                }
                return max(latest, time)
            }
        }
        let drawn = quantiles(rounds)
        #expect(isWithin(0.05, plan.round.median, of: drawn.median), "\(plan.round.median) against \(drawn.median)")
        #expect(isWithin(0.05, plan.round.p95, of: drawn.p95), "\(plan.round.p95) against \(drawn.p95)")
    }

    @Test("over-selection waits for the target only")
    func overSelection() throws {
        let simulation = SimulationSettings(
            links: ["device": Self.camera], compute: .lognormal(median: .milliseconds(5), sigma: 1))
        let topology = Self.topology(
            devices: 1000, cohort: .count(50, overSelect: 1.3), simulation: simulation)
        let tree = try Tree(topology)
        let workload = try #require(Workload(topology, deviceCount: tree.deviceCount))
        let plan = CapacityPlan(tree, workload: workload)
        let classes = NodeClasses(tree, workload: workload, availability: 1)
        let dialogue = try #require(classes.all[0].deviceDialogue)
        let work = WorkAmount(
            topology.training.settings, exampleCount: workload.exampleCounts[0].count, featureCount: 32)
        var sampler = Sampler(seed: 11)
        let rounds = (0..<1500).map { _ in
            (0..<65).map { _ in
                sampler.dialogue(dialogue, Self.camera)
                    + sampler.work(simulation.compute, batches: work.batchCount, bits: 0)
            }.sorted()[49]
        }
        let drawn = quantiles(rounds)
        #expect(isWithin(0.05, plan.round.median, of: drawn.median), "\(plan.round.median) against \(drawn.median)")
        #expect(isWithin(0.05, plan.round.p95, of: drawn.p95), "\(plan.round.p95) against \(drawn.p95)")
        // Between the 50 that are waited for and the 65 that are asked send their deltas.
        let everybody = Double(65) * dialogue.bytesUp
        let ratio = try #require(plan.tiers.last).bytesUp / everybody
        #expect(ratio >= 50.0 / 65 - 0.02 && ratio < 1)
    }

    @Test("numbers of chosen devices by hand: a coin for each of three, and a wide binomial")
    func chosenCounts() throws {
        let simulation = SimulationSettings()
        func counts(_ devices: UInt64, _ fraction: Double) throws -> [(chosen: Double, weight: Double)] {
            let tree = try Tree(
                Self.topology(
                    devices: devices, cohort: .fraction(fraction, overSelect: 1.25), simulation: simulation))
            return Choice(tree, availability: 1).chosenCounts(of: devices).sorted { $0.chosen < $1.chosen }
        }
        let three = try counts(3, 0.4)
        #expect(three.map(\.chosen) == [1, 2, 3])
        #expect(zip(three, [0.375, 0.375, 0.125]).allSatisfy { abs($0.weight - $1) < 1e-12 })
        let wide = try counts(100_000, 0.4)
        let mean = wide.reduce(0) { $0 + $1.chosen * $1.weight }
        let variance = wide.reduce(0) { $0 + ($1.chosen - mean) * ($1.chosen - mean) * $1.weight }
        #expect(wide.count < 100 && abs(mean - 50_000) < 5 && abs(variance - 25_000) < 100)
    }

    @Test("tails by hand: a normal, an Erlang and a binomial one")
    func specialFunctions() {
        // Abramowitz and Stegun, table 26.1 and 26.2.
        #expect(isWithin(1e-9, SpecialFunctions.normalTail(1), of: 0.158_655_253_931))
        #expect(isWithin(1e-9, SpecialFunctions.normalTail(6), of: 9.865_876_450_4e-10))
        #expect(isWithin(1e-9, SpecialFunctions.normalTail(-2), of: 0.977_249_868_052))
        // P(gamma(3, 1) > 2) = e^-2 (1 + 2 + 2).
        #expect(isWithin(1e-12, LinkTime.erlangSurvival(2, count: 3, mean: 1), of: exp(-2) * 5))
        // At least 2 of 3 at 0.3: 3 x 0.09 x 0.7 + 0.027.
        #expect(isWithin(1e-10, SpecialFunctions.betaShare(0.3, 2, 2), of: 0.216))
        // At least 1 of 1000 at 0.001: 1 - 0.999^1000.
        #expect(isWithin(1e-9, SpecialFunctions.betaShare(0.001, 1, 1000), of: 1 - pow(0.999, 1000)))
    }

    @Test("the latest of a hundred million is read from the far tail")
    func farTail() {
        let one = TimeDistribution(from: 0, to: 60) { exp(-$0) }
        let all = TimeDistribution.latest([(one, 1e8)])
        // F(t)^n = 1/2 at t = -ln(1 - 2^(-1/n)).
        #expect(isWithin(1e-3, all.quantile(0.5), of: -log(-expm1(-M_LN2 / 1e8))))
    }

    @Test("sums: two exponential times, and eight equal ones")
    func sums() {
        let one = TimeDistribution(from: 0, to: 60) { exp(-$0) }
        for (count, time) in [(2, one.adding(one)), (8, one.repeated(8))] {
            for probability in [0.05, 0.5, 0.95, 0.999] {
                let at = time.quantile(probability)
                let tail = LinkTime.erlangSurvival(at, count: count, mean: 1)
                #expect(abs(tail - (1 - probability)) < 0.005, "\(count) at \(probability): \(tail)")
            }
        }
    }
}
