// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryWire

/// The sizes of messages' frames, by the wire's own functions; those that many get alike are computed once.
///
/// What a frame's size depends on is compared, so sizes are exact: two receipts differ in size only by the length of a
/// name and by their numbers.
struct FrameSizes {
    /// What the size of a message to or from a child depends on, beside the run and the epoch.
    private struct Key: Hashable {
        var name: Int
        var first: UInt64
        var second: UInt64
        /// Bits of the numbers in a group and in up to three metrics; an integer's size depends on its bits.
        var bits = SIMD4<UInt32>.zero
    }

    private struct Shelf {
        var run: RunID?
        var epoch = TopologyEpoch(0)
        var sizes: [Key: Int] = [:]

        mutating func size(_ envelope: Envelope, _ key: Key) -> Int {
            if envelope.run != run || envelope.epoch != epoch || sizes.count > Self.countMax {
                self = Shelf(run: envelope.run, epoch: envelope.epoch)
            }
            if let known = sizes[key] { return known }
            let size = FrameSizes.wireByteCount(of: envelope)
            sizes[key] = size
            return size
        }

        private static let countMax = 256
    }

    private var updates = Shelf()
    private var receipts = Shelf()
    private var closings = Shelf()
    private var workings = Shelf()
    private var plan: (plan: RoundPlan, run: RunID?, epoch: TopologyEpoch, size: Int)?

    mutating func byteCount(of envelope: Envelope) -> Int {
        switch envelope.message {
        case .plan(let plan): return byteCount(of: plan, envelope)
        case .update(let update):
            guard let key = Self.key(of: update) else { break }
            return updates.size(envelope, key)
        case .receipt(let receipt):
            guard case .update(let key) = receipt.subject else { break }
            let durability = UInt64(receipt.durability.rawValue)
            return receipts.size(
                envelope, Key(name: key.node.value.utf8.count, first: key.sequence, second: durability))
        case .roundClosed(let closed):
            guard case .committed(let count) = closed.outcome else { break }
            return closings.size(envelope, Key(name: closed.without.count, first: closed.number.packed, second: count))
        case .working(let working) where working.chosenCount == 1 && working.reportedCount == 0:
            return workings.size(
                envelope, Key(name: 0, first: working.number.packed, second: UInt64(working.permille)))
        case .hello, .ready, .sumOffer, .sum, .working, .leave, .welcome, .sumGrant, .wait, .drain, .refuse:
            break
        }
        return Self.wireByteCount(of: envelope)
    }

    /// A frame's size on the wire, where updates are signed.
    private static func wireByteCount(of envelope: Envelope) -> Int {
        guard case .update(var update) = envelope.message, update.signature == nil else {
            return Wire.byteCount(of: envelope)
        }
        update.signature = .blank(epoch: envelope.epoch)
        return Wire.byteCount(of: Envelope(run: envelope.run, epoch: envelope.epoch, message: .update(update)))
    }

    /// `nil` for updates of an uncommon shape.
    private static func key(of update: Update) -> Key? {
        guard update.groups.count == 1, update.metrics.count <= 3, update.voice == nil, let body = update.body else {
            return nil
        }
        var bits = SIMD4<UInt32>.zero
        bits[3] = UInt32(update.groups[0].weight.bitCount) << 8 | UInt32(body.byteCount.bitCount)
        for (position, metric) in update.metrics.enumerated() {
            // As the wire writes signed numbers: 0, -1, 1, -2 as 0, 1, 2, 3.
            let numerator = UInt64(bitPattern: metric.numerator << 1 ^ metric.numerator >> 63)
            bits[position] =
                1 << 31 | UInt32(metric.name.utf8.count) << 16 | UInt32(numerator.bitCount) << 8
                | UInt32(metric.denominator.magnitude.bitCount)
        }
        return Key(
            name: update.key.node.value.utf8.count, first: update.key.sequence, second: update.number.packed, bits: bits
        )
    }

    private mutating func byteCount(of plan: RoundPlan, _ envelope: Envelope) -> Int {
        if let last = self.plan, last.epoch == envelope.epoch, last.run == envelope.run, last.plan.isAlike(plan) {
            return last.size
        }
        let size = Wire.byteCount(of: envelope)
        self.plan = (plan, envelope.run, envelope.epoch, size)
        return size
    }
}

extension UInt64 {
    /// Bits up to and including the highest that is set.
    fileprivate var bitCount: Int { 64 - leadingZeroBitCount }
}

extension RoundNumber {
    /// Both numbers in one word.
    fileprivate var packed: UInt64 { UInt64(round) << 32 | UInt64(edgeRound) }
}

extension RoundPlan {
    /// Whether a plan differs from another one in nothing; what changes most is compared first.
    fileprivate func isAlike(_ other: RoundPlan) -> Bool {
        number == other.number && timeLeft == other.timeLeft && self == other
    }
}
