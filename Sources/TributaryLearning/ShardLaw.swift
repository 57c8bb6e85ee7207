// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// A device's shard from its client index alone: first how many examples, then their classes. With class frequencies p
// over the K classes that occur, the classes follow
//   iid             p itself;
//   dirichlet       a draw q ~ Dirichlet(alpha K p): mean p, and for equal frequencies the symmetric Dirichlet(alpha)
//                   of Yurochkin et al. 2019 (https://arxiv.org/abs/1905.12022), with p as in Hsu, Qi and Brown,
//                   "Measuring the Effects of Non-Identical Data Distribution", 2019, https://arxiv.org/abs/1909.06335;
//   pathological    k distinct classes, each set equally likely, dealt in turn (McMahan et al. 2017,
//                   https://arxiv.org/abs/1602.05629).
// Sizes: the bounded Pareto by inversion of its distribution function (e.g. Devroye, "Non-Uniform Random Variate
// Generation", 1986, chapter II.2, http://luc.devroye.org/rnbookindex.html). With density ~ x^-e on [a, b), t = 1 - e and
// u uniform, x = a (1 + u ((b/a)^t - 1))^(1/t), and a (b/a)^u for e = 1; the number of examples is x rounded down, and
// b = max + 1.

import CTributaryKernels
package import TributaryCore

/// The law by which each device of a fleet draws the number and the classes of its examples.
package struct ShardLaw: Sendable {
    private enum Mixture: Sendable {
        case frequencies
        case dirichlet(alpha: Double)
        case pathological(classCount: Int)
    }

    private let mixture: Mixture
    private let quantity: ShardQuantity
    /// The frequencies of all classes, summed up to and including each: `[classCount]`, ending with 1.
    private let reached: [Double]
    private let frequencies: [Double]
    /// The classes that occur, ascending.
    private let present: [Int]
    private let seed: UInt64

    /// Takes how often each class occurs, `counts: [classCount]`, not all 0.
    ///
    /// - Throws: `LearningError.partition` for a partitioner that needs a table, or a number out of range.
    package init(
        _ specification: ShardSpecification, partition: PartitionSpecification, counts: [Int], seed: UInt64
    ) throws(LearningError) {
        let total = counts.reduce(0, +)
        guard total > 0 else { throw .partition("the data has no training examples to draw shards from") }
        frequencies = counts.map { Double($0) / Double(total) }
        present = counts.indices.filter { counts[$0] > 0 }
        var sum = 0
        reached = counts.map { count in
            sum += count
            return Double(sum) / Double(total)
        }
        switch partition {
        case .iid:
            mixture = .frequencies
        case .dirichlet(let alpha):
            guard (1e-6...1e12).contains(alpha) else {
                throw .partition("the Dirichlet alpha is \(alpha); it must lie in 1e-6...1e12")
            }
            mixture = .dirichlet(alpha: alpha)
        case .pathological(let classes, let sites):
            guard sites == nil else { throw .partition("sites cut one table; take data.partition.sites out") }
            guard (1...present.count).contains(classes) else {
                throw .partition(
                    "\(classes) classes per device were asked for, and the data has \(present.count); "
                        + "use 1...\(present.count)")
            }
            mixture = .pathological(classCount: classes)
        case .linear, .square, .exponential, .naturalID:
            throw .partition("this partitioner cuts one table; shards are drawn by iid, dirichlet or pathological")
        }
        guard specification.examples.isValid else {
            throw .partition("a device must draw 1 to \(ShardQuantity.countMax) examples; correct data.shard.examples")
        }
        quantity = specification.examples
        self.seed = seed
    }

    /// The number of examples of a device; O(1).
    package func count(of client: ClientIndex) -> Int {
        var random = random(client)
        return quantity.count(&random)
    }

    /// The classes of a device's examples, in the order drawn, and what is left of its random numbers.
    ///
    /// O(classes + examples log classes).
    package func labels(of client: ClientIndex) -> (labels: [Int32], random: CounterRandom) {
        var random = random(client)
        let count = quantity.count(&random)
        var labels: [Int32]
        switch mixture {
        case .frequencies:
            labels = draw(count, reached: reached, &random)
        case .dirichlet(let alpha):
            labels = draw(count, reached: dirichlet(alpha: alpha, &random), &random)
        case .pathological(let classCount):
            let own = subset(classCount, &random)
            labels = (0..<count).map { Int32(own[$0 % classCount]) }
        }
        return (labels, random)
    }

    private func random(_ client: ClientIndex) -> CounterRandom {
        CounterRandom(seed: seed, purpose: .shard, client: client.value)
    }

    /// Classes drawn by summed shares.
    private func draw(_ count: Int, reached: [Double], _ random: inout CounterRandom) -> [Int32] {
        (0..<count).map { _ in
            let target = random.nextUniform() * reached[reached.count - 1]
            // A product that rounds up to the whole must not fall on a class that does not occur.
            var (low, high) = (0, present[present.count - 1])
            while low < high {
                let middle = (low + high) / 2
                if reached[middle] > target { high = middle } else { low = middle + 1 }
            }
            return Int32(low)
        }
    }

    /// The summed shares of one Dirichlet draw, up to a factor; gamma numbers stay logarithms until they are scaled.
    private func dirichlet(alpha: Double, _ random: inout CounterRandom) -> [Double] {
        let scale = alpha * Double(present.count)
        var draws = [Double](repeating: -Double.infinity, count: frequencies.count)
        for label in present {
            var gamma = LogGammaSampler(shape: scale * frequencies[label])
            draws[label] = gamma.next(&random)
        }
        let largest = draws.reduce(-Double.infinity) { max($0, $1) }
        var sum = 0.0
        return draws.map { draw in
            sum += draw == -.infinity ? 0 : tributary_learn_exp_double(draw - largest)
            return sum
        }
    }

    /// So many of the classes that occur: the first of a shuffle, without the rest of it.
    private func subset(_ count: Int, _ random: inout CounterRandom) -> [Int] {
        var moved: [Int: Int] = [:]
        return (0..<count).map { place in
            let other = place + Int(random.next(below: UInt64(present.count - place)))
            let chosen = moved[other] ?? other
            moved[other] = moved[place] ?? place
            return present[chosen]
        }
    }
}

