// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryPlanning
import TributaryTopology
import TributaryWire

@Suite struct ForecastTests {
    static func topology(_ tiers: [Tier], model: ModelSpecification = .linear) -> Topology {
        Topology(
            federation: "example", model: model,
            data: DataSpecification(
                source: .synthetic(examples: 100, features: 4, classes: 2), partition: .iid, holdOut: 0.2),
            rounds: 3, tiers: tiers)
    }

    @Test("plans, modes and rings by hand: a linear model of 4 x 2 + 2 parameters")
    func plans() throws {
        let tree = try Tree(
            Self.topology([
                Tier(name: "cloud", fanOut: .one), Tier(name: "region", fanOut: .count(2), edgeRounds: 3),
                Tier(name: "gateway", fanOut: .perParent(2)), Tier(name: "device", fanOut: .perParent(5)),
            ]))
        let forecast = Forecast(tree)
        #expect(forecast.parameterCount == 10)
        #expect(forecast.tiers.map(\.mode) == [.root, .stepping, .passThrough, .devices])
        #expect(forecast.tiers.map(\.plansPerRound) == [1, 1, 3, 3])
        // Below a region a product is at most 2^20 x 8 = 2^23, and 50 - 23 = 27; below the cloud a voice weighs up to
        // 10 x 2^20, which makes 10 x 2^23, in 2^26...2^27, and 50 - 26 = 24.
        let exponents: [Int?] = [24, 27, nil, nil]
        #expect(forecast.tiers.map(\.ringExponent) == exponents)
        #expect(forecast.tiers[1].clientCounts == 10...10)
    }

    @Test("a share of the devices: expected nodes by hand")
    func cohort() throws {
        let tree = try Tree(
            Self.topology([
                Tier(name: "cloud", fanOut: .one), Tier(name: "region", fanOut: .count(2)),
                Tier(name: "device", fanOut: .perParent(2), cohort: .fraction(0.5, overSelect: 1)),
            ]))
        let forecast = Forecast(tree)
        // A region of two devices takes part unless both are left out: 1 - 0.25.
        #expect(forecast.tiers.map(\.nodesExpected) == [1, 1.5, 2])
        // Plans go to every aggregator, chosen devices below it or not.
        let everybody = Forecast(
            try Tree(
                Self.topology([
                    Tier(name: "cloud", fanOut: .one), Tier(name: "region", fanOut: .count(2)),
                    Tier(name: "device", fanOut: .perParent(2), cohort: .fraction(0.5, overSelect: 2)),
                ])))
        let down = try #require(forecast.tiers[1].bytesDown)
        #expect(try #require(everybody.tiers[1].bytesDown) == down)
        #expect(try #require(forecast.tiers[2].bytesDown) * 2 == #require(everybody.tiers[2].bytesDown))
    }

