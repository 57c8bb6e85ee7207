// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization
internal import TributaryCore
internal import TributaryFiles

/// The objects that the devices of one host hold: equal ones are one file, which goes when its last holder lets go.
///
/// Models are shared by all; deltas are equal when devices have equal examples, or have learnt nothing. It is safe to
/// use from several threads.
final class HeldObjects: Sendable {
    let store: ObjectStore
    private let holderCounts = Mutex<[Digest: Int]>([:])

    init(store: ObjectStore) { self.store = store }

    /// Holds an object that is here or about to come.
    func hold(_ digest: Digest) {
        holderCounts.withLock { $0[digest, default: 0] += 1 }
    }

    /// Makes values an object and holds it: in memory while there is room, or synced when it is too large for a log.
    ///
    /// - Throws: `FilesError` when it cannot be written.
    func put(_ vector: HeapVector) throws -> ObjectReference {
        while true {
            let isLarge = UInt64(vector.count * 4) > UpdateLog.inlineByteCountMax
            let object = isLarge ? try store.putDurably(vector) : try store.hold(vector)
            // Between the two lines the last holder of an equal object may have let go of it, and so of this one.
            let isHere = holderCounts.withLock { counts in
                guard store.contains(object.digest) else { return false }
                counts[object.digest, default: 0] += 1
                return true
            }
            if isHere { return object }
        }
    }

    /// Lets go of objects, once for each time that they were held.
    func release(_ digests: [Digest]) {
        holderCounts.withLock { counts in
            for digest in digests {
                let count = counts[digest, default: 1] - 1
                counts[digest] = count > 0 ? count : nil
                // What cannot be removed costs disk, not correctness; the store says so at the next start.
                if count <= 0 { try? store.remove(digest) }
            }
        }
    }
}
