// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
package import TributaryCore

/// A data set on disk: labels of all rows in memory, features only of the rows asked for.
///
/// Values: bytes (IDX and NumPy `u1`) become `x / 255`; every other number keeps its value, nothing is standardised.
/// Shapes: `[n, h, w]` becomes one channel, `[n, c, h, w]` and `[n, f]` stay, other shapes are flattened.
/// Labels: whole numbers from 0 in IDX and NumPy arrays; any distinct texts in CSV, numbered in sorted order.
package struct DatasetFile: Sendable {
    /// Where Debian's dataset-fashion-mnist puts its files.
    package static let fashionMNISTDirectory = "/usr/share/datasets/fashion-mnist"
    /// Features handed out at a time: 16 GiB.
    private static let featuresByteCountMax: UInt64 = 16 << 30

    private enum Source: Sendable {
        case arrays(ArrayFile, test: (features: ArrayFile, labels: [Int32])?)
        case csv(CSVDataset, test: String?)
    }

    private let source: Source
    /// The extents of one example: `[features]` or `[channels, height, width]`.
    package let featureShape: [Int]
    package let classCount: Int
    /// The classes as the file names them, by class number; decimal numbers for IDX and NumPy arrays.
    package let classNames: [String]
    /// Class numbers of all rows in `0..<classCount`: `[exampleCount]`.
    package let labels: [Int32]
    /// Whose row it is, numbered in order of first appearance: `[exampleCount]`; `nil` without a client column.
    package let clients: [Int32]?
    /// The clients as the file names them, by number.
    package let clientNames: [String]

    /// The number of training rows.
    package var exampleCount: Int { labels.count }

    /// Opens the files of a source, reads all labels and checks every size; relative paths start at `directory`.
    ///
    /// - Throws: `FilesError.missing` for a file that is not there, `FilesError.malformed` or `FilesError.text` for
    ///   one that is not what it should be, `FilesError.request` for a source that has no file.
    package static func open(
        _ specification: DataSpecification, relativeTo directory: String
    ) throws(FilesError) -> DatasetFile {
        func locate(_ path: String) throws(FilesError) -> String {
            let path = Directory.resolve(path, in: directory)
            guard access(path, F_OK) == 0 else {
                throw .missing(
                    path: path, remedy: "correct the path in the topology; it is relative to the topology's directory")
            }
            return path
        }
        switch specification.source {
        case .fashionMNIST:
            return try openFashionMNIST(in: fashionMNISTDirectory)
        case .idx(let images, let labels, let testImages, let testLabels):
            var test: (String, String)?
            if let testImages, let testLabels { test = (try locate(testImages), try locate(testLabels)) }
            return try openIDX(try locate(images), try locate(labels), test: test)
        case .csv(let path, let label, let client, let test):
            var testPath: String?
            if let test { testPath = try locate(test) }
            return DatasetFile(try CSVDataset(path: try locate(path), label: label, client: client), test: testPath)
        case .npz(let path, let features, let labels, let test):
            var testArchive: ZipArchive?
            if let test { testArchive = try ZipArchive(path: try locate(test)) }
            return try openNPZ(try ZipArchive(path: try locate(path)), features, labels, test: testArchive)
        case .synthetic:
            throw .request("a synthetic data set has no file; it is generated")
        }
    }

    /// Reads the features of some rows.
    ///
    /// `rows`: ascending without repetition, each in `0..<exampleCount`.
    /// - Throws: `FilesError` for damaged data, values that are not finite numbers, or rows that do not exist.
    package func examples(rows: [UInt32]) throws(FilesError) -> Examples {
        guard zip(rows, rows.dropFirst()).allSatisfy({ $0 < $1 }), (rows.last.map(Int.init) ?? -1) < labels.count
        else {
            throw .request("rows must ascend and lie in 0..<\(labels.count); the data set changed or is another one")
        }
        try checkMemory(rowCount: rows.count)
        let features =
            switch source {
            case .arrays(let array, _): try array.features(rows: rows)
            case .csv(let dataset, _): try dataset.features(rows: rows)
            }
        return Examples(
            featureShape: featureShape, features: features, labels: rows.map { labels[Int($0)] },
            classCount: classCount)
    }

    /// Reads the whole test set; `nil` when the source has none.
    ///
    /// - Throws: `FilesError` for damaged data or values that are not finite numbers.
    package func testExamples() throws(FilesError) -> Examples? {
        switch source {
        case .arrays(_, let test):
            guard let test else { return nil }
            try checkMemory(rowCount: test.labels.count)
            let rows = (0..<UInt32(test.labels.count)).map { $0 }
            return Examples(
                featureShape: featureShape, features: try test.features.features(rows: rows), labels: test.labels,
                classCount: classCount)
        case .csv(let dataset, let path):
            guard let path else { return nil }
            let test = try dataset.testSet(path: path)
            return Examples(
                featureShape: featureShape, features: test.features, labels: test.labels, classCount: classCount)
        }
    }

    private func checkMemory(rowCount: Int) throws(FilesError) {
        let byteCount = featureShape.reduce(UInt64(rowCount) * 4) { $0 * UInt64($1) }
        guard byteCount <= Self.featuresByteCountMax else {
            throw .tooLarge(what: "the chosen examples", actual: byteCount, limit: Self.featuresByteCountMax)
        }
    }
}

