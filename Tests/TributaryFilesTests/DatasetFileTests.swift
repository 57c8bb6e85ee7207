// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TributaryCore

@testable import TributaryFiles

/// The formula of make_fixtures.py: what NumPy wrote.
private enum Expected {
    static let rows = 9
    static let width = 6
    static let labels = (0..<rows).map { Int32($0 % 3) }

    static func values(_ rows: [UInt32], scale: Float = 1) -> [Float] {
        rows.flatMap { row in (0..<width).map { Float((7 * Int(row) + 3 * $0) % 11 - 5) / 4 * scale } }
    }

    static func bytes(_ rows: [UInt32]) -> [Float] {
        rows.flatMap { row in (0..<width).map { Float((7 * Int(row) + 3 * $0) % 256) / 255 } }
    }
}

private let subsets: [[UInt32]] = [[], [0], [8], [0, 1, 2, 3, 4, 5, 6, 7, 8], [1, 4, 5], [0, 8], [2, 3, 7]]

private func openDataset(_ source: DataSpecification.Source, in directory: String) throws -> DatasetFile {
    try DatasetFile.open(
        DataSpecification(source: source, partition: .iid, holdOut: 0), relativeTo: directory)
}

@Suite struct ArrayDatasetTests {
    @Test(arguments: ["images.idx", "images.idx.gz", "images-two-members.idx.gz"])
    func readsImages(name: String) throws {
        let dataset = try openDataset(
            .idx(images: name, labels: "labels.idx.gz", testImages: "images.idx", testLabels: "labels.idx"),
            in: Oracle.fixtures)
        #expect(dataset.exampleCount == 9)
        #expect(dataset.featureShape == [1, 2, 3])
        #expect(dataset.classCount == 3)
        #expect(dataset.classNames == ["0", "1", "2"])
        #expect(dataset.labels == Expected.labels)
        #expect(dataset.clients == nil)
        for rows in subsets {
            let examples = try dataset.examples(rows: rows)
            #expect(examples.features == Expected.bytes(rows))
            #expect(examples.labels == rows.map { Expected.labels[Int($0)] })
            #expect(examples.featureShape == [1, 2, 3])
            #expect(examples.classCount == 3)
        }
        let test = try #require(try dataset.testExamples())
        #expect(test.features == Expected.bytes((0..<9).map { $0 }))
        #expect(test.labels == Expected.labels)
    }

    @Test(arguments: [("values-f4.idx", Float(1)), ("values-f8.idx", 1), ("values-i2.idx", 4)])
    func readsOtherIDXTypes(name: String, scale: Float) throws {
        let dataset = try openDataset(
            .idx(images: name, labels: "labels.idx", testImages: nil, testLabels: nil), in: Oracle.fixtures)
        #expect(dataset.featureShape == [6])
        for rows in subsets {
            #expect(try dataset.examples(rows: rows).features == Expected.values(rows, scale: scale))
        }
        #expect(try dataset.testExamples()?.count == nil)
    }

    @Test(arguments: [
        ("f4-le", Float(1)), ("f4-be", 1), ("f8-le", 1), ("f8-be", 1), ("i4", 4), ("i8-be", 4), ("deflated", 1),
        ("fortran", 1), ("fortran-deflated", 1), ("zip64", 1), ("labels-as-floats", 1),
    ])
    func readsNumPyArchives(name: String, scale: Float) throws {
        let isImage = name == "fortran-deflated"
        let dataset = try openDataset(
            .npz(path: "\(name).npz", features: "x", labels: "y", test: isImage ? nil : "f4-le.npz"),
            in: Oracle.fixtures)
        #expect(dataset.labels == Expected.labels)
        #expect(dataset.featureShape == (isImage ? [1, 2, 3] : [6]))
        for rows in subsets {
            #expect(try dataset.examples(rows: rows).features == Expected.values(rows, scale: scale))
        }
        let test = try dataset.testExamples()
        #expect(test?.features == (isImage ? nil : Expected.values((0..<9).map { $0 })))
    }