extension ShardQuantity {
    /// Whether every draw lies in `1...countMax`.
    var isValid: Bool {
        let (min, max) = ends
        guard min >= 1, min <= max, max <= Self.countMax else { return false }
        switch self {
        case .fixed: return true
        case .powerLaw(let exponent, _, _): return exponent > 0 && exponent <= 100
        case .logNormal(let median, let sigma, _, _):
            return median >= 1 && median <= Double(Self.countMax) && sigma >= 0 && sigma <= 10
        }
    }

    /// Draws the number of examples of one device.
    func count(_ random: inout CounterRandom) -> Int {
        switch self {
        case .fixed(let count):
            return count
        case .powerLaw(let exponent, let min, let max):
            let value = Self.boundedPareto(
                exponent: exponent, min: Double(min), max: Double(max + 1), share: random.nextUniform())
            return Swift.min(max, Swift.max(min, Int(value)))
        case .logNormal(let median, let sigma, let min, let max):
            var normal = NormalSampler()
            let value = median * tributary_learn_exp_double(sigma * normal.next(&random))
            return value >= Double(max) ? max : Swift.max(min, Int(value))
        }
    }

    /// The value below which a share of a bounded Pareto distribution lies; `share` in `[0, 1)`.
    static func boundedPareto(exponent: Double, min: Double, max: Double, share: Double) -> Double {
        let width = tributary_learn_log_double(max / min)
        let t = 1 - exponent
        // Closer to 1, the powers lose more digits than the limit is off.
        guard abs(t * width) > 1e-7 else { return min * tributary_learn_exp_double(share * width) }
        let grown = 1 + share * (tributary_learn_exp_double(t * width) - 1)
        return min * tributary_learn_exp_double(tributary_learn_log_double(grown) / t)
    }
}