// MARK: - Opening

extension DatasetFile {
    /// Opens the four files of Fashion-MNIST in a directory.
    static func openFashionMNIST(in directory: String) throws(FilesError) -> DatasetFile {
        func locate(_ name: String) throws(FilesError) -> String {
            let path = "\(directory)/\(name)"
            guard access(path, F_OK) == 0 else {
                throw .missing(path: path, remedy: "run `make setup`, or `apt-get install dataset-fashion-mnist`")
            }
            return path
        }
        return try openIDX(
            try locate("train-images-idx3-ubyte.gz"), try locate("train-labels-idx1-ubyte.gz"),
            test: (try locate("t10k-images-idx3-ubyte.gz"), try locate("t10k-labels-idx1-ubyte.gz")))
    }

    private static func openIDX(
        _ images: String, _ labels: String, test: (images: String, labels: String)?
    ) throws(FilesError) -> DatasetFile {
        var testArrays: (ArrayFile, ArrayFile)?
        if let test { testArrays = (try IDXFile.open(test.images), try IDXFile.open(test.labels)) }
        return try DatasetFile(try IDXFile.open(images), try IDXFile.open(labels), test: testArrays)
    }

    private static func openNPZ(
        _ archive: ZipArchive, _ features: String, _ labels: String, test: ZipArchive?
    ) throws(FilesError) -> DatasetFile {
        var testArrays: (ArrayFile, ArrayFile)?
        if let test {
            testArrays = (try NPZFile.open(test, array: features), try NPZFile.open(test, array: labels))
        }
        return try DatasetFile(
            try NPZFile.open(archive, array: features), try NPZFile.open(archive, array: labels), test: testArrays)
    }

    private init(
        _ features: ArrayFile, _ labels: ArrayFile, test: (features: ArrayFile, labels: ArrayFile)?
    ) throws(FilesError) {
        try Self.checkCounts(features, labels)
        let trainLabels = try labels.labels()
        var testSet: (features: ArrayFile, labels: [Int32])?
        if let test {
            try Self.checkCounts(test.features, test.labels)
            guard test.features.header.featureShape == features.header.featureShape else {
                throw .malformed(
                    path: test.features.place, at: "header",
                    problem: "has examples of shape \(test.features.header.featureShape) where "
                        + "\(features.place) has \(features.header.featureShape)")
            }
            testSet = (test.features, try test.labels.labels())
        }
        let largest = max(trainLabels.max() ?? 0, testSet?.labels.max() ?? 0)
        source = .arrays(features, test: testSet)
        featureShape = features.header.featureShape
        classCount = Int(largest) + 1
        classNames = (0...largest).map { String($0) }
        self.labels = trainLabels
        clients = nil
        clientNames = []
    }

    private init(_ dataset: CSVDataset, test: String?) {
        source = .csv(dataset, test: test)
        featureShape = [dataset.featureNames.count]
        classCount = dataset.classNames.count
        classNames = dataset.classNames
        labels = dataset.labels
        clients = dataset.clients
        clientNames = dataset.clientNames
    }

    private static func checkCounts(_ features: ArrayFile, _ labels: ArrayFile) throws(FilesError) {
        guard features.header.rowCount == labels.header.rowCount else {
            throw .malformed(
                path: labels.place, at: "header",
                problem: "has \(labels.header.rowCount) labels where \(features.place) has "
                    + "\(features.header.rowCount) examples; give the pair that belongs together")
        }
    }
}
