// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryTopology
import TributaryTopologyFile

@Suite struct SimulateSectionTests {
    static let head = """
        tributary: v1
        federation: f
        model: {kind: linear}
        data: {kind: synthetic, examples: 100, features: 4, classes: 2}
        rounds: 2
        tiers: [{name: cloud}, {name: region, nodes: [east, west]}, {name: camera, per-parent: 3}]

        """

    private static func topology(_ text: String) throws -> Topology {
        try TopologyFile.parse(Array((head + text).utf8), file: "t.yaml").topology
    }

    private static func simulation(_ text: String) throws -> SimulationSettings {
        try topology("simulate:\n" + text).simulation
    }

    @Test("without the section the world is perfect, and 'config' says so")
    func defaults() throws {
        let document = try TopologyFile.parse(Array(Self.head.utf8), file: "t.yaml")
        let expected = SimulationSettings(
            links: ["region": .default, "camera": .default], compute: .constant(.milliseconds(10)),
            availability: .always,
            energy: EnergyModel(
                compute: .capacitance(alpha: 2e-28, frequency: 1e9), transmitPower: 0.5, receivePower: 0))
        #expect(document.topology.simulation == expected)
        let lines = document.annotatedText().split(separator: "\n").map { line in
            line.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
        }
        for line in [
            "bandwidth: unlimited # default", "jitter: 0s # default", "time: 10ms # default", "alpha: 2e-28 # default",
            "frequency: 1GHz # default", "transmit: 500mW # default", "receive: 0W # default",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
        #expect(ComputeEnergy.default.watts.isNearly(0.1))
    }

    @Test("a link takes from its tier what it does not say")
    func links() throws {
        let settings = try Self.simulation(
            """
              links: {camera: {bandwidth: {up: 250kbit, down: 1.5Mbit}, latency: 30ms, jitter: 5ms, loss: 1%}}
              node-links: {camera-2: {latency: 1ms}, west: {bandwidth: 1Gbit, loss: 0.25}}
              classes: [{name: far, share: 25%, link: {bandwidth: {up: 1kbit}}}]
            """)
        let camera = LinkSettings(
            bandwidthUp: 250e3, bandwidthDown: 1.5e6, latency: .milliseconds(30), jitter: .milliseconds(5), loss: 0.01)
        #expect(settings.links == ["region": .default, "camera": camera])
        var near = camera
        near.latency = .milliseconds(1)
        let west = LinkSettings(bandwidthUp: 1e9, bandwidthDown: 1e9, loss: 0.25)
        #expect(settings.nodeLinks == ["camera-2": near, "west": west])
        var far = camera
        far.bandwidthUp = 1000
        #expect(settings.classes == [DeviceClass(name: "far", share: 0.25, link: far)])
    }

    @Test("models of computing, availability and energy mean what they say")
    func models() throws {
        let settings = try Self.simulation(
            """
              compute: {kind: cpu, frequency: 600MHz, cycles-per-bit: 20}
              availability: {kind: diurnal, mean: 0.9, zones: [-5, 0, 14]}
              energy: {compute: {kind: capacitance}, receive: 250mW}
              classes:
                - {name: a, share: 2, compute: {kind: lognormal, median: 40ms, sigma: 0.6}}
                - name: b
                  share: 1
                  availability: {kind: trace, path: a.csv}
                  energy: {compute: {kind: power, draw: 2W}}
                - {name: c, share: 0.5, availability: {kind: markov, up: 1h, down: 90s}, energy: {transmit: 1kW}}
            """)
        #expect(settings.compute == .cpu(frequency: 6e8, cyclesPerBit: 20))
        #expect(
            settings.availability
                == .diurnal(mean: 0.9, amplitude: 0.1, peak: .seconds(7200), zones: [-5, 0, 14]))
        let chip = ComputeEnergy.capacitance(alpha: 2e-28, frequency: 6e8)
        #expect(settings.energy == EnergyModel(compute: chip, transmitPower: 0.5, receivePower: 0.25))
        #expect(
            settings.classes == [
                DeviceClass(name: "a", share: 2, compute: .lognormal(median: .milliseconds(40), sigma: 0.6)),
                DeviceClass(
                    name: "b", share: 1, availability: .trace(path: "a.csv"),
                    energy: EnergyModel(compute: .power(watts: 2), transmitPower: 0.5, receivePower: 0.25)),
                DeviceClass(
                    name: "c", share: 0.5, availability: .markov(up: .seconds(3600), down: .seconds(90)),
                    energy: EnergyModel(compute: chip, transmitPower: 1000, receivePower: 0.25)),
            ])
    }

    @Test("faults mean what they say, in their order")
    func faults() throws {
        let settings = try Self.simulation(
            """
              faults:
                - {partition: east, from: 30s, to: 90s}
                - {kill: camera-4, at: 40s, restart: 60s}
                - {slow: {tier: camera}, factor: 5}
                - {skew: west, offset: -2.5s, rate: -50ppm, from: 1m}
                - {corrupt: {tier: region}, probability: 0.001}
                - {duplicate: west, probability: 100%}
                - {reorder: west, probability: 10%, delay: 200ms}
                - {drop: {tier: camera}, probability: 1%, to: 10s}
            """)
        let (east, west) = (Fault.Target.node(NodeName("east")), Fault.Target.node(NodeName("west")))
        #expect(
            settings.faults == [
                Fault(kind: .partition, target: east, from: .seconds(30), until: .seconds(90)),
                Fault(kind: .kill, target: .node(NodeName("camera-4")), from: .seconds(40), until: .seconds(60)),
                Fault(kind: .slow(factor: 5), target: .tier("camera")),
                Fault(kind: .clockSkew(offset: .milliseconds(-2500), rate: -50), target: west, from: .seconds(60)),
                Fault(kind: .corrupt(0.001), target: .tier("region")),
                Fault(kind: .duplicate(1), target: west),
                Fault(kind: .reorder(0.1, delay: .milliseconds(200)), target: west),
                Fault(kind: .drop(0.01), target: .tier("camera"), until: .seconds(10)),
            ])
        #expect(!settings.faults[0].isActive(at: .seconds(29)) && settings.faults[0].isActive(at: .seconds(30)))
        #expect(!settings.faults[0].isActive(at: .seconds(90)) && settings.faults[2].isActive(at: .seconds(9999)))
    }

    @Test("without training there are no settings of training")
    func trainNone() throws {
        let text = Self.head.replacing("per-parent: 3", with: "per-parent: 3, train: none")
        let topology = try TopologyFile.parse(Array(text.utf8), file: "t.yaml").topology
        #expect(topology.training == .none)
        #expect(topology.training.settings.work == .none)
        #expect(topology.canonicalText.contains("\n    train: none\n"))
        let again = try TopologyFile.parse(Array(topology.canonicalText.utf8), file: "t.yaml").topology
        #expect(again == topology)
    }

    @Test("any settings, written out and read again, are the same", arguments: 1...200 as ClosedRange<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var topology = try Self.topology("")
        var random = RandomSettings(seed: seed)
        topology.simulation = random.settings()
        #expect(topology.issues().isEmpty)
        let again = try TopologyFile.parse(Array(topology.canonicalText.utf8), file: "t.yaml").topology
        #expect(again.simulation == topology.simulation, "seed \(seed)")
        #expect(again.canonicalText == topology.canonicalText)
    }
}

