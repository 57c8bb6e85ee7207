// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CTributaryKernels
package import TributaryCore
internal import TributaryRing

extension Accumulator {
    /// Steps the model: `next` and `state` from `base`, the present state and the mean of the sum.
    ///
    /// The mean of a group is its sum / (total weight * 2^exponent), in `Double`, taken here and nowhere below. A group
    /// without contributors stays as it is, and so does its state.
    ///
    /// - Parameters:
    ///   - optimizer: the rule of the step.
    ///   - base: the model that the deltas are relative to: `[parameterCount]`, groups in the plan's order.
    ///   - state: `optimizer.stateVectorCount` vectors of `[parameterCount]`, zero before the first step.
    ///   - next: takes the next model: `[parameterCount]`; may be the same memory as `base`.
    /// - Throws: `AggregationError.length`; `AggregationError.stepNotFinite`, before anything is written.
    package borrowing func step(
        _ optimizer: ServerOptimizer, base: UnsafeBufferPointer<Float>,
        state: [UnsafeMutableBufferPointer<Float>], next: UnsafeMutableBufferPointer<Float>
    ) throws(AggregationError) {
        try checkLengths(optimizer, base: base, state: state, next: next)
        let stepper = Stepper(rule: optimizer.rule, base: base, state: state, next: next)
        for position in groups.indices where totals.weights[position] > 0 {
            if let index = stepper.run(self, group: position, writes: false) {
                throw .stepNotFinite(group: groups[position].name, index: index)
            }
        }
        for (position, range) in ranges.enumerated() {
            if totals.weights[position] > 0 {
                _ = stepper.run(self, group: position, writes: true)
            } else {
                for index in range { next[index] = base[index] }
            }
        }
    }

    /// What a group's ring integers are divided by to give the mean; 0 without contributors.
    package func divisor(group: Int) -> Double {
        Double(totals.weights[group]) * groups[group].ring.scale
    }

    private func checkLengths(
        _ optimizer: ServerOptimizer, base: UnsafeBufferPointer<Float>,
        state: [UnsafeMutableBufferPointer<Float>], next: UnsafeMutableBufferPointer<Float>
    ) throws(AggregationError) {
        guard state.count == optimizer.stateVectorCount else {
            throw .length(what: "the optimizer's state", expected: optimizer.stateVectorCount, actual: state.count)
        }
        guard base.count == parameterCount else {
            throw .length(what: "the base model", expected: parameterCount, actual: base.count)
        }
        guard next.count == parameterCount else {
            throw .length(what: "the next model", expected: parameterCount, actual: next.count)
        }
        for vector in state where vector.count != parameterCount {
            throw .length(what: "a state vector", expected: parameterCount, actual: vector.count)
        }
    }
}

/// One step's buffers: walks a group block by block, so that the means stay in the cache.
private struct Stepper {
    private static let blockValueCount = 2048

    let rule: StepRule
    let base: UnsafeBufferPointer<Float>
    let state: [UnsafeMutableBufferPointer<Float>]
    let next: UnsafeMutableBufferPointer<Float>

    /// Computes a group's step, and writes it when asked; returns the position of the first value that is not finite.
    func run(_ sum: borrowing Accumulator, group: Int, writes: Bool) -> Int? {
        let range = sum.ranges[group]
        let divisor = sum.divisor(group: group)
        return sum.vector.withValues(in: range) { sums in
            withUnsafeTemporaryAllocation(of: Double.self, capacity: Self.blockValueCount) { means in
                guard let sums = sums.baseAddress, let start = means.baseAddress else { return nil }
                for offset in stride(from: 0, to: range.count, by: Self.blockValueCount) {
                    let width = min(Self.blockValueCount, range.count - offset)
                    tributary_ring_mean(sums + offset, width, divisor, start)
                    let block = UnsafeBufferPointer(start: start, count: width)
                    if let bad = stepBlock(block, at: range.lowerBound + offset, writes: writes) {
                        return offset + bad
                    }
                }
                return nil
            }
        }
    }

    private func stepBlock(_ means: UnsafeBufferPointer<Double>, at position: Int, writes: Bool) -> Int? {
        let first = state.first
        let second = state.dropFirst().first
        for index in means.indices {
            let at = position + index
            let now = StepValues(parameter: base[at], first: first?[at] ?? 0, second: second?[at] ?? 0)
            let values = rule.next(now, delta: means[index])
            guard values.isFinite else { return index }
            if writes {
                next[at] = values.parameter
                first?[at] = values.first
                second?[at] = values.second
            }
        }
        return nil
    }
}
