// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// Labelled examples in memory: what one device, or the root's held-out set, sees.
package struct Examples: Sendable {
    /// The extents of one example's features: `[features]`, or `[channels, height, width]`.
    package var featureShape: [Int]
    /// Features, row-major: `[count, featureShape...]`.
    package var features: [Float]
    /// Class numbers in `0..<classCount`: `[count]`.
    package var labels: [Int32]
    package var classCount: Int

    package init(featureShape: [Int], features: [Float], labels: [Int32], classCount: Int) {
        self.featureShape = featureShape
        self.features = features
        self.labels = labels
        self.classCount = classCount
    }

    /// The number of examples.
    package var count: Int { labels.count }
    /// The number of features of one example.
    package var featureCount: Int { featureShape.reduce(1, *) }
}
