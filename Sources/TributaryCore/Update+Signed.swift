// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// What a device signs of its update: one byte string for one meaning, described in Proto/README.md.

extension Update {
    /// The bytes that the device signs: the whole update, the run and the epoch, but neither signature nor voice.
    ///
    /// A prefix that no other signed text has; then, big-endian and with every text's and list's length before it,
    /// run, epoch, round, edge round, name, sequence, base, groups, body and metrics.
    package func signedBytes(run: RunID, epoch: TopologyEpoch) -> [UInt8] {
        var bytes = SignedBytes(prefix: "tributary.update.v1")
        bytes.append(run.value)
        bytes.append(epoch.value)
        bytes.append(number.round)
        bytes.append(number.edgeRound)
        bytes.append(key.node.value)
        bytes.append(key.sequence)
        bytes.append(base)
        bytes.append(UInt32(groups.count))
        for group in groups {
            bytes.append(group.weight)
            bytes.append(UInt32(group.encoding.rawValue))
            bytes.append(group.byteCount)
        }
        bytes.append(UInt32(body == nil ? 0 : 1))
        if let body {
            bytes.append(body.digest)
            bytes.append(body.byteCount)
        }
        bytes.append(UInt32(metrics.count))
        for metric in metrics {
            bytes.append(metric.name)
            bytes.append(UInt64(bitPattern: metric.numerator))
            bytes.append(UInt64(bitPattern: metric.denominator))
        }
        return bytes.bytes
    }
}

/// A byte string under construction that reads in one way only.
package struct SignedBytes: Sendable {
    package private(set) var bytes: [UInt8]

    /// Begins with what tells this text from every other that is signed, and a zero byte.
    package init(prefix: String) {
        bytes = Array(prefix.utf8) + [0]
        bytes.reserveCapacity(512)
    }

    /// Appends a number, big-endian.
    package mutating func append<Value: FixedWidthInteger & UnsignedInteger>(_ value: Value) {
        bytes += Self.bigEndian(value)
    }

    /// A number's bytes, the highest first.
    package static func bigEndian<Value: FixedWidthInteger & UnsignedInteger>(_ value: Value) -> [UInt8] {
        stride(from: Value.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> Value($0)) }
    }

    /// Appends a text behind the number of its bytes, which takes four.
    package mutating func append(_ text: String) {
        append(UInt32(text.utf8.count))
        bytes += text.utf8
    }

    /// Appends 32 bytes.
    package mutating func append(_ digest: Digest) { bytes += digest.bytes }
}
