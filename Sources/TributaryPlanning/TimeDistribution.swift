// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// The time until the last of n independent nodes has answered has the distribution function F(t)^n, so what matters is
// the far tail of one node's time: a distribution is kept as its survival function S = 1 - F, tabulated down to 1e-14,
// with points wherever S falls by more than a fiftieth or by a third of itself. Between points log S is linear.

/// The distribution of a time in seconds, as a table of its survival function.
struct TimeDistribution {
    /// Rising moments.
    private let times: [Double]
    /// The probability that the time exceeds each moment, not rising; before the first moment it is 1.
    private let above: [Double]

    /// Survival below this is taken for none.
    private static let negligible = 1e-14
    private static let stepMax = 0.02

    /// A time that is always the same.
    init(always time: Double) {
        times = [time]
        above = [0]
    }

    /// Tabulates a survival function that is 1 before `low` and negligible from `high` on.
    init(from low: Double, to high: Double, _ survival: (Double) -> Double) {
        var table = Table(low, survival(low))
        if high > low { table.refine(to: high, survival(high), survival) }
        times = table.times
        above = table.above
    }

    /// The points that a survival function needs.
    private struct Table {
        var times: [Double]
        var above: [Double]

        init(_ time: Double, _ survival: Double) {
            times = [time]
            above = [survival]
        }

        /// Adds points after the last one, up to `end`.
        mutating func refine(to end: Double, _ endSurvival: Double, _ survival: (Double) -> Double) {
            var open = [(time: end, survival: endSurvival)]
            var left = 20_000
            while let next = open.last {
                let (time, last) = (times[times.count - 1], above[above.count - 1])
                let tooFine = next.time - time <= 1e-9 * next.time
                if tooFine || left == 0 || Self.isSmooth(last, next.survival) {
                    open.removeLast()
                    times.append(next.time)
                    above.append(next.survival < TimeDistribution.negligible ? 0 : min(last, next.survival))
                    if last <= 0 { return }
                    continue
                }
                left -= 1
                let middle =
                    time > 0 && next.time > 4 * time
                    ? (time * next.time).squareRoot() : time + (next.time - time) / 2
                open.append((middle, survival(middle)))
            }
        }

        private static func isSmooth(_ above: Double, _ below: Double) -> Bool {
            guard above - below <= TimeDistribution.stepMax else { return false }
            return above <= TimeDistribution.negligible || below >= above * 0.74
        }
    }

    /// The last moment of the table.
    var end: Double { times[times.count - 1] }
    /// Before this the time never is.
    var start: Double { times[0] }

    /// The probability that the time exceeds `time`.
    func survival(_ time: Double) -> Double {
        guard time >= start else { return 1 }
        guard time < end else { return above[above.count - 1] }
        var (low, high) = (0, times.count - 1)
        while high - low > 1 {
            let middle = (low + high) / 2
            if times[middle] <= time { low = middle } else { high = middle }
        }
        let (from, to) = (above[low], above[high])
        let part = (time - times[low]) / (times[high] - times[low])
        if to > 0, to < from * 0.9 {
            return from * SpecialFunctions.exp(part * SpecialFunctions.log(to / from))
        }
        return from + part * (to - from)
    }

    /// The moment by which the time has passed with a probability, in (0, 1).
    func quantile(_ probability: Double) -> Double {
        let target = 1 - probability
        guard survival(start) > target else { return start }
        var (low, high) = (start, end)
        for _ in 0..<200 where high - low > 1e-12 * high {
            let middle = low + (high - low) / 2
            if survival(middle) > target { low = middle } else { high = middle }
        }
        return high
    }

    // MARK: Arithmetic

    /// The time and a constant.
    func adding(_ seconds: Double) -> TimeDistribution {
        TimeDistribution(times: times.map { $0 + seconds }, above: above)
    }

    private init(times: [Double], above: [Double]) {
        self.times = times
        self.above = above
    }

    /// The sum of this time and an independent one.
    func adding(_ other: TimeDistribution) -> TimeDistribution {
        if times.count == 1 { return other.adding(start) }
        if other.times.count == 1 { return adding(other.start) }
        let atoms = other.atoms
        return TimeDistribution(from: start + other.start, to: end + other.end) { time in
            atoms.reduce(0) { $0 + $1.weight * survival(time - $1.time) }
        }
    }

    /// The sum of `count` independent times like this one.
    func repeated(_ count: UInt32) -> TimeDistribution {
        var rest = count
        var power = self
        var sum: TimeDistribution?
        while rest > 0 {
            if rest & 1 == 1 { sum = sum.map { $0.adding(power) } ?? power }
            rest >>= 1
            if rest > 0 { power = power.adding(power) }
        }
        return sum ?? TimeDistribution(always: 0)
    }

    /// The later of independent times, each as often as its count says.
    static func latest(_ parts: [(time: TimeDistribution, count: Double)]) -> TimeDistribution {
        let parts = parts.filter { $0.count > 0 }
        guard let start = parts.map(\.time.start).max(), let end = parts.map(\.time.end).max() else {
            return TimeDistribution(always: 0)
        }
        if parts.allSatisfy({ $0.time.times.count == 1 }) { return TimeDistribution(always: end) }
        return TimeDistribution(from: start, to: end) { time in
            SpecialFunctions.oneMinusExp(
                parts.reduce(0) { $0 + $1.count * SpecialFunctions.logOnePlus(-$1.time.survival(time)) })
        }
    }

    /// One of several times, each with a share; shares sum to 1.
    static func mixture(_ parts: [(time: TimeDistribution, share: Double)]) -> TimeDistribution {
        guard parts.count != 1 else { return parts[0].time }
        guard let start = parts.map(\.time.start).min(), let end = parts.map(\.time.end).max() else {
            return TimeDistribution(always: 0)
        }
        return TimeDistribution(from: start, to: end) { time in
            parts.reduce(0) { $0 + $1.share * $1.time.survival(time) }
        }
    }

    /// Stretches of the table as moments with probabilities.
    private var atoms: [(time: Double, weight: Double)] {
        var atoms = [(time: start, weight: 1 - above[0])]
        for index in times.indices.dropFirst() {
            atoms.append(((times[index - 1] + times[index]) / 2, above[index - 1] - above[index]))
        }
        atoms.append((end, above[above.count - 1]))
        return atoms.filter { $0.weight > 0 }
    }
}
