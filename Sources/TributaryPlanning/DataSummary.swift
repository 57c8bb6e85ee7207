// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
package import TributaryTopology

/// What each node of a tree sees of the data: how many examples, and of which classes.
///
/// Every device is counted in a small fleet. In a large one, each aggregator's devices are sampled in proportion, at
/// even distances, and numbers of examples are scaled up: then `isEstimate` is true.
package struct DataSummary: Hashable, Sendable {
    /// The least, the middle and the greatest of some numbers of examples; the lower middle of an even number of them.
    package struct Spread: Hashable, Sendable {
        package let min: UInt64
        package let median: UInt64
        package let max: UInt64

        /// All 0 when there is nothing to look at.
        init(of values: [UInt64]) {
            let sorted = values.sorted()
            min = sorted.first ?? 0
            median = sorted.isEmpty ? 0 : sorted[(sorted.count - 1) / 2]
            max = sorted.last ?? 0
        }
    }

    /// One aggregator and all that is below it.
    package struct Node: Hashable, Sendable {
        package let name: NodeName
        /// The position of the node's tier.
        package let tier: Int
        package let deviceCount: UInt64
        /// How many of the devices were looked at.
        package let sampleCount: UInt64
        /// The examples of a device below the node.
        package let examplesPerDevice: Spread
        /// Examples by class: `[classes]`.
        package let labels: [UInt64]
        package var exampleCount: UInt64 { labels.reduce(0, +) }
    }

    /// One device.
    package struct Device: Hashable, Sendable {
        package let client: ClientIndex
        package let name: NodeName
        /// Examples by class: `[classes]`.
        package let labels: [UInt64]
        package var exampleCount: UInt64 { labels.reduce(0, +) }
    }

    /// One tier, devices included.
    package struct Tier: Hashable, Sendable {
        package let name: String
        package let nodeCount: UInt64
        package let examplesPerNode: Spread
    }

    /// Root first, devices last.
    package let tiers: [Tier]
    /// All aggregators tier by tier, root first.
    package let nodes: [Node]
    /// The first devices, as many as were asked for.
    package let devices: [Device]
    /// How many devices were looked at.
    package let sampleCount: UInt64
    /// Whether some devices were not looked at.
    package let isEstimate: Bool

    /// Looks at the devices of a tree.
    ///
    /// - Parameters:
    ///   - tree: the topology, resolved.
    ///   - classCount: the number of classes.
    ///   - sampleMax: about how many devices to look at; at least one of each aggregator is.
    ///   - deviceRows: how many devices to list one by one.
    ///   - labelCounts: a device's examples by class, `[classCount]`.
    /// - Throws: what `labelCounts` throws.
    package init(
        _ tree: Tree, classCount: Int, sampleMax: UInt64 = 20_000, deviceRows: UInt64 = 0,
        labelCounts: (ClientIndex) throws -> [Int]
    ) throws {
        var samples = [Sample](repeating: Sample(classCount: classCount), count: tree.aggregators.count)
        for (position, aggregator) in tree.aggregators.enumerated().reversed() {
            let count = Self.sampleCount(aggregator.devices.count, of: tree.deviceCount, sampleMax: sampleMax)
            try samples[position].look(at: aggregator.devices, count: count, labelCounts)
            for child in aggregator.children { samples[position].add(samples[child]) }
        }
        nodes = zip(tree.aggregators, samples).map { aggregator, sample in
            Node(
                name: aggregator.name, tier: aggregator.tier, deviceCount: aggregator.clients.count,
                sampleCount: UInt64(sample.sizes.count), examplesPerDevice: Spread(of: sample.sizes),
                labels: sample.labels.map { UInt64($0.rounded()) })
        }
        devices = try (0..<min(deviceRows, tree.deviceCount)).map { index in
            let client = ClientIndex(index)
            return Device(
                client: client, name: tree.deviceName(client), labels: try labelCounts(client).map { UInt64($0) })
        }
        let fleet = samples.first?.sizes ?? []
        sampleCount = UInt64(fleet.count)
        isEstimate = sampleCount < tree.deviceCount
        let last = tree.topology.tiers.count - 1
        let nodes = nodes
        tiers = tree.topology.tiers.indices.map { tier in
            Tier(
                name: tree.topology.tiers[tier].name, nodeCount: tree.count(ofTier: tier),
                examplesPerNode: Spread(
                    of: tier == last ? fleet : tree.aggregators(inTier: tier).map { nodes[$0].exampleCount }))
        }
    }

    /// The share of the sample that an aggregator's devices get, rounded up.
    private static func sampleCount(_ count: UInt64, of deviceCount: UInt64, sampleMax: UInt64) -> UInt64 {
        guard deviceCount > sampleMax else { return count }
        return min(count, UInt64((Double(count) / Double(deviceCount) * Double(sampleMax)).rounded(.up)))
    }
}

/// Devices that were looked at, and what they stand for.
private struct Sample {
    /// The number of examples of each.
    var sizes: [UInt64] = []
    /// Examples by class, scaled to all devices.
    var labels: [Double]

    init(classCount: Int) { labels = [Double](repeating: 0, count: classCount) }

    /// Counts so many of the devices, at even distances.
    mutating func look(
        at devices: ClientSet, count: UInt64, _ labelCounts: (ClientIndex) throws -> [Int]
    ) throws {
        guard count > 0 else { return }
        let (total, step) = (devices.count, Double(devices.count) / Double(count))
        var next: UInt64 = 0
        var passed: UInt64 = 0
        for range in devices.ranges {
            while next < count {
                let place = count == total ? next : UInt64((Double(next) + 0.5) * step)
                guard place < passed + UInt64(range.count) else { break }
                let counts = try labelCounts(ClientIndex(range.lowerBound + (place - passed)))
                sizes.append(UInt64(counts.reduce(0, +)))
                for (label, number) in counts.enumerated() where label < labels.count {
                    labels[label] += Double(number) * step
                }
                next += 1
            }
            passed += UInt64(range.count)
        }
    }

    mutating func add(_ other: Sample) {
        sizes += other.sizes
        for label in labels.indices { labels[label] += other.labels[label] }
    }
}
