// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TributaryCore
import TributaryLearning

/// A device's shard, ready to be trained on.
struct PreparedShard: Sendable {
    let training: ExampleView
    let holdOut: Examples?
    /// Bytes that keeping it costs.
    let byteCount: Int

    init(_ shard: Shard) throws {
        holdOut = shard.holdOut()
        var byteCount = (holdOut?.count ?? 0) * (holdOut?.featureCount ?? 0) * 4
        if shard.transformation.isIdentity {
            training = try ExampleView(shard.examples, rows: shard.rows)
            // A large data set is shared by all; a device's own examples are counted.
            let own = shard.examples.count <= 2 * (shard.rows.count + (shard.holdOutRows?.count ?? 0))
            byteCount += shard.rows.count * 4 + (own ? shard.examples.features.count * 4 : 0)
        } else {
            let examples = shard.training()
            training = try ExampleView(examples)
            byteCount += examples.features.count * 4
        }
        self.byteCount = byteCount
    }
}

/// Shards that were used before, up to a bound: small fleets keep all, large ones ever new ones.
final class ShardCache: Sendable {
    /// Bytes kept at most.
    static let byteCountMax = 512 << 20

    private struct State {
        var shards: [ClientIndex: PreparedShard] = [:]
        var byteCount = 0
    }

    private let isOpen: Bool
    private let state = Mutex(State())

    init(isOpen: Bool) { self.isOpen = isOpen }

    subscript(client: ClientIndex) -> PreparedShard? {
        isOpen ? state.withLock { $0.shards[client] } : nil
    }

    func keep(_ shard: PreparedShard, of client: ClientIndex) {
        guard isOpen, shard.byteCount <= Self.byteCountMax else { return }
        state.withLock { state in
            if state.byteCount + shard.byteCount > Self.byteCountMax { state = State() }
            if state.shards.updateValue(shard, forKey: client) == nil { state.byteCount += shard.byteCount }
        }
    }
}
