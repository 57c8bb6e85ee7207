// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import TributaryFiles

@Suite struct AppendLogTests {
    private static let contents: [[UInt8]] = [[1, 2, 3], [], Array(repeating: 0, count: 40), [255]]

    private func inDirectory(_ body: (String) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "/tributary-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try body(path + "/a.log")
    }

    private func write(_ bytes: Data, to path: String) throws { try bytes.write(to: URL(filePath: path)) }

    /// What a log holds; it is closed again.
    private func read(_ path: String) throws -> [[UInt8]] {
        var contents: [[UInt8]] = []
        _ = try AppendLog(path: path, advice: "do this") { content, _ in contents.append(content) }
        return contents
    }

    private func whole(_ path: String) throws -> Data {
        let log = try AppendLog(path: path, advice: "") { _, _ in }
        _ = try log.append(Self.contents)
        try log.sync()
        return try Data(contentsOf: URL(filePath: path))
    }

    @Test("what was appended is read back, in order and with its places, by this value and the next")
    func backAgain() throws {
        try inDirectory { path in
            let log = try AppendLog(path: path, advice: "") { _, _ in }
            var places = try log.append(Array(Self.contents[..<2]))
            places += try log.append(Array(Self.contents[2...]))
            try log.sync()
            for (place, content) in zip(places, Self.contents) { #expect(try log.content(at: place) == content) }
            var seen: [UInt64] = []
            let next = try AppendLog(path: path, advice: "") { _, place in seen.append(place) }
            #expect(seen == places)
            #expect(next.byteCount == log.byteCount)
            #expect(try read(path) == Self.contents)
            let moved = try next.replace(with: [Self.contents[2]])
            #expect(try next.content(at: moved[0]) == Self.contents[2])
            _ = try next.append([[7]])
            #expect(try read(path) == [Self.contents[2], [7]])
        }
    }

    @Test("a file that ends anywhere gives the records before, and goes on from there")
    func cutAnywhere() throws {
        try inDirectory { path in
            let bytes = try whole(path)
            var seen: Set<Int> = []
            for end in 0...bytes.count {
                try write(bytes.prefix(end), to: path)
                let log = try AppendLog(path: path, advice: "") { _, _ in }
                _ = try log.append([[9, 9]])
                let contents = try read(path)
                #expect(contents.last == [9, 9])
                #expect(contents.dropLast() == Self.contents.prefix(contents.count - 1))
                seen.insert(contents.count - 1)
            }
            #expect(seen == [0, 1, 2, 3, 4])
        }
    }

    @Test("any flipped bit of a whole file is damage, which is told with its place and what to do")
    func flippedBits() throws {
        try inDirectory { path in
            let bytes = try whole(path)
            for bit in 0..<(bytes.count * 8) {
                var flipped = bytes
                flipped[bit / 8] ^= 1 << UInt8(bit % 8)
                try write(flipped, to: path)
                let error = #expect(throws: FilesError.self, "bit \(bit)") { try read(path) }
                #expect(error?.description.contains("a.log: byte ") == true)
                #expect(error?.description.contains("do this") == true)
                #expect(try Data(contentsOf: URL(filePath: path)) == flipped, "nothing is repaired")
            }
        }
    }

    @Test("blocks of zeros at the end were never written, and are dropped; other bytes there are damage")
    func zeros() throws {
        try inDirectory { path in
            let bytes = try whole(path)
            for count in [1, 11, 12, 13, 4096] {
                try write(bytes + Data(count: count), to: path)
                #expect(try read(path) == Self.contents)
            }
            // The last record's head is there, its content is not.
            for missing in 1...2 {
                try write(bytes.dropLast(missing) + Data(count: missing + 100), to: path)
                #expect(try read(path) == Self.contents.dropLast())
            }
            var stray = bytes + Data(count: 200)
            stray[bytes.count + 150] = 1
            try write(stray, to: path)
            #expect(throws: FilesError.self) { try read(path) }
        }
    }
}
