// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// A set of client indices as sorted ranges: one range in an ordinary tree, a few more where devices were moved.
package struct ClientSet: Hashable, Sendable {
    /// The ranges, ascending, not empty, not touching.
    package private(set) var ranges: [Range<UInt64>]

    package init() { ranges = [] }

    package init(_ range: Range<UInt64>) { ranges = range.isEmpty ? [] : [range] }

    /// The union of ranges in any order.
    package init(union parts: some Sequence<Range<UInt64>>) {
        ranges = []
        for range in parts.filter({ !$0.isEmpty }).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = ranges.last, range.lowerBound <= last.upperBound {
                ranges[ranges.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                ranges.append(range)
            }
        }
    }

    /// The number of clients.
    package var count: UInt64 { ranges.reduce(0) { $0 + UInt64($1.count) } }

    package var isEmpty: Bool { ranges.isEmpty }

    /// Whether a client belongs to the set; O(log ranges).
    package func contains(_ client: ClientIndex) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound <= client.value { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].contains(client.value)
    }

    /// The clients in ascending order, without storing them.
    package var indices: some Sequence<ClientIndex> {
        ranges.lazy.flatMap { range in range.lazy.map { ClientIndex($0) } }
    }

    /// Takes ascending members out.
    package func removing(_ members: [UInt64]) -> ClientSet {
        var rest: [Range<UInt64>] = []
        var remaining = members[...]
        for range in ranges {
            var start = range.lowerBound
            while let member = remaining.first, member < range.upperBound {
                remaining = remaining.dropFirst()
                guard member >= start else { continue }
                if start < member { rest.append(start..<member) }
                start = member + 1
            }
            if start < range.upperBound { rest.append(start..<range.upperBound) }
        }
        return ClientSet(union: rest)
    }

    /// Puts members in.
    package func inserting(_ members: [UInt64]) -> ClientSet {
        ClientSet(union: ranges + members.map { $0..<($0 + 1) })
    }
}
