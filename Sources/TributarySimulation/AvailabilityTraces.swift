// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// Waking times from a trace: for each device the intervals in which it is awake.
package struct AvailabilityTraces: Sendable {
    /// Ascending, disjoint, in nanoseconds.
    private var intervals: [ClientIndex: [Range<Int64>]] = [:]

    package init() {}

    /// Adds an interval behind those that the device has.
    ///
    /// - Throws: `SimulationError.trace` when it is empty, or begins before the device's last one ends.
    package mutating func append(
        _ client: ClientIndex, from: Double, until: Double, line: Int
    ) throws(SimulationError) {
        let limit = Limits.durationMax.seconds
        guard from.isFinite, until.isFinite, from >= 0, until > from, until <= limit else {
            throw .trace(line: line, "'from' and 'to' are seconds in 0...\(Int(limit)), and 'to' lies behind 'from'")
        }
        let interval = Int64(from * 1e9)..<Int64(until * 1e9)
        if let last = intervals[client]?.last, interval.lowerBound < last.upperBound {
            throw .trace(line: line, "device \(client)'s intervals must ascend and not overlap")
        }
        intervals[client, default: []].append(interval)
    }

    /// Checks that every device of the fleet has an interval.
    ///
    /// - Throws: `SimulationError.trace` with the first device that has none.
    package func check(deviceCount: UInt64) throws(SimulationError) {
        if let stray = intervals.keys.max(), stray.value >= deviceCount {
            throw .trace(line: nil, "device \(stray) is not among the fleet's \(deviceCount); remove its rows")
        }
        guard UInt64(intervals.count) < deviceCount else { return }
        let missing = (0...UInt64(intervals.count)).first { intervals[ClientIndex($0)] == nil } ?? 0
        throw .trace(
            line: nil,
            "device \(missing) has no row (\(intervals.count) of \(deviceCount) devices have one); add its intervals, "
                + "or one that lies behind the run for a device that never wakes")
    }

    func isAwake(_ client: ClientIndex, at now: Moment) -> Bool {
        guard let own = intervals[client] else { return false }
        let position = Self.position(in: own, now.nanoseconds)
        return position < own.count && own[position].contains(now.nanoseconds)
    }

    func nextChange(_ client: ClientIndex, after now: Moment) -> Moment? {
        guard let own = intervals[client] else { return nil }
        let position = Self.position(in: own, now.nanoseconds)
        guard position < own.count else { return nil }
        let interval = own[position]
        let isInside = interval.contains(now.nanoseconds)
        return Moment(nanoseconds: isInside ? interval.upperBound : interval.lowerBound)
    }

    /// The first interval that ends behind a moment.
    private static func position(in intervals: [Range<Int64>], _ now: Int64) -> Int {
        var (low, high) = (0, intervals.count)
        while low < high {
            let middle = (low + high) / 2
            if intervals[middle].upperBound <= now { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
