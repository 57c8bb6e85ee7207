// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryTestSupport

@testable import TributarySimulation

@Suite struct EventQueueTests {
    @Test("events come in order of their moment, and of scheduling where moments are equal")
    func order() {
        var queue = EventQueue<Int>()
        for (event, moment) in [5, 3, 5, 1, 3, 3].enumerated() {
            queue.push(event, at: Moment(nanoseconds: Int64(moment)))
        }
        var taken: [Int] = []
        while let (_, event) = queue.pop() { taken.append(event) }
        #expect(taken == [3, 1, 4, 5, 0, 2])
        #expect(queue.count == 0)
    }

    @Test("a cancelled event never comes, and cancelling late or twice touches nobody else")
    func cancel() {
        var queue = EventQueue<String>()
        let first = queue.push("first", at: Moment(nanoseconds: 1))
        let second = queue.push("second", at: Moment(nanoseconds: 2))
        queue.cancel(second)
        queue.cancel(second)
        #expect(queue.pop()?.event == "first")
        // The slot of a past event is used again; its old ticket is worth nothing.
        queue.push("third", at: Moment(nanoseconds: 3))
        queue.cancel(first)
        queue.cancel(second)
        #expect(queue.pop()?.event == "third")
        #expect(queue.pop() == nil)
    }

    @Test("random operations do what a sorted list does", arguments: 0..<20 as Range<UInt64>)
    func model(_ seed: UInt64) {
        var random = Generator(seed: seed)
        var queue = EventQueue<UInt64>()
        var model: [(moment: Int64, serial: UInt64)] = []
        var tickets: [(serial: UInt64, ticket: EventQueue<UInt64>.Ticket)] = []
        var serial: UInt64 = 0
        for _ in 0..<3000 {
            switch random.integer(0...9) {
            case 0...4:
                let moment = Int64(random.integer(0...50))
                tickets.append((serial, queue.push(serial, at: Moment(nanoseconds: moment))))
                model.append((moment, serial))
                serial += 1
            case 5...7:
                let least = model.indices.min {
                    (model[$0].moment, model[$0].serial) < (model[$1].moment, model[$1].serial)
                }
                let expected = least.map { model.remove(at: $0) }
                let taken = queue.pop()
                #expect(taken?.event == expected?.serial && taken?.moment.nanoseconds == expected?.moment)
            default:
                guard !tickets.isEmpty else { continue }
                // Of old tickets too, whose events are gone.
                let (cancelled, ticket) = tickets[Int(random.integer(0...UInt64(tickets.count - 1)))]
                queue.cancel(ticket)
                model.removeAll { $0.serial == cancelled }
            }
            #expect(queue.count == model.count)
        }
    }
}
