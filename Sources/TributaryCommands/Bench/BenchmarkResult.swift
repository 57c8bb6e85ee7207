// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// One measured figure beside this machine's own limit, measured in the same run.
package struct BenchmarkResult: Sendable {
    /// The benchmark's name, as on the command line.
    package var name: String
    /// Our figure, in `unit`.
    package var value: Double
    /// The unit of `value` and `limit`, for example `B/s`.
    package var unit: String
    /// The fastest of the plain versions at the same sizes, in `unit`.
    package var limit: Double
    /// Further facts in the order in which they are shown.
    package var details: [(name: String, value: String)]

    package init(
        name: String, value: Double, unit: String, limit: Double, details: [(name: String, value: String)] = []
    ) {
        self.name = name
        self.value = value
        self.unit = unit
        self.limit = limit
        self.details = details
    }

    /// `value / limit`.
    package var ratio: Double { value / limit }
}