    @Test func theTestSetMustHaveTheSameShape() throws {
        #expect(throws: FilesError.self) {
            try openDataset(
                .npz(path: "fortran-deflated.npz", features: "x", labels: "y", test: "f4-le.npz"), in: Oracle.fixtures)
        }
    }

    @Test func bytesInArchivesAreScaledLikeImages() throws {
        let dataset = try openDataset(
            .npz(path: "bytes.npz", features: "x", labels: "y", test: nil), in: Oracle.fixtures)
        #expect(try dataset.examples(rows: [3, 4]).features == Expected.bytes([3, 4]))
    }

    @Test func refusesWhatIsNotThere() throws {
        let directory = Oracle.fixtures
        func text(_ source: DataSpecification.Source) -> String {
            do {
                let dataset = try openDataset(source, in: directory)
                _ = try dataset.examples(rows: (0..<UInt32(dataset.exampleCount)).map { $0 })
                return "no error"
            } catch { return "\(error)".replacing(directory + "/", with: "") }
        }
        #expect(
            text(.npz(path: "none.npz", features: "x", labels: "y", test: nil))
                == "none.npz: no such file; "
                + "correct the path in the topology; it is relative to the topology's directory")
        #expect(
            text(.npz(path: "i4.npz", features: "z", labels: "y", test: nil))
                == "i4.npz: has no array 'z'; it has x, y")
        #expect(text(.npz(path: "objects.npz", features: "x", labels: "y", test: nil)).contains("'|O'"))
        #expect(
            text(.npz(path: "nan.npz", features: "x", labels: "y", test: nil))
                == "nan.npz(x.npy): example 4, feature 0: is not a finite float32; remove or replace it")
        #expect(
            text(.npz(path: "i4.npz", features: "y", labels: "x", test: nil)).contains(
                "where labels are one number each"))
        #expect(
            text(.npz(path: "labels-as-floats.npz", features: "y", labels: "x", test: nil)).contains("header"))
        #expect(
            text(.idx(images: "i4.npz", labels: "labels.idx", testImages: nil, testLabels: nil)).contains("IDX"))
        #expect(
            text(.npz(path: "images.idx", features: "x", labels: "y", test: nil)).contains("not a whole ZIP archive"))
        #expect(text(.synthetic(examples: 1, features: 1, classes: 1)).contains("generated"))
    }

    @Test func refusesRowsThatDoNotExist() throws {
        let dataset = try openDataset(
            .npz(path: "i4.npz", features: "x", labels: "y", test: nil), in: Oracle.fixtures)
        for rows: [UInt32] in [[9], [.max], [3, 3], [4, 2]] {
            #expect(throws: FilesError.self) { try dataset.examples(rows: rows) }
        }
    }

    @Test func countsMustBelongTogether() throws {
        let directory = try TemporaryDirectory()
        _ = try directory.write([0, 0, 8, 1, 0, 0, 0, 2, 0, 1], as: "labels")
        #expect(throws: FilesError.self) {
            try openDataset(
                .idx(
                    images: "\(Oracle.fixtures)/images.idx", labels: "labels", testImages: nil, testLabels: nil),
                in: directory.path)
        }
    }

    /// Headers that promise more than a file can hold are refused before memory is reserved.
    @Test func refusesBombs() throws {
        let directory = try TemporaryDirectory()
        let extents: [[UInt8]] = [[0xff, 0xff, 0xff, 0xff], [0x7f, 0xff, 0xff, 0xff], [0, 1, 0, 0], [0, 0, 0, 0]]
        for extent in extents {
            for dimensions in 1...4 {
                var head: [UInt8] = [0, 0, 0x0e, UInt8(dimensions)]
                for _ in 0..<dimensions { head += extent }
                _ = try directory.write(head, as: "bomb")
                #expect(throws: FilesError.self) { try IDXFile.open(directory("bomb")) }
            }
        }
        // A gzip file whose 70 bytes are said to become 2^31.
        var gzip = try Oracle.fixture("images.idx.gz")
        gzip.removeLast()
        #expect(throws: FilesError.self) {
            try IDXFile.open(try directory.write(gzip, as: "cut.gz")).features(rows: [0])
        }
    }
}

