// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
internal import TributaryRing

extension Accumulator {
    /// Checks all of an update but its values, which the fold checks: shape, encoding, sizes, weights and metrics.
    ///
    /// - Throws: the first thing that is wrong. An update that passes may still be refused for the totals.
    package func check(
        groups entries: [Update.Group], metrics: [MetricCounter], bodyByteCount: UInt64
    ) throws(AggregationError) {
        guard entries.count == groups.count else {
            throw .groupCount(expected: groups.count, actual: entries.count)
        }
        for (entry, group) in zip(entries, groups) {
            guard entry.encoding == group.encoding, entry.encoding == .float32 else {
                throw .encoding(group: group.name, expected: group.encoding, actual: entry.encoding)
            }
            guard (1...group.ring.weightMax).contains(entry.weight) else {
                throw .weight(group: group.name, actual: entry.weight, maximum: group.ring.weightMax)
            }
            // The plan's groups fit an object, so their sizes do not overflow.
            let byteCount = group.parameterCount * 4
            guard entry.byteCount == byteCount else {
                throw .size(group: group.name, expected: byteCount, actual: entry.byteCount)
            }
        }
        let byteCount = UInt64(parameterCount) * 4
        guard bodyByteCount == byteCount else { throw .size(group: nil, expected: byteCount, actual: bodyByteCount) }
        try MetricTotals.check(metrics)
    }

    /// Folds `1...batchCountMax` updates; larger batches read the sums less often.
    ///
    /// - Returns: for each update the error that kept it out, or `nil`; nothing of a refused update enters.
    package mutating func fold(_ batch: [Contribution]) -> [AggregationError?] {
        precondition((1...Self.batchCountMax).contains(batch.count))
        var outcomes = [AggregationError?](repeating: nil, count: batch.count)
        var pending: [Int] = []
        var planned = totals
        for (index, update) in batch.enumerated() {
            do throws(AggregationError) {
                try check(
                    groups: update.groups, metrics: update.metrics, bodyByteCount: UInt64(update.body.count))
            } catch {
                outcomes[index] = error
                continue
            }
            // Room is reckoned as if all that wait were fine; when it runs short, they are folded to know.
            if (try? planned.add(update, groups: groups)) == nil {
                foldChecked(batch, pending, &outcomes)
                pending = []
                planned = totals
                do throws(AggregationError) {
                    try planned.add(update, groups: groups)
                } catch {
                    outcomes[index] = error
                    continue
                }
            }
            pending.append(index)
        }
        foldChecked(batch, pending, &outcomes)
        return outcomes
    }

    /// Takes out an update that was folded: the same groups, metrics and body.
    ///
    /// - Throws: when it cannot have been folded; nothing changes.
    package mutating func takeOut(_ update: Contribution) throws(AggregationError) {
        try check(groups: update.groups, metrics: update.metrics, bodyByteCount: UInt64(update.body.count))
        var next = totals
        try next.takeOut(
            contributorCount: 1, weights: ringWeights(update, groups: groups), metrics: update.metrics)
        if let error = foldValues([update], direction: .takeOut)[0] { throw error }
        totals = next
    }

    /// Folds the updates at `indices`, whose headers have been checked, and books those that entered.
    private mutating func foldChecked(
        _ batch: [Contribution], _ indices: [Int], _ outcomes: inout [AggregationError?]
    ) {
        guard !indices.isEmpty else { return }
        let errors = foldValues(indices.map { batch[$0] }, direction: .add)
        for (index, error) in zip(indices, errors) {
            guard error == nil else {
                outcomes[index] = error
                continue
            }
            do throws(AggregationError) {
                try totals.add(batch[index], groups: groups)
            } catch {
                // Metrics of both signs can fit with an update that has turned out bad and not without it.
                takeOutValues(batch[index], groupCount: groups.count, direction: .add)
                outcomes[index] = error
            }
        }
    }

    /// Folds values group by group; an update with a bad value in one group leaves the groups before it again.
    private mutating func foldValues(
        _ updates: [Contribution], direction: RingVector.Direction
    ) -> [AggregationError?] {
        var errors = [AggregationError?](repeating: nil, count: updates.count)
        for (position, group) in groups.enumerated() {
            let live = updates.indices.filter { errors[$0] == nil }
            let inputs = live.map { foldInput(updates[$0], group: position) }
            let found = vector.fold(inputs, in: ranges[position], ring: group.ring, direction: direction)
            for (index, error) in zip(live, found) {
                guard let error else { continue }
                errors[index] = AggregationError(error, group: group.name)
                takeOutValues(updates[index], groupCount: position, direction: direction)
            }
        }
        return errors
    }

    /// Undoes the fold of an update's first groups, whose values are known to be fine.
    private mutating func takeOutValues(_ update: Contribution, groupCount: Int, direction: RingVector.Direction) {
        for position in 0..<groupCount {
            let input = foldInput(update, group: position)
            let errors = vector.fold(
                [input], in: ranges[position], ring: groups[position].ring,
                direction: direction == .add ? .takeOut : .add)
            precondition(errors[0] == nil, "the bytes of an update changed while it was folded")
        }
    }

    private func foldInput(_ update: Contribution, group position: Int) -> FoldInput {
        let range = ranges[position]
        let values = update.body[range.lowerBound * 4..<range.upperBound * 4]
        let weight = groups[position].normaliser == .count ? 1 : update.groups[position].weight
        return FoldInput(values: UnsafeRawBufferPointer(rebasing: values), weight: weight)
    }
}

/// What each group of an update adds to the total weight.
private func ringWeights(_ update: Contribution, groups: [GroupPlan]) -> [UInt64] {
    zip(update.groups, groups).map { entry, group in group.normaliser == .count ? 1 : entry.weight }
}

extension AccumulatorTotals {
    /// Adds one update whose header has been checked.
    fileprivate mutating func add(_ update: Contribution, groups: [GroupPlan]) throws(AggregationError) {
        try add(
            contributorCount: 1, weights: ringWeights(update, groups: groups), metrics: update.metrics, groups: groups)
    }
}
