// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TributaryCore
import TributaryCrypto
import TributaryRing

@testable import TributaryFiles

@Suite struct SafetensorsTests {
    let directory: TemporaryDirectory
    let layout: ParameterLayout
    let metadata = ["round": "5", "a \"quoted\" key": "ünïcode ☃\n\u{1}\\", "federation": "factory"]

    init() throws {
        directory = try TemporaryDirectory()
        layout = try ParameterLayout(tensors: [
            ParameterTensor(name: "dense1.weight", group: "body", shape: [5, 3]),
            ParameterTensor(name: "dense1.bias", group: "body", shape: [5]),
            ParameterTensor(name: "scale", group: "head", shape: []),
        ])
    }

    private var values: [Float] { (0..<21).map { Float($0) / 8 - 1 } }

    @Test func writesAndReadsBack() throws {
        try Safetensors.write(values.span, layout: layout, metadata: metadata, to: directory("model"))
        let file = try SafetensorsFile(path: directory("model"))
        #expect(file.metadata == metadata)
        #expect(file.tensors.map(\.name) == ["dense1.weight", "dense1.bias", "scale"])
        #expect(file.tensors.map(\.shape) == [[5, 3], [5], []])
        #expect(try file.values(layout) == values)
        #expect(try file.layout(group: "body").parameterCount == 21)
        let bytes = try SmallFile.read(directory("model"), byteCountMax: 10_000)
        #expect((bytes.count - 84) % 8 == 0)
    }

    @Test func handsOutValuesBlockByBlockAndDigestsThemInOrder() throws {
        let layout = try ParameterLayout(tensors: [
            ParameterTensor(name: "a", group: "g", shape: [300_000]),
            ParameterTensor(name: "b", group: "g", shape: [3]),
        ])
        let values = (0..<layout.parameterCount).map { Float($0) }
        try Safetensors.write(values.span, layout: layout, to: directory("model"))
        let file = try SafetensorsFile(path: directory("model"))
        var seen: [Float] = []
        for tensor in file.tensors {
            try file.forEachBlock(of: tensor) { block in block.withUnsafeBufferPointer { seen += $0 } }
        }
        #expect(seen == values)
        #expect(file.parameterCount == 300_003)
        #expect(try file.digest() == .sha256(of: values.span.bytes))
        #expect(try file.values(of: file.tensors[0], from: 299_998) == [299_998, 299_999])
        #expect(try file.values(of: file.tensors[1], from: 3).isEmpty)
    }

