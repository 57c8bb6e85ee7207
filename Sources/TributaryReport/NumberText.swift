// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// Numbers as people read them, the same in every language.
package enum NumberText {
    /// So many decimals; a dash for what is no number or too large for them.
    package static func fixed(_ value: Double?, _ decimals: Int) -> String {
        guard let value, value.isFinite, abs(value) < 1e12 else { return "-" }
        let scale = Scale.power(of: 10, decimals)
        let scaled = Int64((abs(value) * scale).rounded())
        let whole = scaled / Int64(scale)
        let part = String(scaled % Int64(scale))
        let fraction = decimals == 0 ? "" : "." + String(repeating: "0", count: decimals - part.count) + part
        return "\(value < 0 && scaled != 0 ? "-" : "")\(whole)\(fraction)"
    }

    /// About three digits: `0.0123`, `1.23`, `123`, `12.3 k`, `4.5e-07`.
    package static func short(_ value: Double?) -> String {
        guard let value, value.isFinite else { return "-" }
        let size = abs(value)
        if size == 0 { return "0" }
        if size >= 999.5 { return scaled(value, ["", " k", " M", " G", " T", " P", " E"]) }
        if size < 1e-4 { return exponential(value) }
        var decimals = 2
        var limit = 1.0
        while size < limit { (limit, decimals) = (limit / 10, decimals + 1) }
        return trimmed(fixed(value, size >= 100 ? 0 : size >= 10 ? 1 : decimals))
    }

    /// A share in 0...1 as per cent with so many decimals.
    package static func percent(_ share: Double?, _ decimals: Int = 1) -> String {
        guard let share, share.isFinite else { return "-" }
        return "\(fixed(share * 100, decimals)) %"
    }

    /// An amount of bytes with decimal units.
    package static func bytes(_ count: Double?) -> String {
        guard let count, count.isFinite else { return "-" }
        return scaled(count, [" B", " kB", " MB", " GB", " TB", " PB", " EB"])
    }

    /// An amount of bytes with decimal units.
    package static func bytes(_ count: UInt64) -> String { bytes(Double(count)) }

    /// An amount of energy.
    package static func joules(_ value: Double?) -> String {
        guard let value, value.isFinite else { return "-" }
        if value != 0, abs(value) < 0.9995 { return "\(short(value * 1000)) mJ" }
        return scaled(value, [" J", " kJ", " MJ", " GJ", " TJ"])
    }

    /// A time span: `250 ms`, `12.5 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`.
    package static func seconds(_ value: Double?) -> String {
        guard let value, value.isFinite, abs(value) < 1e12 else { return "-" }
        if value == 0 { return "0 s" }
        if abs(value) < 0.9995 { return "\(short(value * 1000)) ms" }
        if abs(value) < 59.95 { return "\(trimmed(fixed(value, 1))) s" }
        let whole = Int64(value.rounded())
        let parts: [(Int64, Int64, String, String)] = [
            (86_400, 3_600, "d", "h"), (3_600, 60, "h", "min"), (60, 1, "min", "s"),
        ]
        for (unit, next, name, nextName) in parts where whole >= unit {
            let rest = whole % unit / next
            return rest == 0 ? "\(whole / unit) \(name)" : "\(whole / unit) \(name) \(rest) \(nextName)"
        }
        return "\(whole) s"
    }

    /// A number of things, in thousands, with the noun in singular or with a plural s: `1 round`, `1,000 rounds`.
    package static func count(_ value: UInt64, of noun: String) -> String {
        "\(count(value)) \(noun)\(value == 1 ? "" : "s")"
    }

    /// A count with its thousands set apart: `1,000,000`.
    package static func count(_ value: UInt64) -> String {
        let digits = Array(String(value))
        var text = ""
        for (position, digit) in digits.enumerated() {
            if position > 0, (digits.count - position).isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return text
    }

    /// Seconds since 1970 in UTC: `2026-01-31 23:59 UTC`.
    ///
    /// Days to a civil date after H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2013,
    /// https://howardhinnant.github.io/date_algorithms.html.
    package static func date(_ seconds: UInt64) -> String {
        let days = Int64(clamping: seconds / 86_400) + 719_468
        let era = days / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shifted + 2) / 5 + 1
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let minutes = seconds % 86_400 / 60
        return
            "\(year)-\(padded(month))-\(padded(day)) \(padded(Int64(minutes / 60))):\(padded(Int64(minutes % 60))) UTC"
    }

    private static func padded(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }

    private static func scaled(_ value: Double, _ units: [String]) -> String {
        var rest = value
        var unit = 0
        while abs(rest) >= 999.5, unit < units.count - 1 { (rest, unit) = (rest / 1000, unit + 1) }
        let decimals = unit == 0 || abs(rest) >= 99.5 ? 0 : abs(rest) >= 9.95 ? 1 : 2
        return trimmed(fixed(rest, unit == 0 && rest != rest.rounded() ? 2 : decimals)) + units[unit]
    }

    private static func exponential(_ value: Double) -> String {
        var (digits, exponent) = (value, 0)
        while abs(digits) < 1, exponent > -320 { (digits, exponent) = (digits * 10, exponent - 1) }
        return "\(trimmed(fixed(digits, 1)))e\(exponent)"
    }

    private static func trimmed(_ text: String) -> String {
        guard text.contains(".") else { return text }
        var text = text
        while text.last == "0" { text.removeLast() }
        if text.last == "." { text.removeLast() }
        return text
    }
}
