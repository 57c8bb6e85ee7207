// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// A plot's axis: how values lie along it, and where its ticks stand.
struct Scale: Hashable {
    var low: Double
    var high: Double
    var isLogarithmic = false
    var ticks: [Double]

    /// A scale whose ends are ticks, around all the finite values; it never goes beyond `bounds`.
    static func linear(
        _ values: some Sequence<Double>, startsAtZero: Bool = false, bounds: ClosedRange<Double>? = nil,
        tickCount: Int = 5
    ) -> Scale {
        var (low, high) = extent(of: values)
        if startsAtZero { (low, high) = (min(0, low), max(0, high)) }
        // Spans too small for a step of their own count as none.
        if high - low < 1e-290 { (low, high) = startsAtZero ? (0, 1) : around(low) }
        let step = niceStep((high - low) / Double(max(1, tickCount - 1)))
        var first = (low / step + 1e-9).rounded(.down)
        var last = (high / step - 1e-9).rounded(.up)
        if let bounds {
            first = max(first, (bounds.lowerBound / step).rounded(.up))
            last = min(last, (bounds.upperBound / step).rounded(.down))
        }
        let count = max(1, stepCount(last - first))
        let ticks = (0...count).map { (first + Double($0)) * step }
        return Scale(low: min(ticks[0], low), high: max(ticks[count], high), ticks: ticks)
    }

    /// A scale that runs exactly from the least to the greatest value; its ticks are round numbers between.
    static func tight(_ values: some Sequence<Double>, unit: AxisUnit) -> Scale {
        let (low, high) = extent(of: values)
        guard high - low >= 1e-290 else { return Scale(low: around(low).0, high: around(low).1, ticks: [low]) }
        let rough = (high - low) / 5
        let step =
            switch unit {
            case .count: max(1, niceStep((high - low) / 6).rounded())
            case .seconds: clockStep(rough)
            case .plain, .share, .bytes, .joules: niceStep(rough)
            }
        let first = (low / step - 1e-9).rounded(.up)
        let count = stepCount((high / step + 1e-9).rounded(.down) - first)
        return Scale(low: low, high: high, ticks: (0...count).map { (first + Double($0)) * step })
    }

    /// A scale of powers of ten around the positive values.
    static func logarithmic(_ values: some Sequence<Double>) -> Scale {
        let (low, high) = extent(of: values.filter { $0 > 0 })
        guard low > 0 else { return linear([0, 1]) }
        let first = Int((log10(low) + 1e-9).rounded(.down))
        let last = max(first + 1, Int((log10(high) - 1e-9).rounded(.up)))
        let step = max(1, (last - first + 5) / 6)
        let ticks = stride(from: first, through: last, by: step).map { power(of: 10, $0) }
        return Scale(low: power(of: 10, first), high: power(of: 10, last), isLogarithmic: true, ticks: ticks)
    }

    /// Where a value lies, from 0 at the low end to 1 at the high one; `nil` for what has no place.
    func position(_ value: Double) -> Double? {
        guard value.isFinite else { return nil }
        guard isLogarithmic else { return high > low ? min(max((value - low) / (high - low), 0), 1) : 0.5 }
        guard value > 0 else { return nil }
        let (bottom, top) = (Self.log10(low), Self.log10(high))
        return min(max((Self.log10(value) - bottom) / (top - bottom), 0), 1)
    }

    /// A span around a single value, wide enough to be one at any magnitude.
    private static func around(_ value: Double) -> (Double, Double) {
        let reach = max(0.5, abs(value) * 0.01)
        return (value - reach, value + reach)
    }

    private static func stepCount(_ count: Double) -> Int { count.isFinite ? Int(min(max(count, 0), 50)) : 0 }

    private static func extent(of values: some Sequence<Double>) -> (Double, Double) {
        // Far beyond what a plot can show, differences overflow.
        let finite = values.filter { $0.isFinite && abs($0) < 1e300 }
        guard let low = finite.min(), let high = finite.max() else { return (0, 1) }
        return (low, high)
    }

    /// The least of 1, 2 and 5 times a power of ten that is not below `rough`, which is positive.
    private static func niceStep(_ rough: Double) -> Double {
        let unit = power(of: 10, Int((log10(rough) + 1e-9).rounded(.down)))
        return [1, 2, 5, 10].map { $0 * unit }.first { $0 >= rough * (1 - 1e-9) } ?? 10 * unit
    }

    /// The least step that clocks know and that is not below `rough` seconds.
    private static func clockStep(_ rough: Double) -> Double {
        if rough < 10 { return niceStep(rough) }
        let steps = [15.0, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200]
        return steps.first { $0 >= rough } ?? niceStep(rough / 86_400).rounded(.up) * 86_400
    }

    /// The base to a whole power.
    static func power(of base: Double, _ exponent: Int) -> Double {
        var result = 1.0
        for _ in 0..<min(abs(exponent), 320) { result *= base }
        return exponent < 0 ? 1 / result : result
    }

    /// The decimal logarithm of a positive number, good to nine digits: enough for any screen.
    ///
    /// ln m = 2 artanh((m - 1) / (m + 1)) for the significand m in [1, 2), as a series.
    static func log10(_ value: Double) -> Double {
        let z = (value.significand - 1) / (value.significand + 1)
        var (term, sum) = (z, 0.0)
        for odd in stride(from: 1.0, through: 19, by: 2) {
            sum += term / odd
            term *= z * z
        }
        return (Double(value.exponent) * 0.693147180559945309 + 2 * sum) / 2.302585092994045684
    }
}
