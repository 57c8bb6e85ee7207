// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

/// Events in order of their moment, and of scheduling where moments are equal: a 4-ary heap of small keys.
///
/// Scheduling, taking and cancelling cost O(log count); events themselves are not moved by the heap.
struct EventQueue<Event> {
    /// A scheduled event that may be cancelled.
    struct Ticket {
        fileprivate let slot: Int
        fileprivate let serial: UInt64
    }

    fileprivate struct Key {
        var moment: Moment
        var serial: UInt64
        var slot: Int

        func precedes(_ other: Key) -> Bool {
            moment.nanoseconds == other.moment.nanoseconds
                ? serial < other.serial : moment.nanoseconds < other.moment.nanoseconds
        }
    }

    fileprivate struct Slot {
        var event: Event?
        /// Where its key is in the heap.
        var position: Int
    }

    private var heap: ContiguousArray<Key> = []
    private var slots: ContiguousArray<Slot> = []
    private var free: ContiguousArray<Int> = []
    private var serial: UInt64 = 0

    init() {}

    /// The number of events that wait.
    var count: Int { heap.count }

    /// Schedules an event.
    @discardableResult
    mutating func push(_ event: Event, at moment: Moment) -> Ticket {
        let slot: Int
        if let reused = free.popLast() {
            slot = reused
            slots[slot].event = event
        } else {
            slot = slots.count
            slots.append(Slot(event: event, position: 0))
        }
        serial += 1
        let key = Key(moment: moment, serial: serial, slot: slot)
        heap.append(key)
        rise(key, from: heap.count - 1)
        return Ticket(slot: slot, serial: serial)
    }

    /// Takes the first event out; `nil` when none waits.
    mutating func pop() -> (moment: Moment, event: Event)? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        if !heap.isEmpty { sink(last, from: 0) }
        free.append(first.slot)
        guard let event = slots[first.slot].event.take() else { preconditionFailure("a key points to an event") }
        return (first.moment, event)
    }

    /// Takes an event out before its time; one that has happened is no more there.
    mutating func cancel(_ ticket: Ticket) {
        let position = slots[ticket.slot].position
        guard slots[ticket.slot].event != nil, heap[position].serial == ticket.serial, let last = heap.popLast()
        else { return }
        slots[ticket.slot].event = nil
        free.append(ticket.slot)
        guard position < heap.count else { return }
        if position > 0, last.precedes(heap[(position - 1) / 4]) {
            rise(last, from: position)
        } else {
            sink(last, from: position)
        }
    }

    /// Moves a hole up to the key's place.
    private mutating func rise(_ key: Key, from start: Int) {
        var hole = start
        while hole > 0 {
            let parent = (hole - 1) / 4
            guard key.precedes(heap[parent]) else { break }
            place(heap[parent], at: hole)
            hole = parent
        }
        place(key, at: hole)
    }

    /// Moves a hole down to the key's place.
    private mutating func sink(_ key: Key, from start: Int) {
        var hole = start
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
            place(heap[least], at: hole)
            hole = least
        }
        place(key, at: hole)
    }

    private mutating func place(_ key: Key, at position: Int) {
        heap[position] = key
        slots[key.slot].position = position
    }
}

extension EventQueue: Sendable where Event: Sendable {}
extension EventQueue.Ticket: Sendable {}
extension EventQueue.Key: Sendable {}
extension EventQueue.Slot: Sendable where Event: Sendable {}
