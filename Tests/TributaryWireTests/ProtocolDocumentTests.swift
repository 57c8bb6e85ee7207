// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TributaryCore
import TributaryWire

@Suite("Proto/README.md says what the code does")
struct ProtocolDocumentTests {
    private static let proto = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Proto")

    private func text(_ path: String) throws -> String {
        try String(contentsOf: Self.proto.appending(path: path), encoding: .utf8)
    }

    @Test("Every reason code has its line")
    func reasons() throws {
        let document = try text("README.md")
        for reason in ReasonCode.allCases {
            #expect(document.contains("| `\(reason.rawValue)` |"), "\(reason.rawValue) is not explained")
        }
    }

    @Test("Every kind of message has its line")
    func kinds() throws {
        let document = try text("README.md")
        let envelope = try text("tributary/v1/envelope.proto")
        let kinds = envelope.matches(of: /\n    [A-Z][A-Za-z]+ ([a-z_]+) = [0-9]+;/).map { String($0.output.1) }
        #expect(kinds.count == RandomMessages.kindCount + 5)
        for kind in kinds {
            #expect(document.contains("\n| `\(kind)` |"), "\(kind) is not explained")
        }
    }

    @Test("The sizes that it names are those of Limits")
    func sizes() throws {
        let document = try text("README.md")
        let device = Wire.frameByteCountMax(chunkByteCount: Limits.deviceChunkByteCount)
        let aggregator = Wire.frameByteCountMax(chunkByteCount: Limits.aggregatorChunkByteCount)
        let numbers = [
            device, aggregator, Limits.envelopeByteCount, Limits.deviceChunkByteCount, Limits.aggregatorChunkByteCount,
            Limits.transferWindowByteCount, Limits.fieldCountMax, Limits.tensorCountMax, Limits.excludedNameCountMax,
            Int(Limits.roundCountMax),
        ]
        for number in numbers {
            let grouped = number.formatted(.number.locale(Locale(identifier: "en_US")))
            #expect(document.contains(grouped), "\(grouped) is not named")
        }
    }
}
