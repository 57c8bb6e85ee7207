// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryWire

@testable import TributarySimulation

@Suite struct FrameSizesTests {
    /// Few sizes, so that kept ones are met again, and the numbers where a size changes.
    private static func number(_ random: inout CounterRandom) -> UInt64 {
        let bits = [0, 6, 7, 13, 41][Int(random.next(below: 5))]
        return random.next(below: 3) == 0 ? 1 << UInt64(bits) : random.next() >> UInt64(63 - bits)
    }

    private static func update(_ random: inout CounterRandom) -> Update {
        let metrics = (0..<Int(random.next(below: 4))).map { index in
            let numerator = Int64(number(&random))
            return MetricCounter(
                name: String(repeating: "m", count: index + 1),
                numerator: random.next(below: 2) == 0 ? numerator : -numerator, denominator: Int64(number(&random)))
        }
        let byteCount: UInt64 = 9_640 << random.next(below: 2)
        return Update(
            key: UpdateKey(node: NodeName("device-\(random.next(below: 20))"), sequence: 126 + random.next(below: 4)),
            number: RoundNumber(round: 126 + UInt32(random.next(below: 4))),
            base: Digest(words: random.next(), 1, 2, 3),
            groups: [Update.Group(weight: number(&random), encoding: .float32, byteCount: byteCount)],
            metrics: metrics, body: ObjectReference(digest: Digest(words: 4, 5, 6, 7), byteCount: byteCount))
    }

    /// As the wire has it, where every update is signed.
    private static func signed(_ envelope: Envelope) -> Envelope {
        guard case .update(var update) = envelope.message else { return envelope }
        update.signature = .blank(epoch: envelope.epoch)
        return Envelope(run: envelope.run, epoch: envelope.epoch, message: .update(update))
    }

    @Test("sizes that are kept are those of the wire, whatever was asked for before")
    func sizesAreExact() {
        var random = CounterRandom(seed: 3, purpose: .synthetic)
        var sizes = FrameSizes()
        for _ in 0..<20_000 {
            let update = Self.update(&random)
            let messages: [Message] = [
                .update(update), .receipt(Receipt(subject: .update(update.key), durability: .memory)),
                .roundClosed(
                    RoundClosed(number: update.number, outcome: .committed(contributorCount: Self.number(&random)))),
                .working(Working(number: update.number, chosenCount: 1, reportedCount: 0, permille: 7)),
            ]
            for message in messages {
                let epoch = TopologyEpoch(1 + random.next(below: 2))
                let envelope = Envelope(run: RunID("run"), epoch: epoch, message: message)
                let size = sizes.byteCount(of: envelope)
                #expect(size == Wire.byteCount(of: Self.signed(envelope)), "\(envelope)")
            }
        }
    }
}
