// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

/// Events in order of their moment, and of scheduling where moments are equal: a 4-ary heap of small keys.
///
/// Push and pop cost O(log count); events themselves are not moved by the heap.
struct EventQueue<Event> {
    private struct Key {
        var moment: Moment
        var serial: UInt64
        var slot: Int

        func precedes(_ other: Key) -> Bool {
            moment == other.moment ? serial < other.serial : moment < other.moment
        }
    }

    private var heap: ContiguousArray<Key> = []
    private var slots: ContiguousArray<Event?> = []
    private var free: ContiguousArray<Int> = []
    private var serial: UInt64 = 0

    /// The number of events that wait.
    var count: Int { heap.count }

    /// Schedules an event.
    mutating func push(_ event: Event, at moment: Moment) {
        let slot: Int
        if let reused = free.popLast() {
            slot = reused
            slots[slot] = event
        } else {
            slot = slots.count
            slots.append(event)
        }
        serial += 1
        rise(Key(moment: moment, serial: serial, slot: slot))
    }

    /// Takes the first event out; `nil` when none waits.
    mutating func pop() -> (moment: Moment, event: Event)? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        if !heap.isEmpty { sink(last) }
        free.append(first.slot)
        guard let event = slots[first.slot].take() else { preconditionFailure("a key points to an event") }
        return (first.moment, event)
    }

    /// Moves a hole up from a new leaf to the key's place.
    private mutating func rise(_ key: Key) {
        heap.append(key)
        var hole = heap.count - 1
        while hole > 0 {
            let parent = (hole - 1) / 4
            guard key.precedes(heap[parent]) else { break }
            heap[hole] = heap[parent]
            hole = parent
        }
        heap[hole] = key
    }

    /// Moves a hole down from the top to the key's place.
    private mutating func sink(_ key: Key) {
        var hole = 0
        while true {
            let first = 4 * hole + 1
            guard first < heap.count else { break }
            var least = first
            var child = first + 1
            while child < min(first + 4, heap.count) {
                if heap[child].precedes(heap[least]) { least = child }
                child += 1
            }
            guard heap[least].precedes(key) else { break }
            heap[hole] = heap[least]
            hole = least
        }
        heap[hole] = key
    }
}
