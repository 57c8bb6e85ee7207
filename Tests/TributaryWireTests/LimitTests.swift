// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryRing
import TributaryWire

@Suite("Values beyond their bounds")
struct LimitTests {
    private let digest = [UInt8](repeating: 9, count: 32)

    private func message(_ write: (inout HandWriter) -> Void) -> [UInt8] {
        var writer = HandWriter()
        write(&writer)
        return writer.bytes
    }

    private func refusal(kind: UInt32, _ content: [UInt8]) -> ReasonCode? {
        do {
            _ = try decode(HandWriter.envelope(kind: kind, content))
            return nil
        } catch {
            return error.reason
        }
    }

    private var number: [UInt8] {
        message {
            $0.varint(1, 4)
            $0.varint(2, 1)
        }
    }

    @Test("Hello")
    func hello() {
        let changes: [(name: String, change: (inout HandWriter) -> Void, expected: ReasonCode?)] = [
            ("sound", { _ in }, nil),
            ("empty", { $0 = HandWriter() }, .malformed),
            ("a topology digest of 31 bytes", { $0.bytes(7, [UInt8](repeating: 1, count: 31)) }, .malformed),
            ("a second role", { $0.bytes(3, []) }, .malformed),
            ("17 encodings", { $0.bytes(6, [UInt8](repeating: 1, count: 17)) }, .oversized),
        ]
        for (name, change, expected) in changes {
            let content = message {
                $0.text(1, "camera-1")
                $0.varint(2, 0)
                $0.varint(4, 1)
                $0.varint(5, 1)
                change(&$0)
            }
            #expect(refusal(kind: 10, content) == expected, "\(name)")
        }
    }

    @Test("Encodings of a newer child are skipped")
    func newerEncodings() throws {
        let content = message {
            $0.text(1, "camera-1")
            $0.varint(2, 0)
            $0.varint(4, 1)
            $0.varint(5, 3)
            $0.bytes(6, [1, 44, 2])
        }
        guard case .message(let envelope) = try decode(HandWriter.envelope(kind: 10, content)).body,
            case .hello(let hello) = envelope.message
        else {
            Issue.record("a hello is a hello")
            return
        }
        #expect(hello.encodings == [.float32, .ring])
    }

    @Test("Names", arguments: [0, 1, 64, 65])
    func names(byteCount: Int) {
        let content = message {
            $0.text(1, String(repeating: "n", count: byteCount))
            $0.bytes(3, [])
            $0.varint(4, 1)
            $0.varint(5, 1)
        }
        let expected: ReasonCode? = [0: .malformed, 65: .oversized][byteCount]
        #expect(refusal(kind: 10, content) == expected)
    }

