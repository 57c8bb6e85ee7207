// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

/// The batches of a job: passes over the shard, each in a fresh order; the last batch of a pass may be smaller.
struct BatchSchedule {
    /// The shard's rows of its data set; one pass shuffles what the pass before left.
    private(set) var order: [UInt32] = []
    private var position = 0
    private var batch = 1
    private var random = CounterRandom(seed: 0, purpose: .shuffle)

    /// Begins a job anew, keeping the storage.
    mutating func restart(_ view: ExampleView, batch: Int, random: CounterRandom) {
        view.copyRows(into: &order)
        position = order.count
        self.batch = batch
        self.random = random
    }

    /// Where in `order` the rows of the next step lie.
    mutating func next() -> Range<Int> {
        if position == order.count {
            order.shuffle(by: &random)
            position = 0
        }
        let rows = position..<min(position + batch, order.count)
        position = rows.upperBound
        return rows
    }
}

extension Array {
    /// Fisher-Yates, spelled out: the standard library's shuffle may change between versions.
    mutating func shuffle(by random: inout CounterRandom) {
        for last in stride(from: count - 1, to: 0, by: -1) {
            swapAt(last, Int(random.next(below: UInt64(last) + 1)))
        }
    }
}
