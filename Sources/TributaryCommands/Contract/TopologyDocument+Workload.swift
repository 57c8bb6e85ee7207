// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryClient
import TributaryCore
import TributaryPlanning
import TributaryTopology
import TributaryTopologyFile

extension TopologyDocument {
    /// Devices whose examples are counted at most.
    private static let sampleMax: UInt64 = 256

    /// What the data says; opened only when the file alone does not tell, or, with `samples`, when devices differ.
    ///
    /// - Throws: when the data cannot be read or spread as asked.
    func workload(samples: Bool) throws -> Workload {
        let deviceCount = tree.deviceCount
        let declared = Workload(topology, deviceCount: deviceCount)
        let isEven =
            topology.training.settings.isNone || (topology.data.partition == .iid && topology.data.shard == nil)
        if let declared, !samples || isEven || declared.exampleCounts.last?.count == 1 { return declared }
        let directory = file.lastIndex(of: "/").map { String(file[..<$0]) } ?? "."
        let data = try FederatedData(topology, clientCount: deviceCount, directory: directory)
        let count = min(deviceCount, Self.sampleMax)
        let examples = try (0..<count).map { place in
            UInt64(try data.sizes(of: ClientIndex(place * deviceCount / count)).training)
        }
        return Workload(try data.architecture(), exampleCounts: examples)
    }
}