    @Test("Texts that are not UTF-8")
    func notUTF8() {
        for bytes in [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80]] as [[UInt8]] {
            let content = message {
                $0.bytes(1, [])
                $0.text(5, "wire.malformed")
                $0.bytes(6, bytes)
            }
            #expect(refusal(kind: 15, content) == .malformed)
        }
    }

    @Test(
        "Requests",
        arguments: [
            (0, 1, nil), (4 << 30, 1, nil), ((4 << 30) + 1, 1, .oversized), (0, 0, .malformed),
            (0, 1024 * 1024, nil), (0, 1024 * 1024 + 1, .oversized), (.max, .max, .oversized),
        ] as [(UInt64, UInt64, ReasonCode?)])
    func fetch(offset: UInt64, length: UInt64, expected: ReasonCode?) {
        let content = message {
            $0.bytes(1, digest)
            $0.varint(2, offset)
            $0.varint(3, length)
        }
        #expect(refusal(kind: 12, content) == expected)
    }

    @Test("Chunks")
    func chunk() {
        let short = message {
            $0.bytes(1, Array(digest.dropLast()))
            $0.bytes(3, [1])
        }
        let empty = message { $0.bytes(1, digest) }
        let far = message {
            $0.bytes(1, digest)
            $0.varint(2, .max)
            $0.bytes(3, [1])
        }
        #expect(refusal(kind: 13, short) == .malformed)
        #expect(refusal(kind: 13, empty) == .malformed)
        #expect(refusal(kind: 13, far) == .oversized)
    }

    @Test(
        "Shapes whose product overflows, or is beyond the largest object",
        arguments: [
            ([1 << 30], nil), ([1 << 15, 1 << 15], nil), ([(1 << 30) + 1], .oversized),
            ([1 << 32, 1 << 32], .oversized), ([.max, .max], .oversized), ([0], .malformed),
            ([1, 1, 1, 1, 1, 1, 1, 1, 1], .oversized),
        ] as [([UInt64], ReasonCode?)])
    func shapes(shape: [UInt64], expected: ReasonCode?) {
        let tensor = message { writer in
            writer.text(1, "weight")
            for extent in shape { writer.varint(2, extent) }
        }
        #expect(refusal(kind: 11, welcome([("body", [tensor])])) == expected)
    }

    @Test("Layouts that are not layouts")
    func layouts() {
        let one = message { $0.text(1, "one") }
        let two = message { $0.text(1, "two") }
        #expect(refusal(kind: 11, welcome([("body", [one]), ("head", [two])])) == nil)
        #expect(refusal(kind: 11, welcome([("body", [one]), ("body", [two])])) == .malformed)
        #expect(refusal(kind: 11, welcome([("body", [one, one])])) == .malformed)
        #expect(refusal(kind: 11, welcome([("body", [])])) == .malformed)
        let large = message {
            $0.text(1, "large")
            $0.varint(2, 1 << 30)
        }
        #expect(refusal(kind: 11, welcome([("body", [large, one])])) == .oversized)
    }

    private func welcome(_ groups: [(name: String, tensors: [[UInt8]])]) -> [UInt8] {
        message { welcome in
            welcome.varint(1, 1)
            welcome.bytes(
                2,
                message { layout in
                    for group in groups {
                        layout.bytes(
                            1,
                            message { item in
                                item.text(1, group.name)
                                for tensor in group.tensors { item.bytes(2, tensor) }
                            })
                    }
                })
        }
    }

    @Test(
        "Selections",
        arguments: [
            (0.5, 1.0, nil), (1, 1000, nil), (0, 1, .malformed), (1.01, 1, .malformed), (.nan, 1, .malformed),
            (-0.5, 1, .malformed), (0.5, 0.9, .malformed), (0.5, .infinity, .malformed), (0.5, .nan, .malformed),
        ] as [(Double, Double, ReasonCode?)])
    func selections(fraction: Double, overSelect: Double, expected: ReasonCode?) {
        let selection = message {
            $0.double(1, fraction)
            $0.double(3, overSelect)
        }
        #expect(refusal(kind: 21, plan(selection: selection)) == expected)
    }

    @Test(
        "Ring parameters that their bounds do not give",
        arguments: [
            (26, 8, 1 << 20, 1 << 32, nil), (25, 8, 1 << 20, 1 << 32, .malformed), (26, 0, 1, 1, .malformed),
            (26, .nan, 1, 1, .malformed), (26, .infinity, 1, 1, .malformed), (26, -8, 1 << 20, 1 << 32, .malformed),
            (26, 8, 0, 0, .malformed), (26, 8, .max, .max, .malformed), (.max, 8, 1 << 20, 1 << 32, .malformed),
        ] as [(UInt64, Float, UInt64, UInt64, ReasonCode?)])
    func rings(exponent: UInt64, bound: Float, weightMax: UInt64, totalMax: UInt64, expected: ReasonCode?) {
        let ring = message {
            $0.varint(1, exponent)
            $0.float(2, bound)
            $0.varint(3, weightMax)
            $0.varint(4, totalMax)
        }
        #expect(refusal(kind: 21, plan(groups: [group(ring: ring)])) == expected)
    }

    @Test("An encoding or normaliser that is not known, too many groups")
    func groups() {
        let ring = message {
            $0.varint(1, 26)
            $0.float(2, 8)
            $0.varint(3, 1 << 20)
            $0.varint(4, 1 << 32)
        }
        #expect(refusal(kind: 21, plan(groups: [group(ring: ring, encoding: 9)])) == .wrongEncoding)
        #expect(refusal(kind: 21, plan(groups: [group(ring: ring, normaliser: 0)])) == .malformed)
        #expect(refusal(kind: 21, plan(groups: Array(repeating: group(ring: ring), count: 64))) == nil)
        #expect(refusal(kind: 21, plan(groups: Array(repeating: group(ring: ring), count: 65))) == .oversized)
    }

    private func group(ring: [UInt8], encoding: UInt64 = 1, normaliser: UInt64 = 1) -> [UInt8] {
        message {
            $0.text(1, "body")
            $0.varint(2, 10)
            $0.bytes(3, ring)
            $0.varint(4, encoding)
            $0.varint(5, normaliser)
        }
    }

    private func plan(groups: [[UInt8]] = [], selection: [UInt8]? = nil) -> [UInt8] {
        let object = message {
            $0.bytes(1, digest)
            $0.varint(2, 40)
        }
        let source = message {
            $0.bytes(1, object)
            $0.varint(2, 1)
        }
        let model = message {
            $0.bytes(1, digest)
            $0.bytes(2, source)
        }
        let everybody = message {
            $0.double(1, 1)
            $0.double(3, 1)
        }
        return message { writer in
            writer.bytes(1, number)
            writer.bytes(3, [])
            writer.bytes(4, model)
            for group in groups { writer.bytes(5, group) }
            writer.bytes(6, selection ?? everybody)
            writer.varint(7, 1000)
        }
    }

    @Test(
        "Rounds",
        arguments: [
            (0, 1, nil), (1_000_000, 1_000_000, nil), (1_000_001, 1, .oversized), (1, 0, .malformed),
        ] as [(UInt64, UInt64, ReasonCode?)])
    func rounds(round: UInt64, edgeRound: UInt64, expected: ReasonCode?) {
        let content = message {
            $0.bytes(
                1,
                message {
                    $0.varint(1, round)
                    $0.varint(2, edgeRound)
                })
        }
        #expect(refusal(kind: 17, content) == expected)
    }

    @Test("Times, counts and thousandths")
    func numbers() {
        #expect(refusal(kind: 19, message { $0.varint(1, 366 * 86_400_000) }) == nil)
        #expect(refusal(kind: 19, message { $0.varint(1, 366 * 86_400_000 + 1) }) == .oversized)
        #expect(refusal(kind: 16, message { $0.varint(1, .max) }) == .oversized)
        let working = message {
            $0.bytes(1, number)
            $0.varint(4, 1001)
        }
        #expect(refusal(kind: 17, working) == .oversized)
    }

    @Test("A voice speaks for a client at least, and for no more than were chosen")
    func voices() {
        let cases: [(chosen: UInt64, contributors: UInt64, expected: ReasonCode?)] = [
            (1, 1, nil), (1 << 40, 1 << 40, nil), (3, 0, .malformed), (3, 4, .malformed), (0, 0, .malformed),
            (0, 1, .malformed), (1 << 41, 1, .oversized),
        ]
        for (chosen, contributors, expected) in cases {
            let content = message {
                $0.bytes(1, message { $0.text(1, "edge-1") })
                $0.bytes(2, number)
                $0.bytes(3, digest)
                $0.bytes(
                    7,
                    message {
                        $0.varint(1, chosen)
                        $0.varint(2, contributors)
                    })
            }
            #expect(refusal(kind: 22, content) == expected, "\(contributors) of \(chosen)")
        }
    }

    @Test(
        "Excluded names: sorted, whole, each once",
        arguments: [
            ([], nil), ([1, 2], nil), ([2, 1], .malformed), ([1, 1], .malformed),
        ] as [([UInt8], ReasonCode?)])
    func excludedNames(lasts: [UInt8], expected: ReasonCode?) {
        let names = lasts.flatMap { [UInt8](repeating: 0, count: 15) + [$0] }
        #expect(refusal(kind: 26, grant(names)) == expected)
        #expect(refusal(kind: 26, grant(names + [1])) == .malformed)
    }

    private func grant(_ names: [UInt8]) -> [UInt8] {
        let key = message {
            $0.text(1, "eu-west")
            $0.bytes(2, number)
        }
        return message {
            $0.bytes(1, key)
            $0.bytes(2, names)
        }
    }

    @Test("Reasons and subjects that are not known")
    func reasons() {
        #expect(refusal(kind: 20, message { $0.text(1, "run.stopped") }) == nil)
        #expect(refusal(kind: 20, message { $0.text(1, "run.elsewhere") }) == .malformed)
        #expect(refusal(kind: 15, message { $0.text(5, "wire.malformed") }) == .malformed)
    }

    @Test("Parts that are missing, for every kind")
    func missingParts() {
        for kind in (10...27) as ClosedRange<UInt32> where ![14, 16, 19].contains(kind) {
            #expect(refusal(kind: kind, []) == .malformed, "kind \(kind)")
        }
    }
}
