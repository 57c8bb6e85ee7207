// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

extension RunRecord {
    /// How evenly a model serves the devices: the distribution of their own accuracies.
    ///
    /// Jain's index of accuracies x is (sum x)^2 / (n sum x^2): 1 when all are equal, 1/n when one has everything
    /// (R. Jain, D. Chiu, W. Hawe, "A Quantitative Measure of Fairness", 1984, https://arxiv.org/abs/cs/9809099).
    package struct Fairness: Hashable, Sendable, Decodable {
        /// How many values are kept at most.
        package static let valueCountMax = 1_000

        /// The round whose model was judged.
        package var round: UInt32
        /// How many devices were asked.
        package var sampleCount: UInt64
        /// Accuracies in ascending order; of a larger sample, so many of its evenly spaced quantiles.
        package var values: [Double]
        /// The mean of the worst and of the best tenth (of at least one device).
        package var worstDecileMean: Double
        package var bestDecileMean: Double
        package var mean: Double
        package var standardDeviation: Double
        package var jainIndex: Double

        /// Sums up the accuracies of single devices, in any order; `nil` when there is none that is a number.
        package init?(round: UInt32, accuracies: [Double]) {
            let sorted = accuracies.filter(\.isFinite).sorted()
            guard !sorted.isEmpty else { return nil }
            let count = Double(sorted.count)
            let tenth = max(1, sorted.count / 10)
            let total = sorted.reduce(0, +)
            let squares = sorted.reduce(0) { $0 + $1 * $1 }
            let mean = total / count
            self.round = round
            sampleCount = UInt64(sorted.count)
            values = Self.thinned(sorted)
            worstDecileMean = sorted.prefix(tenth).reduce(0, +) / Double(tenth)
            bestDecileMean = sorted.suffix(tenth).reduce(0, +) / Double(tenth)
            self.mean = mean
            standardDeviation = (sorted.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count).squareRoot()
            jainIndex = squares > 0 ? total * total / (count * squares) : 1
        }

        /// Evenly spaced values of a sorted sample, its ends included.
        private static func thinned(_ sorted: [Double]) -> [Double] {
            guard sorted.count > valueCountMax else { return sorted }
            return (0..<valueCountMax).map { sorted[$0 * (sorted.count - 1) / (valueCountMax - 1)] }
        }

        private enum CodingKeys: String, CodingKey {
            case round, values, mean
            case sampleCount = "samples"
            case worstDecileMean = "worst_decile_mean"
            case bestDecileMean = "best_decile_mean"
            case standardDeviation = "standard_deviation"
            case jainIndex = "jain_index"
        }
    }
}
