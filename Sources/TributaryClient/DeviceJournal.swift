// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
import TributaryBus
import TributaryCore
import TributaryFiles
import TributaryProtocol

/// Makes what the devices of a process write down last, beside the loop that drives them.
///
/// Whatever has come while the disk was busy is written together: one wait for the disk serves all of it.
final class DeviceJournal: Sendable {
    /// What the journal tells the loop.
    enum Notice: Sendable {
        /// A record of a device is durable.
        case durable(Peer)
        /// The disk is full; it is tried again until there is room.
        case waits(FilesError)
        /// Nothing can be written any more: the process must end.
        case failed(FilesError)
    }

    /// How often a full disk is tried again.
    private static let fullDiskPause: UInt32 = 500_000

    private let queue: WorkQueue<UpdateLog, Notice>
    private let mailbox = Mutex<[(record: ClientRecord, peer: Peer?)]>([])
    private let isEnding = Atomic<Bool>(false)

    init(_ log: sending UpdateLog, waker: Waker) {
        queue = WorkQueue(label: "journal", state: log, waker: waker)
    }

    /// Writes a record; `peer` hears when it is durable.
    func write(_ record: ClientRecord, for peer: Peer?) {
        mailbox.withLock { $0.append((record, peer)) }
        queue.submit { [self] log, emit in
            let taken = mailbox.withLock { mailbox in
                defer { mailbox = [] }
                return mailbox
            }
            guard !taken.isEmpty else { return }
            write(taken.map(\.record), to: &log, emit) {
                for (_, peer) in taken { if let peer { emit(.durable(peer)) } }
            }
        }
    }

    private func write(
        _ records: [ClientRecord], to log: inout UpdateLog, _ emit: (Notice) -> Void, then done: () -> Void
    ) {
        var batch = UpdateLog.Batch(records: records)
        var hasSaidSo = false
        while true {
            do {
                try log.write(&batch)
                return done()
            } catch let error as FilesError where error.isOutOfSpace && !isEnding.load(ordering: .relaxed) {
                if !hasSaidSo { emit(.waits(error)) }
                hasSaidSo = true
                usleep(Self.fullDiskPause)
            } catch let error as FilesError {
                return emit(.failed(error))
            } catch {
                return emit(.failed(.request("\(error)")))
            }
        }
    }

    /// What became of the records since the last call, oldest first.
    func takeNotices() -> [Notice] { queue.takeOutcomes() }

    /// Waits until everything is written, or cannot be.
    func finish() {
        isEnding.store(true, ordering: .relaxed)
        queue.finish()
    }
}
