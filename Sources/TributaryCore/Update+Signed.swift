// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// What the sender of an update signs: one byte string for one meaning, described in Proto/README.md.

extension Update {
    private static let prefix = "tributary.update.v1"

    /// The bytes that the sender signs: the whole update, the run and the epoch, but not the signature.
    ///
    /// A prefix that no other signed text has; then, big-endian and with every text's and list's length before it,
    /// run, epoch, round, edge round, name, sequence, base, groups, body, metrics and voice.
    package func signedBytes(run: RunID, epoch: TopologyEpoch) -> [UInt8] {
        var bytes = SignedBytes(prefix: Self.prefix)
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
        bytes.append(UInt32(voice == nil ? 0 : 1))
        if let voice {
            bytes.append(voice.chosenCount)
            bytes.append(voice.contributorCount)
        }
        return bytes.bytes
    }

    /// Reads what was signed, with run and epoch; `nil` for anything that `signedBytes` does not write.
    package static func reading(signedBytes bytes: [UInt8]) -> (update: Update, run: RunID, epoch: TopologyEpoch)? {
        var reader = SignedBytesReader(bytes)
        guard reader.skip(Array(prefix.utf8) + [0]), let run = reader.text(), let epoch = reader.number(UInt64.self),
            let round = reader.number(UInt32.self), let edgeRound = reader.number(UInt32.self),
            let node = reader.text(), let sequence = reader.number(UInt64.self), let base = reader.digest(),
            let groups = reader.list(maximum: Limits.groupCountMax, group),
            let body = reader.optional({ reader in
                reader.digest().flatMap { digest in
                    reader.number(UInt64.self).map { ObjectReference(digest: digest, byteCount: $0) }
                }
            }),
            let metrics = reader.list(maximum: Limits.metricCountMax, metric),
            let voice = reader.optional({ reader in
                reader.number(UInt64.self).flatMap { chosen in
                    reader.number(UInt64.self).map { Voice(chosenCount: chosen, contributorCount: $0) }
                }
            }), reader.isAtEnd
        else { return nil }
        let update = Update(
            key: UpdateKey(node: NodeName(node), sequence: sequence),
            number: RoundNumber(round: round, edgeRound: edgeRound), base: base, groups: groups, metrics: metrics,
            body: body, voice: voice)
        return (update, RunID(run), TopologyEpoch(epoch))
    }

    private static func group(_ reader: inout SignedBytesReader) -> Group? {
        guard let weight = reader.number(UInt64.self), let number = reader.number(UInt32.self),
            let encoding = UInt8(exactly: number).flatMap({ UpdateEncoding(rawValue: $0) }),
            let byteCount = reader.number(UInt64.self)
        else { return nil }
        return Group(weight: weight, encoding: encoding, byteCount: byteCount)
    }

    private static func metric(_ reader: inout SignedBytesReader) -> MetricCounter? {
        guard let name = reader.text(), let numerator = reader.number(UInt64.self),
            let denominator = reader.number(UInt64.self)
        else { return nil }
        return MetricCounter(
            name: name, numerator: Int64(bitPattern: numerator), denominator: Int64(bitPattern: denominator))
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

/// Reads a byte string that `SignedBytes` wrote; every step is `nil` where the bytes end or do not fit.
package struct SignedBytesReader {
    private let bytes: [UInt8]
    private var position = 0

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Whether nothing is left.
    package var isAtEnd: Bool { position == bytes.count }

    /// Whether the next bytes are these.
    package mutating func skip(_ expected: [UInt8]) -> Bool { raw(count: expected.count) == expected }

    /// The next bytes.
    package mutating func raw(count: Int) -> [UInt8]? {
        guard count >= 0, bytes.count - position >= count else { return nil }
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    /// A big-endian number.
    package mutating func number<Value: FixedWidthInteger & UnsignedInteger>(_: Value.Type) -> Value? {
        raw(count: Value.bitWidth / 8)?.reduce(0) { $0 << 8 | Value($1) }
    }

    /// A text of at most `Limits.nameByteCountMax` bytes.
    package mutating func text() -> String? {
        guard let count = number(UInt32.self), count <= Limits.nameByteCountMax else { return nil }
        return raw(count: Int(count)).flatMap { String(validating: $0, as: UTF8.self) }
    }

    /// 32 bytes.
    package mutating func digest() -> Digest? { raw(count: Digest.byteCount).flatMap { Digest($0) } }

    /// A counted list.
    package mutating func list<Value>(
        maximum: Int, _ read: (inout SignedBytesReader) -> Value?
    ) -> [Value]? {
        guard let count = number(UInt32.self), count <= maximum else { return nil }
        var values: [Value] = []
        for _ in 0..<count {
            guard let value = read(&self) else { return nil }
            values.append(value)
        }
        return values
    }

    /// Something that is there once or not at all.
    package mutating func optional<Value>(_ read: (inout SignedBytesReader) -> Value?) -> Value?? {
        switch number(UInt32.self) {
        case 0: return .some(nil)
        case 1:
            guard let value = read(&self) else { return nil }
            return .some(value)
        default: return nil
        }
    }
}
