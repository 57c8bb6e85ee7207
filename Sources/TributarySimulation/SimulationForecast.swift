// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryAggregation
import TributaryCore
import TributaryPlanning
package import TributaryTopology

/// What a simulation will need of memory, before anything is taken.
package struct SimulationForecast: Hashable, Sendable {
    /// Memory for deltas that wait to be folded; beyond it they are computed again when they are needed.
    static let deltaByteCountMax = 1 << 30
    /// A device in a round: its machine, its link, and the messages to and from it.
    private static let sessionByteCount: UInt64 = 8 << 10
    /// The program itself.
    private static let baseByteCount: UInt64 = 64 << 20

    /// One purpose that memory is needed for.
    package struct Part: Hashable, Sendable {
        package let cause: String
        package let byteCount: UInt64
    }

    /// The largest first.
    package let parts: [Part]
    package var byteCount: UInt64 { parts.reduce(0) { $0 + $1.byteCount } }

    /// A forecast for models of `parameterCount` values, with `dataByteCount` bytes of examples held in memory.
    package init(_ tree: Tree, parameterCount: Int, dataByteCount: UInt64) {
        let topology = tree.topology
        let vector = UInt64(parameterCount) * 4
        let cohort = UInt64(min(topology.cohortExpected(among: tree.deviceCount), 0x1p40).rounded(.up))
        var nodes: UInt64 = 0
        for index in tree.aggregators.indices {
            // The sum, the base, a fold's batch, and where the node steps, the next model and its optimizer's vectors.
            let stepping = tree.isStepping(index) ? 1 + UInt64(tree.policy(ofAggregator: index).stateVectorCount) : 0
            nodes += vector * (2 + 1 + stepping)
        }
        let deltas = min(cohort.multipliedClamping(by: vector), UInt64(Self.deltaByteCountMax))
        parts = [
            Part(cause: "the program", byteCount: Self.baseByteCount),
            Part(cause: "the examples", byteCount: dataByteCount),
            Part(cause: "the aggregators' sums and models", byteCount: nodes),
            Part(
                cause: "deltas that wait to be folded",
                byteCount: deltas + vector * 2),
            Part(cause: "devices in a round", byteCount: cohort * Self.sessionByteCount),
            Part(
                cause: "shards that are kept",
                byteCount: min(UInt64(ShardCache.byteCountMax), tree.deviceCount.multipliedClamping(by: 64 << 10))),
        ].sorted { $0.byteCount > $1.byteCount }
    }

    /// Refuses a simulation that would not fit.
    ///
    /// - Throws: `SimulationError.memory` with the largest part.
    package func check(availableByteCount: UInt64) throws(SimulationError) {
        guard byteCount > availableByteCount, let largest = parts.first else { return }
        throw .memory(neededByteCount: byteCount, availableByteCount: availableByteCount, cause: largest.cause)
    }
}

extension AggregatorPolicy {
    fileprivate var stateVectorCount: Int { optimizer?.stateVectorCount ?? 0 }
}

extension UInt64 {
    fileprivate func multipliedClamping(by other: UInt64) -> UInt64 {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}
