// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryPlanning
import TributaryTopology

@Suite struct ForecastTests {
    static func topology(_ tiers: [Tier], model: ModelSpecification = .linear) -> Topology {
        Topology(
            federation: "example", model: model,
            data: DataSpecification(
                source: .synthetic(examples: 100, features: 4, classes: 2), partition: .iid, holdOut: 0.2),
            rounds: 3, tiers: tiers)
    }

    @Test("bytes by hand: a linear model of 4 x 2 + 2 parameters")
    func bytes() throws {
        let tree = try Tree(
            Self.topology([
                Tier(name: "cloud", fanOut: .one), Tier(name: "region", fanOut: .count(2), edgeRounds: 3),
                Tier(name: "gateway", fanOut: .perParent(2)), Tier(name: "device", fanOut: .perParent(5)),
            ]))
        let forecast = Forecast(tree)
        #expect(forecast.parameterCount == 10)
        #expect(forecast.tiers.map(\.mode) == [.root, .stepping, .passThrough, .devices])
        #expect(forecast.tiers.map(\.plansPerRound) == [1, 1, 3, 3])
        // Two regions once, four gateways and twenty devices three times; sums are 8 bytes a value.
        let down: [Double?] = [0, 80, 480, 2400]
        let up: [Double?] = [0, 80, 960, 2400]
        // Below a region a product is at most 2^20 x 8 = 2^23, and 50 - 23 = 27; below the cloud a voice weighs up to
        // 10 x 2^20, which makes 10 x 2^23, in 2^26...2^27, and 50 - 26 = 24.
        let exponents: [Int?] = [24, 27, nil, nil]
        #expect(forecast.tiers.map(\.bytesDown) == down)
        #expect(forecast.tiers.map(\.bytesUp) == up)
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
        let forecast = Forecast(tree, parameterCount: 100)
        // A region of two devices takes part unless both are left out: 1 - 0.25.
        #expect(forecast.tiers.map(\.nodesExpected) == [1, 1.5, 2])
        #expect(forecast.tiers.map(\.bytesDown) == [0, 600, 800])
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
        let devices = try Self.issues { $0.tiers[1].fanOut = .count(81) }
        #expect(devices.map(\.path) == ["data"] && devices.map(\.severity) == [.warning])
        #expect(try Self.issues { $0.tiers[1].fanOut = .count(80) }.isEmpty)
        let cohort = try Self.issues { $0.tiers[1].cohort = .fraction(0.3, overSelect: 1) }
        #expect(cohort.map(\.path) == ["tiers[1].cohort"] && cohort.map(\.severity) == [.warning])
    }
}
