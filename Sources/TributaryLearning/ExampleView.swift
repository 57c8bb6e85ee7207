// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// Some rows of a data set, in an order: one client's shard without a copy of its features.
///
/// Rows and labels are checked once, when the view is made; a view shares its data set's storage.
package struct ExampleView: Sendable {
    package let dataset: Examples
    /// The rows; `nil` are all of the data set, in its order.
    private let chosen: ArraySlice<UInt32>?

    /// Views a whole data set.
    ///
    /// - Throws: `LearningError.examples` for a wrong number of feature values or a label out of range.
    package init(_ dataset: Examples) throws(LearningError) {
        try dataset.checkValues()
        self.dataset = dataset
        chosen = nil
    }

    /// Views the given rows, which may repeat; O(rows).
    ///
    /// - Throws: `LearningError.examples` for a row beyond the data set or a label out of range.
    package init(_ dataset: Examples, rows: ArraySlice<UInt32>) throws(LearningError) {
        try dataset.checkExtent()
        for row in rows {
            guard Int(row) < dataset.count else {
                throw .examples("row \(row) lies beyond the data set's \(dataset.count) rows")
            }
            try dataset.checkLabel(Int(row))
        }
        self.dataset = dataset
        chosen = rows
    }

    package init(_ dataset: Examples, rows: [UInt32]) throws(LearningError) {
        try self.init(dataset, rows: rows[...])
    }

    /// The number of examples.
    package var count: Int { chosen?.count ?? dataset.count }

    /// Replaces an array's contents by the rows' numbers in the data set, keeping its storage.
    func copyRows(into rows: inout [UInt32]) {
        rows.removeAll(keepingCapacity: true)
        if let chosen {
            rows.append(contentsOf: chosen)
        } else {
            rows.append(contentsOf: 0..<UInt32(dataset.count))
        }
    }
}

extension Examples {
    /// - Throws: `LearningError.examples` when features and labels disagree in number, or a label is out of range.
    func checkValues() throws(LearningError) {
        try checkExtent()
        for row in labels.indices { try checkLabel(row) }
    }

    /// - Throws: `LearningError.examples` when features and labels disagree in number.
    func checkExtent() throws(LearningError) {
        let (valueCount, overflow) = featureCount.multipliedReportingOverflow(by: count)
        guard !overflow, features.count == valueCount, count <= Int(UInt32.max) else {
            throw .examples(
                "\(count) examples hold \(features.count) feature values; each must hold \(featureCount)")
        }
    }

    /// - Throws: `LearningError.examples` when a row's label is no class.
    func checkLabel(_ row: Int) throws(LearningError) {
        guard labels[row] >= 0, Int(labels[row]) < classCount else {
            throw .examples("example \(row) has label \(labels[row]); labels must lie in 0..<\(classCount)")
        }
    }
}
