// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// Feature skew as in Li, Diao, Chen and He, "Federated Learning on Non-IID Data Silos", 2022
// (https://arxiv.org/abs/2102.02079), section III-B: the same classes, measured differently.

import CTributaryKernels
package import TributaryCore

/// What happens to one device's examples, or to held-out ones, in one round: turned, scaled, shifted, noised, renamed.
///
/// In this order: images turn; features become `gain * x + offset + noise`, unclipped; classes get new numbers.
package struct Transformation: Hashable, Sendable {
    /// Independent noise for each of a device's examples.
    struct Noise: Hashable, Sendable {
        var deviation: Double
        var seed: UInt64
        var client: ClientIndex
    }

    /// Which of a device's examples are transformed: both kinds have noise of their own.
    package enum Part: UInt32, Sendable {
        case training = 1
        case holdOut = 2
    }

    /// Degrees counter-clockwise.
    package internal(set) var angle = 0.0
    package internal(set) var gain: Float = 1
    package internal(set) var offset: Float = 0
    var noise: Noise?
    /// The new number of each class; empty when all keep theirs.
    package internal(set) var classes: [Int32] = []

    /// Leaves everything as it is.
    package static let identity = Transformation()

    package var isIdentity: Bool { self == .identity }

    /// Transforms examples whose order is the device's own; O(features).
    package func applied(to examples: Examples, part: Part = .training) -> Examples {
        var result = examples
        if angle != 0, examples.featureShape.count == 3 {
            let turn = ImageTurn(height: examples.featureShape[1], width: examples.featureShape[2], degrees: angle)
            result.features = turn.turn(examples.features)
        }
        if gain != 1 || offset != 0 {
            for index in result.features.indices { result.features[index] = gain * result.features[index] + offset }
        }
        if let noise { add(noise, to: &result, part: part) }
        if !classes.isEmpty { result.labels = result.labels.map { classes[Int($0)] } }
        return result
    }

    private func add(_ noise: Noise, to examples: inout Examples, part: Part) {
        let featureCount = examples.featureCount
        for place in 0..<examples.count {
            var random = CounterRandom(
                seed: noise.seed, purpose: .skew,
                round: RoundNumber(round: part.rawValue, edgeRound: UInt32(place)), client: noise.client.value)
            let range = place * featureCount..<(place + 1) * featureCount
            NormalTable.add(Float(noise.deviation), to: &examples.features, in: range, &random)
        }
    }
}

/// How a federation's examples are transformed: skew by client index, drift by round.
package struct TransformationLaw: Sendable {
    private let skew: SkewSpecification?
    private let drift: [DriftSpecification]
    private let classCount: Int
    private let seed: UInt64

    /// - Throws: `LearningError.examples` for a rotation of what is no image, or a swap of classes that are not there.
    package init(
        _ data: DataSpecification, featureShape: [Int], classCount: Int, seed: UInt64
    ) throws(LearningError) {
        skew = data.skew
        drift = data.drift
        self.classCount = classCount
        self.seed = seed
        let rotates = drift.contains { drift in
            if case .rotation = drift { return true }
            return false
        }
        if rotates || (skew?.rotation ?? 0) != 0, featureShape.count != 3 {
            throw .examples(
                "data.skew and data.drift can rotate images only, and an example has the shape \(featureShape); "
                    + "take the rotation out")
        }
        for case .labels(_, let swaps) in drift {
            for label in swaps.flatMap({ [$0.first, $0.second] }) where !(0..<classCount).contains(label) {
                throw .examples("data.drift swaps class \(label); the data's classes are 0..<\(classCount)")
            }
        }
    }

    /// Whether examples differ between rounds.
    package var isDrifting: Bool { !drift.isEmpty }

    /// What held-out examples go through: the drift of the round, and nobody's skew.
    package func heldOut(round: UInt32) -> Transformation {
        var result = Transformation.identity
        var offset = 0.0
        for change in drift {
            switch change {
            case .rotation(let ramp): result.angle += ramp.amount(in: round)
            case .bias(let ramp): offset += ramp.amount(in: round)
            case .labels(let at, let swaps):
                guard round >= at else { continue }
                if result.classes.isEmpty { result.classes = (0..<Int32(classCount)).map { $0 } }
                for swap in swaps { Self.rename(swap, in: &result.classes) }
            }
        }
        result.offset = Float(offset)
        return result
    }

    /// What a device's examples go through in a round: its skew, and the round's drift.
    package func transformation(of client: ClientIndex, round: UInt32) -> Transformation {
        var result = heldOut(round: round)
        guard let skew else { return result }
        var random = CounterRandom(seed: seed, purpose: .skew, client: client.value)
        var normal = NormalSampler()
        // All numbers are drawn whatever is used, so that no key changes what another does.
        let (rotation, gain, bias) = (normal.next(&random), normal.next(&random), normal.next(&random))
        result.angle += skew.rotation * rotation
        result.gain = skew.gain == 0 ? 1 : Float(tributary_learn_exp_double(skew.gain * gain))
        result.offset += Float(skew.bias * bias)
        if skew.noise > 0 { result.noise = .init(deviation: skew.noise, seed: seed, client: client) }
        return result
    }

    /// Exchanges the meanings that two classes have by now.
    private static func rename(_ swap: DriftSpecification.Swap, in classes: inout [Int32]) {
        let (first, second) = (Int32(swap.first), Int32(swap.second))
        for index in classes.indices {
            if classes[index] == first {
                classes[index] = second
            } else if classes[index] == second {
                classes[index] = first
            }
        }
    }
}

/// The root's examples for evaluation, as they are in each round.
package struct HeldOutExamples: Sendable {
    private let examples: Examples
    private let law: TransformationLaw

    package init(_ examples: Examples, law: TransformationLaw) {
        self.examples = examples
        self.law = law
    }

    /// The examples with the drift of a round: drift changes the world, so the model is judged by the world it is in.
    package func examples(round: UInt32) -> Examples {
        let transformation = law.heldOut(round: round)
        return transformation.isIdentity ? examples : transformation.applied(to: examples)
    }
}
