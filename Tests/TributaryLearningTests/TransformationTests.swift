// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TributaryCore
import TributaryTestSupport

@testable import TributaryLearning

@Suite struct TransformationTests {
    // MARK: Rotation

    struct Oracle: Decodable {
        struct Rotation: Decodable {
            let height: Int
            let width: Int
            let degrees: Double
            let image: [Float]
            let turned: [Float]
        }
        let rotations: [Rotation]
    }

    /// Images by SciPy's affine_transform (make_shard_fixtures.py); ours interpolates in single precision.
    @Test func rotationEqualsTheOracle() throws {
        let cases = try OracleFile.decode(Oracle.self, "learning/shards.json").rotations
        #expect(cases.count == 7)
        for test in cases {
            let turned = ImageTurn(height: test.height, width: test.width, degrees: test.degrees).turn(test.image)
            let largest = zip(turned, test.turned).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
            #expect(turned.count == test.turned.count && largest < 3e-7, "\(test.degrees) degrees: \(largest)")
        }
    }

    @Test func quarterTurnsMovePixelsExactly() {
        let image: [Float] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19]
        let expected: [Float] = [3, 6, 9, 2, 5, 8, 1, 4, 7, 13, 16, 19, 12, 15, 18, 11, 14, 17]
        #expect(ImageTurn(height: 3, width: 3, degrees: 90).turn(image) == expected)
        #expect(ImageTurn(height: 3, width: 3, degrees: -270).turn(image) == expected)
        #expect(ImageTurn(height: 3, width: 3, degrees: 3600).turn(image) == image)
    }

    @Test func sineAndCosineAreThoseOfTheLibrary() {
        for step in -2_000...2_000 {
            let degrees = Double(step) * 0.37
            let (sine, cosine) = ImageTurn.sineAndCosine(degrees: degrees)
            #expect(abs(sine - sin(degrees * .pi / 180)) < 5e-15)
            #expect(abs(cosine - cos(degrees * .pi / 180)) < 5e-15)
        }
    }

    // MARK: Skew

    static func law(
        skew: SkewSpecification? = nil, drift: [DriftSpecification] = [], shape: [Int] = [1, 4, 4], seed: UInt64 = 1
    ) throws -> TransformationLaw {
        let data = DataSpecification(source: .fashionMNIST, partition: .iid, holdOut: 0, skew: skew, drift: drift)
        return try TransformationLaw(data, featureShape: shape, classCount: 4, seed: seed)
    }

    static let skew = SkewSpecification(rotation: 15, gain: 0.2, bias: 0.5, noise: 0.1)

    /// Margins are four standard errors of 20,000 draws.
    @Test func skewHasItsDeviations() throws {
        let law = try Self.law(skew: Self.skew)
        let drawn = (0..<20_000).map { law.transformation(of: ClientIndex($0), round: 1) }
        for (values, deviation) in [
            (drawn.map(\.angle), 15), (drawn.map { log(Double($0.gain)) }, 0.2), (drawn.map { Double($0.offset) }, 0.5),
        ] {
            let mean = values.reduce(0, +) / 20_000
            let variance = values.reduce(0) { $0 + $1 * $1 } / 20_000
            #expect(abs(mean) < 4 * deviation / 20_000.0.squareRoot())
            #expect(abs(variance / (deviation * deviation) - 1) < 0.04)
        }
    }

    @Test func eachKeyStandsByItself() throws {
        let client = ClientIndex(7)
        let all = try Self.law(skew: Self.skew).transformation(of: client, round: 1)
        let rotation = try Self.law(skew: SkewSpecification(rotation: 15)).transformation(of: client, round: 1)
        let bias = try Self.law(skew: SkewSpecification(bias: 0.5)).transformation(of: client, round: 9)
        #expect(all.angle == rotation.angle && rotation.gain == 1 && rotation.offset == 0 && rotation.noise == nil)
        #expect(all.offset == bias.offset && bias.angle == 0)
        #expect(try Self.law(skew: SkewSpecification()).transformation(of: client, round: 1).isIdentity)
        #expect(try Self.law(skew: Self.skew).transformation(of: client, round: 5) == all)
        #expect(try Self.law(skew: Self.skew, seed: 2).transformation(of: client, round: 1) != all)
        #expect(try Self.law(skew: Self.skew).transformation(of: ClientIndex(8), round: 1).angle != all.angle)
    }

    static func examples(_ count: Int, value: Float = 0) -> Examples {
        Examples(
            featureShape: [1, 4, 4], features: [Float](repeating: value, count: 16 * count),
            labels: (0..<count).map { Int32($0 % 4) }, classCount: 4)
    }

    @Test func noiseIsIndependentAndHasItsDeviation() throws {
        let transformation = try Self.law(skew: SkewSpecification(noise: 0.1))
            .transformation(of: ClientIndex(3), round: 1)
        let noisy = transformation.applied(to: Self.examples(1_000)).features
        let variance = noisy.reduce(0.0) { $0 + Double($1) * Double($1) } / 16_000
        #expect(abs(variance / 0.01 - 1) < 0.05)
        // 65,536 steps leave 14,200 distinct ones of 16,000 draws on average.
        #expect(Set(noisy).count > 14_000)
        for lag in [1, 4, 16] {
            let products = zip(noisy, noisy.dropFirst(lag)).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
            #expect(abs(products / 16_000) < 4 * 0.01 / 16_000.0.squareRoot())
        }
        #expect(transformation.applied(to: Self.examples(1_000), part: .holdOut).features != noisy)
        // A device's first examples are the same however many follow.
        #expect(transformation.applied(to: Self.examples(3)).features == Array(noisy.prefix(48)))
    }

    @Test func gainComesBeforeBias() {
        var transformation = Transformation.identity
        transformation.gain = 2
        transformation.offset = 0.5
        #expect(transformation.applied(to: Self.examples(1, value: 3)).features == [Float](repeating: 6.5, count: 16))
    }

    // MARK: Drift

    @Test func rampsRunFromRoundToRound() throws {
        let ramp = DriftSpecification.Ramp(perRound: -2, from: 3, until: 6)
        #expect((0...8).map { ramp.amount(in: $0) } == [0, 0, 0, 0, -2, -4, -6, -6, -6])
        let endless = DriftSpecification.Ramp(perRound: 0.5)
        #expect([0, 1, 2, 11].map { endless.amount(in: $0) } == [0, 0, 0.5, 5])
        let law = try Self.law(drift: [.rotation(ramp), .bias(endless), .rotation(endless)])
        let transformation = law.transformation(of: ClientIndex(1), round: 5)
        #expect(transformation.angle == -2 && transformation.offset == 2 && transformation == law.heldOut(round: 5))
        #expect(law.heldOut(round: 1).isIdentity && law.isDrifting)
    }

    @Test func classesSwapAtTheirRound() throws {
        let law = try Self.law(drift: [
            .labels(at: 3, swaps: [.init(0, 1), .init(2, 3)]), .labels(at: 5, swaps: [.init(0, 3)]),
        ])
        func labels(_ round: UInt32) -> [Int32] {
            law.transformation(of: ClientIndex(0), round: round).applied(to: Self.examples(4)).labels
        }
        #expect(labels(2) == [0, 1, 2, 3])
        #expect(labels(3) == [1, 0, 3, 2])
        // What is called 0 and 3 by then changes places: examples of class 1 and of class 2.
        #expect(labels(5) == [1, 3, 0, 2])
    }

    @Test func driftReachesHeldOutExamplesAndSkewDoesNot() throws {
        let law = try Self.law(
            skew: Self.skew, drift: [.bias(.init(perRound: 1)), .labels(at: 4, swaps: [.init(0, 2)])])
        let heldOut = HeldOutExamples(Self.examples(4, value: 1), law: law)
        #expect(heldOut.examples(round: 1).features == [Float](repeating: 1, count: 64))
        #expect(heldOut.examples(round: 3).features == [Float](repeating: 3, count: 64))
        #expect(heldOut.examples(round: 3).labels == [0, 1, 2, 3])
        #expect(heldOut.examples(round: 4).labels == [2, 1, 0, 3])
    }

    @Test func whatTheDataCannotDoIsRefused() {
        #expect { try Self.law(skew: SkewSpecification(rotation: 1), shape: [16]) } throws: {
            "\($0)".contains("the shape [16]")
        }
        #expect { try Self.law(drift: [.rotation(.init(perRound: 1))], shape: [16]) } throws: {
            "\($0)".contains("rotate images only")
        }
        #expect { try Self.law(drift: [.labels(at: 1, swaps: [.init(0, 4)])]) } throws: {
            "\($0)".contains("swaps class 4; the data's classes are 0..<4")
        }
    }
}
