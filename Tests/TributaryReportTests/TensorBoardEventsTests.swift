// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TributaryCore

@testable import TributaryReport

@Suite struct TensorBoardEventsTests {
    /// RFC 3720, appendix B.4, and the check value of the catalogue of parametrised CRC algorithms.
    @Test func theChecksumIsCastagnolis() {
        #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.checksum((0..<32).map { UInt8($0) }) == 0x46DD_794E)
        #expect(CRC32C.checksum([]) == 0)
    }

    @Test func tensorboardReadsEveryScalar() throws {
        struct Read: Decodable {
            var version: Double
            var scalars: [String: [[Double]]]
        }
        let run = Example.run(rounds: 200)
        let directory = try TemporaryDirectory()
        let path = directory(TensorBoardEvents.fileName(run))
        try Data(TensorBoardEvents.bytes(run)).write(to: URL(filePath: path))
        let read = try Oracle.run(Read.self, "read_events.py", directory.path)
        #expect(read.version == 2)
        var wanted: [String: [[Double]]] = [:]
        var time = 1_795_573_556.0
        for round in run.rounds {
            time += round.wallSeconds
            for (tag, value) in TensorBoardEvents.scalars(of: round) {
                wanted[tag, default: []].append([Double(round.round), time, Double(Float(value))])
            }
        }
        #expect(read.scalars == wanted)
        #expect(wanted["accuracy"]?.count == 199)
        #expect(wanted["bytes_up/device"]?.count == 200)
        #expect(wanted["energy_radio_joules/region"]?.first == [1, 1_795_573_556.4, 0.5])
    }

    @Test func aRunWithoutRoundsIsAFileToo() throws {
        var run = Example.run()
        run.rounds = []
        run.startedAt = nil
        #expect(TensorBoardEvents.fileName(run) == "events.out.tfevents.0000000000.tributary")
        #expect(TensorBoardEvents.bytes(run).count == 8 + 4 + 26 + 4)
    }
}
