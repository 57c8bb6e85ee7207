// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TributaryCore

@testable import TributaryFiles

@Suite struct CSVDatasetTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func open(
        _ text: String, label: String = "label", client: String? = nil, test: String? = nil
    ) throws -> DatasetFile {
        try open(Array(text.utf8), label: label, client: client, test: test)
    }

    private func open(
        _ bytes: [UInt8], label: String = "label", client: String? = nil, test: String? = nil
    ) throws -> DatasetFile {
        _ = try directory.write(bytes, as: "data.csv")
        if let test { _ = try directory.write(test, as: "test.csv") }
        return try DatasetFile.open(
            DataSpecification(
                source: .csv(path: "data.csv", label: label, client: client, test: test == nil ? nil : "test.csv"),
                partition: .iid, holdOut: 0),
            relativeTo: directory.path)
    }

    @Test func readsLabelsClientsAndFeatures() throws {
        let dataset = try open(
            """
            site,temp,label,load
            oslo,1.5,warm,-2
            rome,+3,cold,1e3
            oslo, 0.25 ,warm,.5
            bern,7.,hot,-1.25E-2

            """, client: "site")
        #expect(dataset.exampleCount == 4)
        #expect(dataset.featureShape == [2])
        #expect(dataset.classNames == ["cold", "hot", "warm"])
        #expect(dataset.labels == [2, 0, 2, 1])
        #expect(dataset.clients == [0, 1, 0, 2])
        #expect(dataset.clientNames == ["oslo", "rome", "bern"])
        #expect(try dataset.examples(rows: [1, 3]).features == [3, 1000, 7, -0.0125])
        #expect(try dataset.examples(rows: [0, 1, 2, 3]).features == [1.5, -2, 3, 1000, 0.25, 0.5, 7, -0.0125])
        #expect(try dataset.examples(rows: [2]).labels == [2])
        #expect(try dataset.examples(rows: []).features == [])
    }

    @Test func numericLabelsAreSortedByValue() throws {
        let dataset = try open("x,label\n1,10\n2,9\n3,-1\n4,10\n")
        #expect(dataset.classNames == ["-1", "9", "10"])
        #expect(dataset.labels == [2, 1, 0, 2])
    }

    @Test(arguments: ["\n", "\r\n"])
    func readsWhatProgramsWrite(lineEnd: String) throws {
        let lines = [
            "\u{feff}\"a,b\",label,\"say \"\"x\"\"\"", "1,\"one\(lineEnd)two\",2", "",
            "\"3\",\"\",4".replacing("\"\"", with: "k"),
        ]
        let dataset = try open(lines.joined(separator: lineEnd))
        #expect(dataset.featureShape == [2])
        #expect(Set(dataset.classNames) == ["one\(lineEnd)two", "k"])
        #expect(try dataset.examples(rows: [0, 1]).features == [1, 2, 3, 4])
    }

    @Test func readsTheTestFileByNameOfColumn() throws {
        let dataset = try open(
            "a,site,label,b\n1,p,x,2\n3,q,y,4\n", client: "site", test: "label,b,a\ny,6,5\nx,8,7\n")
        let test = try #require(try dataset.testExamples())
        #expect(test.features == [5, 6, 7, 8])
        #expect(test.labels == [1, 0])
        #expect(test.classCount == 2)
        let strange = try open("a,label\n1,x\n", test: "a,label\n1,x\n2,z\n")
        #expect(throws: FilesError.self) { try strange.testExamples() }
        let surplus = try open("a,label\n1,x\n", test: "a,label,c\n1,x,3\n")
        #expect(throws: FilesError.self) { try surplus.testExamples() }
    }

    /// The expected texts were written by hand.
    @Test(arguments: [
        ("", "data.csv: is empty; its first line names the columns"),
        ("\n\n", "data.csv: is empty; its first line names the columns"),
        ("a,label\n", "data.csv: has a header and no rows; there is nothing to train on"),
        ("a,lable\n1,2\n", "data.csv:1:1: there is no label column 'label'; the columns are a, lable"),
        ("label\n1\n", "data.csv:1:1: there are no feature columns"),
        ("a,label,a\n1,2,3\n", "data.csv:1:9: column 'a' appears twice; rename one"),
        ("a,label\n1,2\n3\n", "data.csv:3:1: the row has 1 fields where the header has 2"),
        ("a,label\n1,2,3\n", "data.csv:2:5: the row has 3 fields where the header has 2"),
        (
            "a,label\n1,x\n oops,y\n",
            "data.csv:3:1: column 'a': ' oops' is not a number; encode the column as numbers or drop it"
        ),
        ("a,b,label\n1,,x\n", "data.csv:2:3: column 'b' is empty; fill in the value or drop the row"),
        (
            "a,label\nnan,x\n",
            "data.csv:2:1: column 'a': 'nan' is not a number; encode the column as numbers or drop it"
        ),
        (
            "a,label\n0x10,x\n",
            "data.csv:2:1: column 'a': '0x10' is not a number; encode the column as numbers or drop it"
        ),
        (
            "a,label\n1e39,x\n",
            "data.csv:2:1: column 'a': '1e39' is not a number; encode the column as numbers or drop it"
        ),
        ("a,label\n1,\"x\n2,y\n", "data.csv:2:3: a quoted field has no end"),
        (
            "a,label\n1,x\"y\n",
            "data.csv:2:4: a quote stands inside a field; put the whole field in quotes and double those inside"
        ),
        (
            "a,label\n1,\"x\"y\n",
            "data.csv:2:6: text follows a closing quote; double the quotes inside a quoted field"
        ),
        ("a,label\r1,x\r", "data.csv:1:9: a carriage return stands alone; end lines by LF or CRLF"),
        ("a,label\n1,\n", "data.csv: column 'label': has a label that is empty or not UTF-8; correct the row"),
    ])
    func saysWhatIsWrongWhere(text: String, expected: String) throws {
        do {
            _ = try open(text)
            Issue.record("no error for \(text)")
        } catch {
            #expect("\(error)".replacing(directory.path + "/", with: "") == expected)
        }
    }

    @Test func findsNumbersThatAreWrongFarDown() throws {
        let rows = (0..<3000).map { "\($0),\($0 % 2)" }
        let dataset = try open("a,label\n" + rows.joined(separator: "\n") + "\nbad,1\n")
        #expect(try dataset.examples(rows: [2999]).features == [2999])
        #expect(
            throws: FilesError.text(
                path: directory("data.csv"), line: 3002, column: 1,
                problem: "column 'a': 'bad' is not a number; encode the column as numbers or drop it")
        ) { try dataset.examples(rows: [3000]) }
    }

    @Test func readsCompressedFilesOfManyBlocks() throws {
        let rows = (0..<40_000).map { "\($0),\"\($0 % 7)\",\(Double($0) / 8)" }
        let plain = try open(Array(("a,label,b\n" + rows.joined(separator: "\r\n")).utf8))
        #expect(plain.exampleCount == 40_000)
        let gzip = Process()
        gzip.executableURL = URL(filePath: "/bin/gzip")
        gzip.arguments = [directory("data.csv")]
        try gzip.run()
        gzip.waitUntilExit()
        let dataset = try DatasetFile.open(
            DataSpecification(
                source: .csv(path: "data.csv.gz", label: "label", client: nil, test: nil), partition: .iid, holdOut: 0),
            relativeTo: directory.path)
        #expect(dataset.labels == plain.labels)
        #expect(dataset.classCount == 7)
        #expect(try dataset.examples(rows: [5, 39_999]).features == [5, 0.625, 39_999, 39_999.0 / 8])
    }

    @Test func noBytesTrap() throws {
        let text = Array("a,label,\"b\"\r\n1.5,\"x\"\"y\",-2e3\r\n\r\n.5,\u{e9},7\n".utf8)
        for position in text.indices {
            for byte: UInt8 in [0, 0x0a, 0x0d, 0x22, 0x2c, 0xff, 0x39, 0x65] {
                var changed = text
                changed[position] = byte
                do {
                    let dataset = try open(changed)
                    _ = try dataset.examples(rows: (0..<UInt32(dataset.exampleCount)).map { $0 })
                } catch is FilesError {}
            }
            do { _ = try open(Array(text[..<position])) } catch is FilesError {}
        }
        for seed in 0..<200 {
            do { _ = try open(scrambledBytes(400, seed: UInt64(seed))) } catch is FilesError {}
        }
        #expect(throws: FilesError.self) { try open([0xff, 0xfe, 0x61, 0x00]) }
    }

    /// The standard library's own parser is the oracle.
    @Test func numbersAreRoundedAsTheStandardLibraryDoes() throws {
        var state: UInt64 = 7
        func next(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        for _ in 0..<20_000 {
            let digits = (0..<(1 + next(20))).map { _ in String(next(10)) }.joined()
            let point = Int(next(UInt64(digits.count + 1)))
            var text = digits.prefix(point) + "." + digits.dropFirst(point)
            if next(2) == 0 { text = "-" + text }
            if next(4) == 0 { text += "e\(Int(next(60)) - 30)" }
            #expect(DecimalNumber.parse(Array(text.utf8)[...]) == Double(text), "\(text)")
        }
        for text in ["", "-", ".", "1e", "e1", "1 2", "--1", "1.2.3", "inf", "0x1p3", "1_000", "1e999"] {
            #expect(DecimalNumber.parse(Array(text.utf8)[...]) == nil, "\(text)")
        }
    }
}