    @Test func theSameModelGivesTheSameBytes() throws {
        for name in ["one", "two"] {
            try Safetensors.write(values.span, layout: layout, metadata: metadata, to: directory(name))
        }
        #expect(
            try SmallFile.read(directory("one"), byteCountMax: 10_000)
                == SmallFile.read(directory("two"), byteCountMax: 10_000))
        #expect(throws: FilesError.self) {
            try Safetensors.write([Float](repeating: 0, count: 20).span, layout: layout, to: directory("three"))
        }
        #expect(try directory.names == ["one", "two"])
    }

    /// PyPI safetensors opens what is written here, and its copy is read back.
    @Test func pythonOpensOursAndWeOpenItsCopy() throws {
        struct Summary: Decodable {
            struct Tensor: Decodable, Equatable {
                var shape: [Int]
                var dtype: String
                var sum: Double
            }
            var metadata: [String: String]
            var tensors: [String: Tensor]
        }
        try Safetensors.write(values.span, layout: layout, metadata: metadata, to: directory("model"))
        let output = try Oracle.run("safetensors_peer.py", directory("model"), directory("copy"))
        let summary = try JSONDecoder().decode(Summary.self, from: output)
        #expect(summary.metadata == metadata)
        #expect(summary.tensors.count == 3)
        #expect(summary.tensors["dense1.weight"] == .init(shape: [5, 3], dtype: "float32", sum: -1.875))
        #expect(summary.tensors["dense1.bias"] == .init(shape: [5], dtype: "float32", sum: 5.625))
        #expect(summary.tensors["scale"] == .init(shape: [], dtype: "float32", sum: 1.5))
        let copy = try SafetensorsFile(path: directory("copy"))
        #expect(try copy.values(layout) == values)
        #expect(copy.metadata == metadata)
    }

    @Test func readsWhatPythonWrote() throws {
        let file = try SafetensorsFile(path: "\(Oracle.fixtures)/model.safetensors")
        #expect(file.metadata == ["made by": "safetensors \"for\" ünïcode ☃\n"])
        let layout = try ParameterLayout(tensors: [
            ParameterTensor(name: "scale", group: "body", shape: []),
            ParameterTensor(name: "dense1.weight", group: "body", shape: [9, 6]),
            ParameterTensor(name: "dense1.bias", group: "body", shape: [6]),
        ])
        let values = try file.values(layout)
        #expect(values[0] == 2.5)
        let expected: [Float] = (0..<54).map { index in
            let (row, column) = index.quotientAndRemainder(dividingBy: 6)
            return Float((7 * row + 3 * column) % 11 - 5) / 4
        }
        #expect(Array(values[1..<55]) == expected)
        #expect(Array(values[55...]) == Array(expected[..<6]))
        do {
            _ = try SafetensorsFile(path: "\(Oracle.fixtures)/half.safetensors")
            Issue.record("float16 was taken")
        } catch {
            #expect(error.description.hasSuffix("only F32 is read: convert the model to float32"))
        }
    }

    @Test func refusesAnotherModel() throws {
        let file = try SafetensorsFile(path: "\(Oracle.fixtures)/model.safetensors")
        #expect(throws: FilesError.self) { try file.values(layout) }
        let two = [
            ParameterTensor(name: "dense1.weight", group: "body", shape: [9, 6]),
            ParameterTensor(name: "dense1.bias", group: "body", shape: [6]),
        ]
        #expect(throws: FilesError.self) { try file.values(try ParameterLayout(tensors: two)) }
        let more = two + ["scale", "more"].map { ParameterTensor(name: $0, group: "body", shape: []) }
        #expect(throws: FilesError.self) { try file.values(try ParameterLayout(tensors: more)) }
    }

    private static let entry = #""a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#

    @Test(arguments: [
        "", "[]", "{", "{}x", #"{"a":1}"#, #"{"a":{}}"#,
        "{\(entry),\(entry)}",
        "{\(entry),}",
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":1}}"#,
        #"{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
        #"{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#,
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[02],"data_offsets":[0,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,99999999999999999999]}}"#,
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
        "{\(entry),\"__metadata__\":{\"k\":1}}",
        "{\(entry),\"__metadata__\":[]}",
        "{\"\\ud800\":1}", "{\"\\x\":1}", "{\"\\u+123\":1}", "{\"a\u{1}\":1}",
        String(repeating: "[", count: 100_000),
        String(repeating: #"{"a":"#, count: 50_000),
    ])
    func refusesHeadersThatAreNotStrict(header: String) throws {
        let bytes = Array(header.utf8)
        let length = (0..<8).map { UInt8(truncatingIfNeeded: bytes.count >> (8 * $0)) }
        let path = try directory.write(length + bytes + [UInt8](repeating: 0, count: 8), as: "model")
        #expect(throws: FilesError.self) { try SafetensorsFile(path: path) }
    }

    @Test func refusesValuesThatAreNotFiniteAndHeadersThatAreTooLong() throws {
        let one = try ParameterLayout(tensors: [ParameterTensor(name: "a", group: "body", shape: [2])])
        for bad in [Float.nan, .infinity, -.infinity] {
            try Safetensors.write([1, bad].span, layout: one, to: directory("model"))
            let file = try SafetensorsFile(path: directory("model"))
            #expect(throws: FilesError.self) { try file.values(one) }
        }
        for length: [UInt8] in [[0, 0xe1, 0xf5, 0x05, 0, 0, 0, 1], [UInt8](repeating: 0xff, count: 8), [0, 0, 0]] {
            let path = try directory.write(length + Array("{}".utf8), as: "model")
            #expect(throws: FilesError.self) { try SafetensorsFile(path: path) }
        }
    }
}
