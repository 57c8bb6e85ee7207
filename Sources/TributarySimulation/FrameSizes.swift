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
            let size = Wire.byteCount(of: envelope)
            sizes[key] = size
            return size
        }

        private static let countMax = 256
    }

    private var receipts = Shelf()
    private var closings = Shelf()
    private var workings = Shelf()
    private var plan: (plan: RoundPlan, run: RunID?, epoch: TopologyEpoch, size: Int)?

    mutating func byteCount(of envelope: Envelope) -> Int {
        switch envelope.message {
        case .plan(let plan): return byteCount(of: plan, envelope)
        case .receipt(let receipt):
            guard case .update(let key) = receipt.subject else { break }
            let durability = UInt64(receipt.durability.rawValue)
            return receipts.size(
                envelope, Key(name: key.node.value.utf8.count, first: key.sequence, second: durability))
        case .roundClosed(let closed):
            guard case .committed(let count) = closed.outcome else { break }
            return closings.size(envelope, Key(name: 0, first: closed.number.packed, second: count))
        case .working(let working) where working.chosenCount == 1 && working.reportedCount == 0:
            return workings.size(
                envelope, Key(name: 0, first: working.number.packed, second: UInt64(working.permille)))
        case .hello, .ready, .update, .sumOffer, .sum, .working, .leave, .welcome, .sumGrant, .wait, .drain, .refuse:
            break
        }
        return Wire.byteCount(of: envelope)
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
