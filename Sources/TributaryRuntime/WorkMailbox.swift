// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TributaryCore
import TributaryProtocol

/// Work that waits for the queue: what piles up while it is busy is taken at once, so that folds come in batches.
final class WorkMailbox: Sendable {
    private let waiting = Mutex<[(run: RunID, works: [RoundWork])]>([])

    func put(_ run: RunID, _ work: RoundWork) {
        waiting.withLock { waiting in
            if waiting.last?.run == run {
                waiting[waiting.count - 1].works.append(work)
            } else {
                waiting.append((run, [work]))
            }
        }
    }

    func takeAll() -> [(run: RunID, works: [RoundWork])] {
        waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
    }
}
