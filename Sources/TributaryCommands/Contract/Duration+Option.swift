// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

extension Duration {
    /// A whole number and its unit as an option's value: `500ms`, `30s`, `5m`, `24h` or `7d`; `nil` for anything else.
    init?(option text: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let units = ["ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
        guard let number = Int64(digits), let unit = units[String(text.dropFirst(digits.count))] else { return nil }
        let (milliseconds, isTooLong) = number.multipliedReportingOverflow(by: Int64(unit))
        guard !isTooLong, milliseconds < Int64.max / 1_000_000 else { return nil }
        self = .milliseconds(milliseconds)
    }
}
