// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// A CSV file with a header as a data set: a label column, perhaps a client column, every other column a feature.
///
/// Features keep their values: nothing is standardised, since a device knows only its own rows.
struct CSVDataset: Sendable {
    /// Rows whose numbers are read when the file is opened, so that a wrong column is found at once.
    private static let checkedRowCount = 1000

    /// Which column is what; `features` in the training file's order.
    private struct Columns {
        var count: Int
        var label: Int
        var client: Int?
        var features: [Int]
    }

    let path: String
    let labelName: String
    let clientName: String?
    let featureNames: [String]
    /// Distinct labels: by value when all are numbers, by their UTF-8 bytes otherwise.
    let classNames: [String]
    private let classNumbers: [[UInt8]: Int32]
    let labels: [Int32]
    let clients: [Int32]?
    let clientNames: [String]

    /// Reads labels and clients of all rows, and checks the numbers of the first rows.
    init(path: String, label: String, client: String?) throws(FilesError) {
        var reader = try CSVReader(path: path)
        let names = try Self.header(&reader)
        let columns = try Self.columns(reader, names: names, label: label, client: client, features: nil)
        var labels = DenseNumbers(), clients = DenseNumbers()
        while try reader.next() {
            try Self.checkCount(reader, columns)
            labels.append(reader.field(columns.label))
            if let client = columns.client { clients.append(reader.field(client)) }
            guard labels.names.count <= ArrayFile.classCountMax else {
                throw reader.refuse(
                    field: columns.label,
                    "label column '\(label)' has more than \(ArrayFile.classCountMax) distinct values; "
                        + "choose a column of classes")
            }
            guard labels.numbers.count <= ArrayHeader.rowCountMax else {
                throw reader.refuse(field: 0, "the file has more than \(ArrayHeader.rowCountMax) rows")
            }
            guard labels.numbers.count <= Self.checkedRowCount else { continue }
            for (number, column) in columns.features.enumerated() {
                _ = try Self.number(reader, column, name: names[columns.features[number]])
            }
        }
        guard !labels.numbers.isEmpty else {
            throw .malformed(path: path, at: "", problem: "has a header and no rows; there is nothing to train on")
        }
        self.path = path
        labelName = label
        clientName = client
        featureNames = columns.features.map { names[$0] }
        let order = try Self.sorted(labels.names, path: path, label: label)
        classNames = order.map { String(decoding: labels.names[$0], as: UTF8.self) }
        var ranks = [Int32](repeating: 0, count: order.count)
        for (rank, number) in order.enumerated() { ranks[number] = Int32(rank) }
        classNumbers = labels.known.mapValues { ranks[Int($0)] }
        self.labels = labels.numbers.map { ranks[Int($0)] }
        self.clients = client == nil ? nil : clients.numbers
        clientNames = clients.names.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Features of the rows asked for, in passing over the whole file.
    ///
    /// `rows`: ascending, each below the number of rows.
    func features(rows: [UInt32]) throws(FilesError) -> [Float] {
        var features: [Float] = []
        features.reserveCapacity(rows.count * featureNames.count)
        var reader = try CSVReader(path: path)
        let columns = try columns(of: &reader)
        var row: UInt32 = 0
        for wanted in rows {
            while row <= wanted {
                guard try reader.next() else {
                    throw .malformed(path: path, at: "", problem: "has fewer rows than before; it changed: start again")
                }
                try Self.checkCount(reader, columns)
                row += 1
            }
            for (number, column) in columns.features.enumerated() {
                features.append(try Self.number(reader, column, name: featureNames[number]))
            }
        }
        return features
    }

    /// Features and labels of another file with the same columns and classes.
    func testSet(path: String) throws(FilesError) -> (features: [Float], labels: [Int32]) {
        var reader = try CSVReader(path: path)
        let columns = try columns(of: &reader)
        var features: [Float] = []
        var labels: [Int32] = []
        while try reader.next() {
            try Self.checkCount(reader, columns)
            guard let label = classNumbers[Array(reader.field(columns.label))] else {
                let text = String(decoding: reader.field(columns.label).prefix(32), as: UTF8.self)
                throw reader.refuse(
                    field: columns.label,
                    "label '\(text)' does not occur in \(self.path); train on it or remove the row")
            }
            labels.append(label)
            for (number, column) in columns.features.enumerated() {
                features.append(try Self.number(reader, column, name: featureNames[number]))
            }
        }
        guard !labels.isEmpty else {
            throw .malformed(path: path, at: "", problem: "has a header and no rows; there is nothing to evaluate")
        }
        return (features, labels)
    }

    private func columns(of reader: inout CSVReader) throws(FilesError) -> Columns {
        let names = try Self.header(&reader)
        return try Self.columns(reader, names: names, label: labelName, client: clientName, features: featureNames)
    }

    private static func header(_ reader: inout CSVReader) throws(FilesError) -> [String] {
        guard try reader.next() else {
            throw .malformed(path: reader.path, at: "", problem: "is empty; its first line names the columns")
        }
        var seen: Set<String> = []
        var names: [String] = []
        for number in reader.fields.indices {
            guard let name = String(validating: reader.field(number), as: UTF8.self) else {
                throw reader.refuse(field: number, "the column's name is not UTF-8; save the file as UTF-8")
            }
            guard seen.insert(name).inserted else {
                throw reader.refuse(field: number, "column '\(name)' appears twice; rename one")
            }
            names.append(name)
        }
        return names
    }

    /// Finds the columns; `features` are those of the training file, or `nil` to take all that remain.
    private static func columns(
        _ reader: CSVReader, names: [String], label: String, client: String?, features: [String]?
    ) throws(FilesError) -> Columns {
        func find(_ name: String, _ role: String) throws(FilesError) -> Int {
            if let column = names.firstIndex(of: name) { return column }
            let hint = names.prefix(12).joined(separator: ", ")
            throw .text(
                path: reader.path, line: reader.recordLine, column: 1,
                problem: "there is no \(role) column '\(name)'; the columns are \(hint)"
                    + (names.count > 12 ? ", ..." : ""))
        }
        let labelColumn = try find(label, "label")
        var clientColumn = client.flatMap { names.firstIndex(of: $0) }
        if let client, features == nil { clientColumn = try find(client, "client") }
        let rest = names.indices.filter { $0 != labelColumn && $0 != clientColumn }
        var columns = Columns(count: names.count, label: labelColumn, client: clientColumn, features: rest)
        guard let features else {
            guard !rest.isEmpty else { throw reader.refuse(field: 0, "there are no feature columns") }
            return columns
        }
        let positions = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        columns.features = []
        for name in features {
            if let position = positions[name] {
                columns.features.append(position)
            } else {
                columns.features.append(try find(name, "feature"))
            }
        }
        if let surplus = Set(rest).subtracting(columns.features).min() {
            throw reader.refuse(field: surplus, "column '\(names[surplus])' is not in the training file; remove it")
        }
        return columns
    }

    private static func checkCount(_ reader: CSVReader, _ columns: Columns) throws(FilesError) {
        guard reader.fields.count == columns.count else {
            throw reader.refuse(
                field: min(reader.fields.count, columns.count + 1) - 1,
                "the row has \(reader.fields.count) fields where the header has \(columns.count)")
        }
    }

    private static func number(_ reader: CSVReader, _ column: Int, name: String) throws(FilesError) -> Float {
        let field = reader.field(column)
        if let value = DecimalNumber.parse(field), Float(value).isFinite { return Float(value) }
        let text = String(decoding: field.prefix(32), as: UTF8.self)
        throw reader.refuse(
            field: column,
            text.isEmpty
                ? "column '\(name)' is empty; fill in the value or drop the row"
                : "column '\(name)': '\(text)' is not a number; encode the column as numbers or drop it")
    }

    /// The order of the classes: numeric when every label is a number.
    private static func sorted(
        _ names: [[UInt8]], path: String, label: String
    ) throws(FilesError) -> [Int] {
        for name in names where String(validating: name, as: UTF8.self) == nil || name.isEmpty {
            throw .malformed(
                path: path, at: "column '\(label)'", problem: "has a label that is empty or not UTF-8; correct the row")
        }
        let values = names.map { DecimalNumber.parse($0[...]) }
        let numbers = values.compactMap { $0 }
        return names.indices.sorted { left, right in
            if numbers.count == names.count, numbers[left] != numbers[right] { return numbers[left] < numbers[right] }
            return names[left].lexicographicallyPrecedes(names[right])
        }
    }
}

/// Texts numbered in order of first appearance.
private struct DenseNumbers {
    private(set) var known: [[UInt8]: Int32] = [:]
    private(set) var names: [[UInt8]] = []
    private(set) var numbers: [Int32] = []

    mutating func append(_ text: ArraySlice<UInt8>) {
        let name = Array(text)
        if let number = known[name] {
            numbers.append(number)
        } else {
            let number = Int32(names.count)
            known[name] = number
            names.append(name)
            numbers.append(number)
        }
    }
}