@Suite struct FashionMNISTTests {
    /// Sums, pixels and labels were read with NumPy from the same files.
    @Test func readsTheFilesOfTheDebianPackage() throws {
        let dataset = try openDataset(.fashionMNIST, in: "/nowhere")
        #expect(dataset.exampleCount == 60_000)
        #expect(dataset.featureShape == [1, 28, 28])
        #expect(dataset.classCount == 10)
        var counts = [Int](repeating: 0, count: 10)
        for label in dataset.labels { counts[Int(label)] += 1 }
        #expect(counts == [Int](repeating: 6000, count: 10))
        let examples = try dataset.examples(rows: [0, 7, 31_415, 59_999])
        let bytes: [Int] = examples.features.map { Int(($0 * 255).rounded()) }
        let images = (0..<4).map { row in Array(bytes.dropFirst(row * 784).prefix(784)) }
        #expect(images.map { $0.reduce(0, +) } == [76_247, 115_182, 45_059, 16_684])
        #expect(images.map { $0[400] } == [0, 229, 0, 129])
        #expect(examples.labels == [9, 2, 1, 5])
    }

    @Test func saysHowToGetTheFiles() throws {
        let directory = try TemporaryDirectory()
        #expect(
            throws: FilesError.missing(
                path: directory("train-images-idx3-ubyte.gz"),
                remedy: "run `make setup`, or `apt-get install dataset-fashion-mnist`")
        ) { try DatasetFile.openFashionMNIST(in: directory.path) }
    }
}

/// Damaged files are errors or other values, never a trap; a file that was cut is never taken for a whole one.
@Suite struct DamagedFileTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func readAll(_ path: String) throws {
        if path.hasSuffix(".npz") {
            let dataset = try openDataset(.npz(path: path, features: "x", labels: "y", test: nil), in: "")
            _ = try dataset.examples(rows: (0..<UInt32(dataset.exampleCount)).map { $0 })
        } else if path.hasSuffix(".safetensors") {
            let file = try SafetensorsFile(path: path)
            _ = try file.values(try file.layout(group: "body"))
        } else {
            let array = try IDXFile.open(path)
            _ = try array.features(rows: (0..<UInt32(array.header.rowCount)).map { $0 })
            if array.header.rowElementCount == 1 { _ = try array.labels() }
        }
    }

    private static let names = [
        "images.idx", "images.idx.gz", "images-two-members.idx.gz", "labels.idx", "values-f8.idx", "f4-le.npz",
        "deflated.npz", "fortran-deflated.npz", "zip64.npz", "model.safetensors",
    ]

    @Test(arguments: names)
    func everyTruncationIsAnError(name: String) throws {
        let whole = try Oracle.fixture(name)
        for count in whole.indices {
            let path = try directory.write(Array(whole[..<count]), as: name)
            #expect(throws: FilesError.self, "\(name) cut to \(count) bytes") { try readAll(path) }
        }
        _ = try directory.write(whole, as: name)
        try readAll(directory(name))
        let path = try directory.write(whole + [0], as: name)
        #expect(throws: FilesError.self) { try readAll(path) }
    }

    @Test(arguments: names)
    func noFlippedByteTraps(name: String) throws {
        let whole = try Oracle.fixture(name)
        var refusals = 0
        for position in whole.indices {
            for mask: UInt8 in [0x01, 0x80, 0xff] {
                var changed = whole
                changed[position] ^= mask
                let path = try directory.write(changed, as: name)
                do { try readAll(path) } catch is FilesError { refusals += 1 }
            }
        }
        #expect(refusals > 0)
    }

    /// Members that are compressed or read whole carry a checksum, so that no change of their bytes goes unseen.
    @Test func checksumsFindChangedElements() throws {
        for name in ["images.idx.gz", "deflated.npz"] {
            let whole = try Oracle.fixture(name)
            // Neither a gzip header's time and system, nor a ZIP's dates and attributes, change what is read; nor do
            // the bits that fill up the last byte of a deflated stream.
            let body = name.hasSuffix(".gz") ? 20..<(whole.count - 9) : 100..<130
            for position in body {
                var changed = whole
                changed[position] ^= 0x10
                let path = try directory.write(changed, as: name)
                #expect(throws: FilesError.self, "\(name) changed at \(position)") { try readAll(path) }
            }
        }
    }
}
