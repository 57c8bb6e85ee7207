// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// The cut of rows into those to train on and those to evaluate on.
package enum HoldOut {
    /// Rows kept at the root, whatever the devices' cuts.
    package static let root = ClientIndex(.max)

    /// Keeps `fraction` of the rows, rounded down, chosen by seed and client; at least one row stays for training.
    ///
    /// Both parts keep the order of `rows`.
    ///
    /// - Throws: `LearningError.partition` when `fraction` is outside `0..<1`.
    package static func split(
        _ rows: [UInt32], fraction: Double, seed: UInt64, client: ClientIndex
    ) throws(LearningError) -> (train: [UInt32], holdOut: [UInt32]) {
        let kept = try count(of: rows.count, fraction: fraction)
        guard kept > 0 else { return (rows, []) }
        var random = CounterRandom(seed: seed, purpose: .holdout, client: client.value)
        var positions = Array(rows.indices)
        positions.shuffle(by: &random)
        var isHeldOut = [Bool](repeating: false, count: rows.count)
        for position in positions.prefix(kept) { isHeldOut[position] = true }
        return (
            rows.indices.filter { !isHeldOut[$0] }.map { rows[$0] },
            rows.indices.filter { isHeldOut[$0] }.map { rows[$0] }
        )
    }

    /// How many of so many rows are kept.
    ///
    /// - Throws: `LearningError.partition` when `fraction` is outside `0..<1`.
    static func count(of rowCount: Int, fraction: Double) throws(LearningError) -> Int {
        guard fraction >= 0, fraction < 1 else {
            throw .partition("the hold-out share is \(fraction); it must lie in 0..<1")
        }
        return min(Int(fraction * Double(rowCount)), max(rowCount - 1, 0))
    }
}
