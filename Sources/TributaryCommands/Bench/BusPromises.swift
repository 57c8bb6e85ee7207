// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TributaryBus
import TributaryClient
import TributaryCore
import TributaryFiles
import TributaryProtocol
import TributaryRuntime

/// A node's journal in a benchmark round: updates are on the disk before their receipts leave, as in a node.
final class BusPromises {
    private let queue: WorkQueue<Journal, (UpdateKey, Peer)>
    /// What came while a batch was written makes the next one.
    private let waiting = Waiting()

    private final class Waiting: Sendable {
        let updates = Mutex<[(update: Update, peer: Peer)]>([])
    }

    private static let run = RunID("bench")

    /// Makes a journal that knows the round of `plan`.
    init(_ store: ObjectStore, _ plan: RoundPlan, directory: String, waker: Waker) throws {
        let journal = try Journal(directory: "\(directory)/journal", store: store)
        let node = NodeName("bench")
        try journal.claim(node: node, digest: Digest(words: 0, 0, 0, 0), startsRuns: true)
        let opening = JournalRecord.Opening(plan: plan, aggregators: [], clientCount: 1)
        try journal.append([.init(.opened(opening))], of: Self.run)
        queue = WorkQueue(label: "journal", state: journal, waker: waker)
    }

    /// Has an update written down.
    func keep(_ update: Update, of peer: Peer) {
        waiting.updates.withLock { $0.append((update, peer)) }
        queue.submit { [waiting] journal, emit in
            let batch = waiting.updates.withLock { updates in
                defer { updates = [] }
                return updates
            }
            guard !batch.isEmpty else { return }
            // What fails here is missed as a receipt.
            guard (try? journal.append(batch.map { .init(.updateAccepted($0.update)) }, of: Self.run)) != nil else {
                return
            }
            for entry in batch { emit((entry.update.key, entry.peer)) }
        }
    }

    /// The updates that were written down since the last call.
    func takeKept() -> [(UpdateKey, Peer)] { queue.takeOutcomes() }

    /// Waits for what is being written.
    func finish() { queue.finish() }
}
