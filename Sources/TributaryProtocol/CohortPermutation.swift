// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// A pseudo-random permutation of a set of any size: an alternating Feistel network over the smallest power of two that
// holds the set, with Philox as its round function, repeated until the value falls into the set ("cycle walking").
// Black and Rogaway, "Ciphers with Arbitrary Finite Domains", CT-RSA 2002, https://doi.org/10.1007/3-540-45760-7_9.

package import TributaryCore
import TributaryTopology

/// An order of the clients of a set that looks random and that any node can work out one place at a time.
package struct CohortPermutation: Sendable {
    /// The size of the domain.
    package let count: UInt64
    private let ranges: [Range<UInt64>]
    /// The place of each range's first client in the ascending order of the domain.
    private let starts: [UInt64]
    private let key: (seed: UInt64, round: UInt64)
    /// Bits of the upper and the lower half; together they count to less than twice the domain.
    private let bits: (upper: UInt64, lower: UInt64)

    /// Steps of the network: eight, and more where a half has so few bits that a step mixes little.
    private let depth: UInt64

    init(of domain: ClientSet, round: UInt32, seed: UInt64) {
        ranges = domain.ranges
        var starts: [UInt64] = []
        var count: UInt64 = 0
        for range in ranges {
            starts.append(count)
            count += range.upperBound - range.lowerBound
        }
        self.starts = starts
        self.count = count
        key = (seed, UInt64(round) << 32)
        let width = count > 1 ? UInt64(64 - (count - 1).leadingZeroBitCount) : 0
        bits = (width / 2, width - width / 2)
        depth = max(8, 48 / max(1, width / 2))
    }

    /// The client at a place of the order, in `0..<count`; O(log ranges).
    package subscript(place: UInt64) -> ClientIndex {
        precondition(place < count)
        var value = place
        repeat { value = mixed(value) } while value >= count
        let range = lastRange(where: { starts[$0] <= value })
        return ClientIndex(ranges[range].lowerBound + (value - starts[range]))
    }

    /// The place of a client in the order; `nil` for one outside the domain.
    package func place(of client: ClientIndex) -> UInt64? {
        guard let first = ranges.first, first.lowerBound <= client.value else { return nil }
        let range = lastRange(where: { ranges[$0].lowerBound <= client.value })
        guard ranges[range].contains(client.value) else { return nil }
        var value = starts[range] + (client.value - ranges[range].lowerBound)
        repeat { value = unmixed(value) } while value >= count
        return value
    }

    /// The first `wanted` clients of the order that can be reached, ascending; fewer when there are not so many.
    ///
    /// O(wanted x domain / reachable): ask for fewer than can be reached, else the walk visits the whole domain.
    package func walk(_ wanted: Int, isReachable: (ClientIndex) -> Bool) -> [ClientIndex] {
        var found: [ClientIndex] = []
        var place: UInt64 = 0
        while found.count < wanted, place < count {
            let client = self[place]
            if isReachable(client) { found.append(client) }
            place += 1
        }
        return found.sorted()
    }

    /// What `walk` finds when just `candidates` can be reached, at a cost of O(candidates x log candidates).
    package func first(_ wanted: Int, of candidates: some Sequence<ClientIndex>) -> [ClientIndex] {
        let placed = candidates.compactMap { client in place(of: client).map { (place: $0, client: client) } }
        return placed.sorted { $0.place < $1.place }.prefix(wanted).map(\.client).sorted()
    }

    // MARK: The network

    private func mixed(_ value: UInt64) -> UInt64 {
        var (upper, lower) = halves(value)
        for step in 0..<depth { apply(step, &upper, &lower) }
        return upper << bits.lower | lower
    }

    private func unmixed(_ value: UInt64) -> UInt64 {
        var (upper, lower) = halves(value)
        for step in (0..<depth).reversed() { apply(step, &upper, &lower) }
        return upper << bits.lower | lower
    }

    private func halves(_ value: UInt64) -> (UInt64, UInt64) {
        (value >> bits.lower, value & (1 << bits.lower - 1))
    }

    /// One step changes one half by a function of the other, so that doing it again undoes it.
    private func apply(_ step: UInt64, _ upper: inout UInt64, _ lower: inout UInt64) {
        if step.isMultiple(of: 2) {
            lower ^= keyed(upper, step) & (1 << bits.lower - 1)
        } else {
            upper ^= keyed(lower, step) & (1 << bits.upper - 1)
        }
    }

    /// The second word sets these apart from the draws of `CounterRandom`, where it is 0.
    private func keyed(_ half: UInt64, _ step: UInt64) -> UInt64 {
        Philox.block(counter: (half, step + 1, key.round, count), key: (key.seed, RandomPurpose.cohort.rawValue)).0
    }

    private func lastRange(where holds: (Int) -> Bool) -> Int {
        var low = 0
        var high = ranges.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if holds(middle) { low = middle } else { high = middle }
        }
        return low
    }
}