    @Test("bytes by hand: the wire's own messages, one by one")
    func bytes() throws {
        let topology = Self.topology([Tier(name: "cloud", fanOut: .one), Tier(name: "device", fanOut: .count(3))])
        let tree = try Tree(topology)
        let forecast = Forecast(tree)
        let ring = try #require(tree.aggregators[0].ring)
        let digest = Digest(words: 0, 0, 0, 0)
        let (number, name) = (RoundNumber(round: 3), NodeName("device-1"))
        let object = ObjectReference(digest: digest, byteCount: 40)
        let key = UpdateKey(node: name, sequence: 3)
        func size(_ message: Message) -> Int {
            Wire.byteCount(of: Envelope(run: RunID("example"), epoch: TopologyEpoch(1), message: message))
        }
        let plan = RoundPlan(
            number: number, kind: .train(Training.settingsDefault),
            model: ModelReference(digest: digest, sources: [.init(object: object, encoding: .float32)]),
            groups: [
                GroupPlan(name: "head", parameterCount: 10, ring: ring, encoding: .float32, normaliser: .weight)
            ], selection: .all, timeLeft: .seconds(60), seed: 1)
        let fetch = Wire.byteCount(of: Fetch(digest: digest, offset: 0, length: 40))
        let chunk = Wire.chunkByteCount(offset: 0, payloadByteCount: 40)
        let receipt = Receipt(subject: .update(key), durability: .memory)
        let closed = RoundClosed(number: number, outcome: .committed(contributorCount: 3))
        let down = size(.plan(plan)) + chunk + fetch + size(.receipt(receipt)) + size(.roundClosed(closed))
        // 80 training examples over three devices: 26 each.
        let metrics = ["train.loss", "train.accuracy", "train.examples"].map {
            MetricCounter(name: $0, numerator: 13 << 20, denominator: 26)
        }
        let update = Update(
            key: key, number: number, base: digest,
            groups: [.init(weight: 26, encoding: .float32, byteCount: 40)], metrics: metrics, body: object,
            signature: .blank(epoch: TopologyEpoch(1)))
        let working = Working(number: number, chosenCount: 3, reportedCount: 3, permille: 0)
        let up = fetch + size(.working(working)) + size(.update(update)) + chunk
        #expect(forecast.tiers.map(\.bytesDown) == [0, Double(3 * down)])
        #expect(forecast.tiers.map(\.bytesUp) == [0, Double(3 * up)])
    }

    @Test("sizes that the data decides are not guessed")
    func unknown() throws {
        var topology = Self.topology([Tier(name: "cloud", fanOut: .one), Tier(name: "device", fanOut: .count(3))])
        topology.data.source = .csv(path: "a.csv", label: "b", client: nil, test: nil)
        let forecast = Forecast(try Tree(topology))
        #expect(forecast.parameterCount == nil)
        #expect(forecast.tiers.map(\.bytesUp) == [0, nil])
    }
}

@Suite struct CrossCheckTests {
    private static func issues(_ change: (inout Topology) -> Void) throws -> [TopologyIssue] {
        var topology = ForecastTests.topology([
            Tier(name: "cloud", fanOut: .one), Tier(name: "device", fanOut: .count(3)),
        ])
        change(&topology)
        return CrossCheck.issues(try Tree(topology))
    }

    @Test("a sound topology has none")
    func none() throws {
        #expect(try Self.issues { _ in }.isEmpty)
    }

    @Test("a cnn without images")
    func model() throws {
        let cnn = ModelSpecification.cnn(blocks: [ConvolutionBlock(channels: 2, kernel: 3)], hidden: [])
        let flat = try Self.issues { $0.model = cnn }
        #expect(flat.map(\.path) == ["model"] && flat.map(\.severity) == [.error])
        let csv = try Self.issues {
            $0.model = cnn
            $0.data.source = .csv(path: "a", label: "b", client: nil, test: nil)
        }
        #expect(csv.map(\.path) == ["model.kind"])
        #expect(
            try Self.issues {
                $0.model = cnn
                $0.data.source = .fashionMNIST
            }.isEmpty)
    }

    @Test("classes that do not exist, devices without examples, cohorts of nobody")
    func data() throws {
        let classes = try Self.issues { $0.data.partition = .pathological(classesPerPartition: 3) }
        #expect(classes.map(\.path) == ["data.partition.classes-per-partition"])
        let sites = try Self.issues {
            $0.data.partition = .pathological(classesPerPartition: 1, sites: PartitionSites(devices: 2, classes: 3))
        }
        #expect(sites.map(\.path) == ["data.partition.sites.classes"])
        let devices = try Self.issues { $0.tiers[1].fanOut = .count(81) }
        #expect(devices.map(\.path) == ["data"] && devices.map(\.severity) == [.warning])
        #expect(try Self.issues { $0.tiers[1].fanOut = .count(80) }.isEmpty)
        let cohort = try Self.issues { $0.tiers[1].cohort = .fraction(0.3, overSelect: 1) }
        #expect(cohort.map(\.path) == ["tiers[1].cohort"] && cohort.map(\.severity) == [.warning])
    }
}
