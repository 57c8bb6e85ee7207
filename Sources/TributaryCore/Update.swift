// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// One contribution's identity in a run: who sends it, and the sender's own count of its contributions.
///
/// The sequence is stored by the sender and grows with every plan it answers, so a retry is recognised as the same
/// contribution and a new one never is.
package struct UpdateKey: Hashable, Sendable, CustomStringConvertible {
    package var node: NodeName
    package var sequence: UInt64
    package init(node: NodeName, sequence: UInt64) {
        self.node = node
        self.sequence = sequence
    }
    package var description: String { "\(node)/\(sequence)" }
}

/// An offer of a delta with its weights: what a client, or a stepping aggregator, answers a plan with.
///
/// The delta is `local - base`. Its body is an object that holds each group's encoded values one after another.
package struct Update: Hashable, Sendable {
    /// What an update says about one group of parameters.
    package struct Group: Hashable, Sendable {
        /// The weight, in `1...weightMax`: the number of examples unless the strategy says otherwise.
        package var weight: UInt64
        package var encoding: UpdateEncoding
        package var byteCount: UInt64
        package init(weight: UInt64, encoding: UpdateEncoding, byteCount: UInt64) {
            self.weight = weight
            self.encoding = encoding
            self.byteCount = byteCount
        }
    }

    /// For how many clients an aggregator's update speaks.
    package struct Voice: Hashable, Sendable {
        /// Clients chosen below the sender.
        package var chosenCount: UInt64
        /// Clients whose work is in the update, in `1...chosenCount`.
        package var contributorCount: UInt64
        package init(chosenCount: UInt64, contributorCount: UInt64) {
            self.chosenCount = chosenCount
            self.contributorCount = contributorCount
        }
    }

    /// A device's proof that an update is its own, whoever forwards it.
    package struct Signature: Hashable, Sendable {
        /// Bytes of an Ed25519 signature.
        package static let byteCount = 64
        /// The epoch by which the device acted.
        package var epoch: TopologyEpoch
        /// 64 bytes over `Update.signedBytes(run:epoch:)`.
        package var value: [UInt8]
        package init(epoch: TopologyEpoch, value: [UInt8]) {
            self.epoch = epoch
            self.value = value
        }

        /// A signature of zeros: where nobody signs, and messages have the sizes that signed ones have.
        package static func blank(epoch: TopologyEpoch) -> Signature {
            Signature(epoch: epoch, value: [UInt8](repeating: 0, count: byteCount))
        }
    }

    package var key: UpdateKey
    package var number: RoundNumber
    /// The digest of the decoded base model.
    package var base: Digest
    /// One entry for each group of the plan, in its order; empty in answer to `evaluate`.
    package var groups: [Group]
    package var metrics: [MetricCounter]
    /// The encoded delta; `nil` in answer to `evaluate`.
    package var body: ObjectReference?
    /// Set by a stepping aggregator; `nil` in a client's own update.
    package var voice: Voice?
    /// A device's; `nil` in an aggregator's update, and before the device's host has signed.
    package var signature: Signature?

    package init(
        key: UpdateKey, number: RoundNumber, base: Digest, groups: [Group], metrics: [MetricCounter],
        body: ObjectReference?, voice: Voice? = nil, signature: Signature? = nil
    ) {
        self.key = key
        self.number = number
        self.base = base
        self.groups = groups
        self.metrics = metrics
        self.body = body
        self.voice = voice
        self.signature = signature
    }
}

/// A metric as a pair of ring counters, so that it adds up like everything else: `value = numerator / denominator`.
package struct MetricCounter: Hashable, Sendable {
    /// Numerators count units of 2^-20.
    package static let scale = 1_048_576.0

    package var name: String
    package var numerator: Int64
    package var denominator: Int64

    package init(name: String, numerator: Int64, denominator: Int64) {
        self.name = name
        self.numerator = numerator
        self.denominator = denominator
    }

    /// Rounds `sum` (of a quantity over `count` examples) into the ring; a sum that is not finite or too large for
    /// 2^42 is `nil`.
    package init?(name: String, sum: Double, count: Int) {
        guard sum.isFinite, abs(sum) < 0x1p42 else { return nil }
        self.init(
            name: name, numerator: Int64((sum * Self.scale).rounded(.toNearestOrEven)), denominator: Int64(count))
    }

    /// The mean; `nil` when nothing was counted.
    package var value: Double? {
        denominator == 0 ? nil : Double(numerator) / Self.scale / Double(denominator)
    }
}
