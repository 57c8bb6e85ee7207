// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
import TributaryPlanning
package import TributaryTopology

extension RunRecord.LabelMap {
    /// So many rows can be looked at.
    private static let rowCountMax: UInt64 = 40
    /// About how many devices are counted.
    private static let sampleMax: UInt64 = 2_000

    /// What a tree's nodes see: its devices when they are few, else the lowest aggregators that are.
    ///
    /// Of a large fleet it is an estimate.
    ///
    /// - Parameters:
    ///   - tree: the topology, resolved.
    ///   - classNames: the classes as the source names them, by class number.
    ///   - labelCounts: a device's examples by class, `[classCount]`.
    /// - Throws: what `labelCounts` throws.
    package init(_ tree: Tree, classNames: [String], labelCounts: (ClientIndex) throws -> [Int]) throws {
        let hasFewDevices = tree.deviceCount <= Self.rowCountMax
        let summary = try DataSummary(
            tree, classCount: classNames.count, sampleMax: Self.sampleMax,
            deviceRows: hasFewDevices ? Self.rowCountMax : 0, labelCounts: labelCounts)
        if hasFewDevices {
            let devices = summary.devices
            self.init(nodes: devices.map(\.name.value), labels: classNames, counts: devices.map(\.labels))
            return
        }
        let aggregatorTiers = tree.topology.tiers.indices.dropLast()
        let tier = aggregatorTiers.last { tree.count(ofTier: $0) <= Self.rowCountMax } ?? 0
        let nodes = summary.nodes.filter { $0.tier == tier }
        self.init(nodes: nodes.map(\.name.value), labels: classNames, counts: nodes.map(\.labels))
    }
}
