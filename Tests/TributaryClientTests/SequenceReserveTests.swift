// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TributaryCore

@testable import TributaryClient

/// No two updates of a device bear the same number, whenever the device is killed.
@Suite struct SequenceReserveTests {
    private let device = NodeName("device-7")

    private func inDirectory(_ body: (String) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "/tributary-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    @Test func aNumberIsOnDiskBeforeItIsUsedAndNeverComesAgain() throws {
        try inDirectory { directory in
            var used: Set<UInt64> = []
            // Lives that end after so many updates, without a word.
            for life in [1, 0, 63, 64, 65, 200] {
                var reserve = try SequenceReserve(device, in: directory)
                var next = reserve.end
                for _ in 0..<life {
                    try reserve.cover(next)
                    #expect(try SequenceFile.read(device, in: directory) > next)
                    #expect(used.insert(next).inserted)
                    next += 1
                }
            }
            #expect(used.count == 393)
        }
    }

    @Test func theDiskIsAskedOnceForABlock() throws {
        try inDirectory { directory in
            var reserve = try SequenceReserve(device, in: directory)
            var writes: Set<UInt64> = []
            for number in 0..<SequenceReserve.blockCount * 3 {
                try reserve.cover(number)
                writes.insert(try SequenceFile.read(device, in: directory))
            }
            #expect(writes == [64, 128, 192])
        }
    }

    @Test func aNumberThatCannotBeStoredIsNotSetAside() throws {
        try inDirectory { directory in
            var reserve = try SequenceReserve(device, in: directory)
            try Data().write(to: URL(filePath: directory))
            #expect(throws: (any Error).self) { try reserve.cover(0) }
            #expect(reserve.end == 0)
        }
    }

    @Test func aFlippedBitIsToldAndNoNumberComesAgain() throws {
        try inDirectory { directory in
            var reserve = try SequenceReserve(device, in: directory)
            try reserve.cover(1000)
            let file = URL(filePath: "\(directory)/\(device).sequence")
            let bytes = try Data(contentsOf: file)
            for bit in 0..<(bytes.count * 8) {
                var flipped = bytes
                flipped[bit / 8] ^= 1 << UInt8(bit % 8)
                try flipped.write(to: file)
                let error = #expect(throws: (any Error).self, "bit \(bit)") {
                    try SequenceFile.read(device, in: directory)
                }
                #expect("\(error as Any)".contains(".sequence"))
            }
            // The line that the error offers is right, and beyond every number that was used.
            let error = #expect(throws: (any Error).self) { try SequenceFile.read(device, in: directory) }
            let line = "\(error as Any)".split(separator: "'").first { $0.hasPrefix("next ") } ?? ""
            try Data("\(line)\n".utf8).write(to: file)
            #expect(try SequenceFile.read(device, in: directory) > 1 << 40)
            try FileManager.default.copyItem(at: file, to: URL(filePath: "\(directory)/other.sequence"))
            #expect(throws: (any Error).self, "another device's") {
                try SequenceFile.read(NodeName("other"), in: directory)
            }
        }
    }
}
