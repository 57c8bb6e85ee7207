// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A federation's data by seed: opened once for all devices of a process, and let go when each has taken its shard.
final class SeededData: Sendable {
    private struct Opened {
        let seed: UInt64
        let data: FederatedData
        /// How many devices have not asked for it yet.
        var takersLeft: Int
    }

    private let takerCount: Int
    private let open: @Sendable (_ seed: UInt64) throws -> FederatedData
    private let opened = Mutex<Opened?>(nil)

    /// `open` splits the data by a seed; `takerCount` devices will ask.
    init(takerCount: Int, open: @escaping @Sendable (_ seed: UInt64) throws -> FederatedData) {
        self.takerCount = takerCount
        self.open = open
    }

    /// The data as a seed splits them; a device asks once for each seed, others wait while they are opened.
    ///
    /// - Throws: `FilesError` or `LearningError` with what is wrong and what to do.
    func take(seed: UInt64) throws -> FederatedData {
        try opened.withLock { opened in
            var current: Opened
            if let opened, opened.seed == seed {
                current = opened
            } else {
                current = Opened(seed: seed, data: try open(seed), takersLeft: takerCount)
            }
            current.takersLeft -= 1
            opened = current.takersLeft > 0 ? current : nil
            return current.data
        }
    }
}