extension Double {
    fileprivate func isNearly(_ other: Double) -> Bool { abs(self - other) <= 1e-12 * abs(other) }
}

/// Sound settings for a tree of cloud, region (east, west) and camera (0...5).
private struct RandomSettings {
    private var random: CounterRandom

    init(seed: UInt64) { random = CounterRandom(seed: seed, purpose: .synthetic) }

    private mutating func flip() -> Bool { random.next(below: 2) == 0 }
    private mutating func share() -> Double { flip() ? Double(random.next(below: 100)) / 100 : random.nextUniform() }

    private mutating func time() -> Duration {
        let units: [Duration] = [.nanoseconds(1), .microseconds(1), .milliseconds(1), .milliseconds(500), .seconds(60)]
        return units[Int(random.next(below: 5))] * Int(1 + random.next(below: 1000))
    }

    /// A number whose logarithm is uniform, and sometimes a round one.
    private mutating func amount(_ low: Double, _ high: Double) -> Double {
        var value = low
        for _ in 0..<random.next(below: 16) where value * 10 <= high { value *= 10 }
        return flip() ? value : min(high, value * (1 + 9 * random.nextUniform()))
    }

    mutating func settings() -> SimulationSettings {
        var settings = SimulationSettings()
        settings.links = ["region": link(), "camera": link()]
        if flip() { settings.nodeLinks = ["west": link(), "camera-5": link()] }
        settings.compute = compute()
        settings.availability = availability()
        settings.energy = energy()
        settings.classes = (0..<random.next(below: 3)).map { index in
            DeviceClass(
                name: "class-\(index)", share: amount(1e-9, 1e9), compute: flip() ? compute() : nil,
                link: flip() ? link() : nil, availability: flip() ? availability() : nil,
                energy: flip() ? energy() : nil)
        }
        settings.faults = (0..<random.next(below: 6)).map { _ in fault() }
        return settings
    }

    private mutating func link() -> LinkSettings {
        let up = flip() ? .infinity : amount(1, 1e15)
        return LinkSettings(
            bandwidthUp: up, bandwidthDown: flip() ? up : amount(1, 1e15), latency: time(),
            jitter: flip() ? .zero : time(), loss: share())
    }

    private mutating func compute() -> ComputeModel {
        switch random.next(below: 3) {
        case 0: .constant(time())
        case 1: .lognormal(median: time(), sigma: 4 * share())
        default: .cpu(frequency: amount(1, 1e12), cyclesPerBit: amount(1e-3, 1e6))
        }
    }

    private mutating func availability() -> AvailabilityModel {
        switch random.next(below: 4) {
        case 0: return .always
        case 1: return .markov(up: time(), down: time())
        case 2: return .trace(path: "traces/of \(random.next(below: 100)).csv")
        default:
            let mean = 1 - share()
            return .diurnal(
                mean: mean, amplitude: AvailabilityModel.amplitudeDefault(mean: mean) * share(),
                peak: .seconds(Int64(random.next(below: 86_400))), zones: [-12, 14, Int(random.next(below: 12))])
        }
    }

    private mutating func energy() -> EnergyModel {
        let compute =
            flip()
            ? ComputeEnergy.power(watts: amount(1e-9, 1e6))
            : .capacitance(alpha: amount(1e-30, 1e-20), frequency: amount(1, 1e12))
        return EnergyModel(compute: compute, transmitPower: amount(1e-9, 1e6), receivePower: flip() ? 0 : share())
    }

    private mutating func fault() -> Fault {
        let kinds: [Fault.Kind] = [
            .partition, .kill, .slow(factor: amount(1, 1e6)),
            .clockSkew(offset: flip() ? time() : .zero - time(), rate: flip() ? 0 : -100 * random.nextUniform()),
            .corrupt(share()), .duplicate(share()), .drop(share()), .reorder(share(), delay: time()),
        ]
        let kind = kinds[Int(random.next(below: 8))]
        let from = flip() ? .zero : time()
        return Fault(
            kind: kind, target: flip() ? .tier("camera") : .node(NodeName("camera-\(random.next(below: 6))")),
            from: from, until: flip() ? nil : from + time())
    }
}
