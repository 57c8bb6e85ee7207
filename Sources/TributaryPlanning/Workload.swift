// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
package import TributaryLearning
package import TributaryRing
package import TributaryTopology

/// What the data says about a round: the model's layout, and how many examples devices train on.
package struct Workload: Hashable, Sendable {
    /// A number of examples, and the share of the devices that train on so many.
    package struct ExampleCount: Hashable, Sendable {
        package let count: UInt64
        /// In (0, 1]; all shares together make 1.
        package let share: Double
    }

    package let layout: ParameterLayout
    /// Values of one example's features.
    package let featureCount: Int
    /// Ascending; at most `exampleCountsMax`.
    package let exampleCounts: [ExampleCount]

    /// Numbers of examples that are told apart at most.
    private static let exampleCountsMax = 16

    /// Takes how many examples each of some typical devices has, all equally likely.
    package init(layout: ParameterLayout, featureCount: Int, exampleCounts: [UInt64]) {
        self.layout = layout
        self.featureCount = featureCount
        let sorted = exampleCounts.sorted()
        let stretch = (sorted.count + Self.exampleCountsMax - 1) / Self.exampleCountsMax
        self.exampleCounts = stride(from: 0, to: sorted.count, by: max(1, stretch)).map { start in
            let part = sorted[start..<min(sorted.count, start + stretch)]
            return ExampleCount(
                count: part.reduce(0, +) / UInt64(part.count), share: Double(part.count) / Double(sorted.count))
        }
    }

    /// Typical devices of some data; the layout is the model's.
    package init(_ architecture: ModelArchitecture, exampleCounts: [UInt64]) {
        self.init(
            layout: architecture.layout, featureCount: architecture.featureCount, exampleCounts: exampleCounts)
    }

    /// What the topology alone tells: all devices have equally many examples; `nil` where only the data tell.
    package init?(_ topology: Topology, deviceCount: UInt64) {
        guard let shape = CrossCheck.shape(of: topology.data),
            let architecture = try? ModelArchitecture(
                specification: topology.model, featureShape: shape.features, classCount: shape.classes)
        else { return nil }
        let examples = CrossCheck.exampleCount(of: topology.data).map { UInt64($0) / max(1, deviceCount) }
        self.init(architecture, exampleCounts: [max(1, examples ?? 1)])
    }

    /// The number of the model's parameters.
    package var parameterCount: Int { layout.parameterCount }

    /// Examples of a device on average.
    var exampleCountMean: Double { exampleCounts.reduce(0) { $0 + Double($1.count) * $1.share } }
}
