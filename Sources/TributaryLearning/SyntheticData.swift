// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// Row r of seed s has a uniform label c, one of its class's two centres m, and features m + N(0, I). Centres are drawn
// from N(0, 12.5 / features I), so that two centres lie about 5 apart in any dimension: close enough to confuse a few
// in a hundred rows, and with two centres per class no single hyperplane separates a class.

package import TributaryCore

/// Seeded Gaussian classes whose rows are derived one by one, so that a device makes only its own.
package struct SyntheticData: Sendable {
    private static let centresPerClass = 2
    private static let distance = 5.0
    /// The most values of all centres, which are kept in memory.
    private static let centreValueCountMax = 1 << 26

    private let centres: [Float]
    /// The number of training rows; rows from here on are fresh ones, for a held-out set.
    package let exampleCount: Int
    package let featureCount: Int
    package let classCount: Int
    private let seed: UInt64

    /// Draws the centres of the classes.
    ///
    /// - Throws: `LearningError.examples` when a number is below its minimum or the centres would not fit memory.
    package init(examples: Int, features: Int, classes: Int, seed: UInt64) throws(LearningError) {
        guard examples >= 1, examples <= Int(UInt32.max) / 2, features >= 1, classes >= 2 else {
            throw .examples(
                "synthetic data of \(examples) examples, \(features) features and \(classes) classes cannot be made; "
                    + "use at least 1, 1 and 2, and fewer than 2^31 examples")
        }
        let (perCentre, tooWide) = features.multipliedReportingOverflow(by: Self.centresPerClass)
        let (valueCount, tooMany) = perCentre.multipliedReportingOverflow(by: classes)
        guard !tooWide, !tooMany, valueCount <= Self.centreValueCountMax else {
            throw .examples("\(classes) synthetic classes of \(features) features are too many; use fewer of either")
        }
        let spread = Self.distance / (2 * Double(features)).squareRoot()
        var random = CounterRandom(seed: seed, purpose: .synthetic, round: RoundNumber(round: 1))
        var normal = NormalSampler()
        centres = (0..<valueCount).map { _ in Float(normal.next(&random) * spread) }
        exampleCount = examples
        featureCount = features
        classCount = classes
        self.seed = seed
    }

    /// The labels of the training rows: `[exampleCount]`.
    package func labels() -> [Int32] {
        (0..<UInt32(exampleCount)).map { row in
            var random = self.random(row: row)
            return label(&random)
        }
    }

    /// Makes the given rows; a row's values depend on its number and the seed alone.
    package func examples(rows: some Collection<UInt32>) -> Examples {
        var features: [Float] = []
        features.reserveCapacity(rows.count * featureCount)
        var labels: [Int32] = []
        for row in rows {
            var random = self.random(row: row)
            let label = label(&random)
            append(label, &random, to: &features)
            labels.append(label)
        }
        return Examples(featureShape: [featureCount], features: features, labels: labels, classCount: classCount)
    }

    /// Makes examples of given classes for one device; values depend on client, place and class alone.
    package func examples(labels: [Int32], client: ClientIndex) -> Examples {
        var features: [Float] = []
        features.reserveCapacity(labels.count * featureCount)
        for (place, label) in labels.enumerated() {
            var random = CounterRandom(
                seed: seed, purpose: .shard, round: RoundNumber(round: 1, edgeRound: UInt32(place)),
                client: client.value)
            let centre = centre(of: label, &random)
            let start = features.count
            features.append(contentsOf: centres[centre..<centre + featureCount])
            // Devices of a fleet are made anew in every round: a table's steps are fine enough, and far quicker.
            NormalTable.add(1, to: &features, in: start..<start + featureCount, &random)
        }
        return Examples(featureShape: [featureCount], features: features, labels: labels, classCount: classCount)
    }

    private func append(_ label: Int32, _ random: inout CounterRandom, to features: inout [Float]) {
        let centre = centre(of: label, &random)
        var normal = NormalSampler()
        for feature in 0..<featureCount {
            features.append(centres[centre + feature] + Float(normal.next(&random)))
        }
    }

    /// Where one of a class's centres begins.
    private func centre(of label: Int32, _ random: inout CounterRandom) -> Int {
        let number = Int(label) * Self.centresPerClass + Int(random.next(below: UInt64(Self.centresPerClass)))
        return number * featureCount
    }

    private func random(row: UInt32) -> CounterRandom {
        CounterRandom(seed: seed, purpose: .synthetic, client: UInt64(row))
    }

    private func label(_ random: inout CounterRandom) -> Int32 {
        Int32(truncatingIfNeeded: random.next(below: UInt64(classCount)))
    }
}
