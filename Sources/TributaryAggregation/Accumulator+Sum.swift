// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
internal import TributaryRing

extension Accumulator {
    /// Checks all of a partial sum but its values: shape, sizes, total weights and metrics.
    ///
    /// A group's total weight must fit the contributors: each weighs between 1 and `weightMax`, or 1 under `count`.
    ///
    /// - Throws: the first thing that is wrong. A sum that passes may still be refused for the totals.
    package func check(
        sum entries: [Sum.Group], contributorCount: UInt64, metrics: [MetricCounter], bodyByteCount: UInt64
    ) throws(AggregationError) {
        guard entries.count == groups.count else {
            throw .groupCount(expected: groups.count, actual: entries.count)
        }
        guard contributorCount <= Limits.cohortMax else { throw .contributorCount(maximum: Limits.cohortMax) }
        var byteCount: UInt64 = 0
        for (entry, group) in zip(entries, groups) {
            try check(entry, of: group, contributorCount: contributorCount)
            // Each size is at most that of 2^30 packed values, and there are few groups.
            byteCount += entry.byteCount
        }
        guard bodyByteCount == byteCount else { throw .size(group: nil, expected: byteCount, actual: bodyByteCount) }
        try MetricTotals.check(metrics)
    }

    /// Adds a partial sum: its groups' packed values one after another in `body`.
    ///
    /// - Throws: when anything is wrong or out of bounds; nothing changes.
    package mutating func addSum(
        groups entries: [Sum.Group], contributorCount: UInt64, metrics: [MetricCounter], body: UnsafeRawBufferPointer
    ) throws(AggregationError) {
        try check(
            sum: entries, contributorCount: contributorCount, metrics: metrics, bodyByteCount: UInt64(body.count))
        var next = totals
        try next.add(
            contributorCount: contributorCount, weights: entries.map(\.totalWeight), metrics: metrics, groups: groups)
        try combine(entries, contributorCount: contributorCount, body: body, direction: .add)
        totals = next
    }

    /// Takes out a partial sum that was added, or that is part of what was added.
    ///
    /// - Throws: when it cannot be part of the sum; nothing changes.
    package mutating func subtractSum(
        groups entries: [Sum.Group], contributorCount: UInt64, metrics: [MetricCounter], body: UnsafeRawBufferPointer
    ) throws(AggregationError) {
        try check(
            sum: entries, contributorCount: contributorCount, metrics: metrics, bodyByteCount: UInt64(body.count))
        var next = totals
        try next.takeOut(
            contributorCount: contributorCount, weights: entries.map(\.totalWeight), metrics: metrics)
        try combine(entries, contributorCount: contributorCount, body: body, direction: .takeOut)
        totals = next
    }

    /// Writes the groups' packed values one after another, in pieces of at most `RingPacking.pieceByteCountMax` bytes.
    ///
    /// - Returns: the entries that go with the body.
    /// - Throws: what `sink` throws.
    package func encodeSum<Failure: Error>(
        to sink: (RawSpan) throws(Failure) -> Void
    ) throws(Failure) -> [Sum.Group] {
        var entries: [Sum.Group] = []
        for (range, weight) in zip(ranges, totals.weights) {
            let byteCount = try vector.withValues(in: range) { (values) throws(Failure) in
                try RingPacking.pack(values, to: sink)
            }
            entries.append(Sum.Group(totalWeight: weight, byteCount: UInt64(byteCount)))
        }
        return entries
    }

    /// The bytes that `encodeSum` would write; reads all sums.
    package func sumByteCount() -> Int {
        var total = 0
        for range in ranges { total += vector.withValues(in: range, RingPacking.byteCount(of:)) }
        return total
    }

    /// Checks one group's entry of a partial sum.
    private func check(
        _ entry: Sum.Group, of group: GroupPlan, contributorCount: UInt64
    ) throws(AggregationError) {
        let maximum = RingPacking.byteCountMax(count: group.parameterCount) ?? .max
        guard entry.byteCount <= maximum else {
            throw .size(group: group.name, expected: maximum, actual: entry.byteCount)
        }
        let weightTotalMax = group.ring.weightTotalMax
        let fits =
            switch group.normaliser {
            case .count:
                entry.totalWeight == contributorCount
            case .weight:
                entry.totalWeight >= contributorCount
                    && entry.totalWeight <= contributorCount.multipliedClamping(by: group.ring.weightMax)
            }
        guard fits, entry.totalWeight <= weightTotalMax else {
            throw .totalWeight(group: group.name, maximum: weightTotalMax)
        }
    }

    /// Adds or takes out packed values group by group; an error undoes the groups before it.
    private mutating func combine(
        _ entries: [Sum.Group], contributorCount: UInt64, body: UnsafeRawBufferPointer,
        direction: RingVector.Direction
    ) throws(AggregationError) {
        var offset = 0
        for (position, entry) in entries.enumerated() {
            let end = offset + Int(entry.byteCount)
            let bytes = UnsafeRawBufferPointer(rebasing: body[offset..<end])
            let maximum = groups[position].magnitudeMax(
                totalWeight: entry.totalWeight, contributorCount: contributorCount)
            do throws(RingError) {
                try vector.combine(
                    packed: bytes, in: ranges[position], magnitudeMax: maximum, direction: direction)
            } catch {
                let undo: RingVector.Direction = direction == .add ? .takeOut : .add
                for earlier in (0..<position).reversed() {
                    let start = offset - Int(entries[earlier].byteCount)
                    let bytes = UnsafeRawBufferPointer(rebasing: body[start..<offset])
                    // These bytes have just been read without an error.
                    try? vector.combine(
                        packed: bytes, in: ranges[earlier], magnitudeMax: .max >> 1, direction: undo)
                    offset = start
                }
                throw AggregationError(error, group: groups[position].name)
            }
            offset = end
        }
    }
}

extension GroupPlan {
    /// The largest magnitude of an honest sum: `totalWeight * deltaBound * 2^exponent`, each product rounded once.
    fileprivate func magnitudeMax(totalWeight: UInt64, contributorCount: UInt64) -> UInt64 {
        let exact = Double(totalWeight) * Double(ring.deltaBound) * ring.scale
        // Below 2^62 by the choice of the exponent. The second factor covers the rounding of this product, and half a
        // unit a contributor covers theirs.
        let bound = UInt64((exact * (1 + 0x1p-50)).rounded(.up))
        return bound + contributorCount
    }
}

extension UInt64 {
    fileprivate func multipliedClamping(by other: UInt64) -> UInt64 {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}
