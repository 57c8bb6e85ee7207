// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// A run as a TensorBoard event file: scalars whose step is the round.
///
/// A file is a sequence of TFRecords: length (8 bytes, little-endian), masked CRC-32C of the length, payload, masked
/// CRC-32C of the payload (https://www.tensorflow.org/tutorials/load_data/tfrecord). A payload is a protobuf `Event`
/// of tensorboard/compat/proto/event.proto: wall_time = 1 (double), step = 2 (int64), file_version = 3 (string),
/// summary = 5; a `Summary` of summary.proto is repeated value = 1 with tag = 1 (string), simple_value = 2 (float).
package enum TensorBoardEvents {
    /// The name of a run's event file; TensorBoard looks for `tfevents` in it.
    package static func fileName(_ run: RunRecord) -> String {
        let digits = String(run.startedAt ?? 0)
        return "events.out.tfevents.\(String(repeating: "0", count: max(0, 10 - digits.count)))\(digits).tributary"
    }

    /// The whole file.
    package static func bytes(_ run: RunRecord) -> [UInt8] {
        var time = Double(run.startedAt ?? 0)
        var file = record(event(time: time, step: 0, field: 3, Array("brain.Event:2".utf8)))
        for round in run.rounds {
            time += round.wallSeconds
            let values = scalars(of: round).flatMap { tag, value in
                field(1, field(1, Array(tag.utf8)) + key(2, .fixed32) + littleEndian(Float(value).bitPattern))
            }
            guard !values.isEmpty else { continue }
            file += record(event(time: time, step: round.round, field: 5, values))
        }
        return file
    }

    /// The scalars of a round by tag; what was not measured is left out.
    package static func scalars(of round: RunRecord.Round) -> [(tag: String, value: Double)] {
        let measured: [(String, Double?)] = [
            ("accuracy", round.accuracy), ("loss", round.loss), ("train/accuracy", round.trainAccuracy),
            ("train/loss", round.trainLoss), ("devices/accuracy", round.deviceAccuracy),
            ("devices/loss", round.deviceLoss), ("round/virtual_seconds", round.virtualSeconds),
            ("round/wall_seconds", round.wallSeconds), ("round/selected", Double(round.selected)),
            ("round/reported", Double(round.reported)),
        ]
        var scalars = measured.compactMap { tag, value in value.map { (tag: tag, value: $0) } }
        for (name, counts) in [("bytes_up", round.bytesUp), ("bytes_down", round.bytesDown)] {
            scalars += counts.sorted { $0.key < $1.key }.map { (tag: "\(name)/\($0.key)", value: Double($0.value)) }
        }
        for (tier, spent) in round.energyJoules.sorted(by: { $0.key < $1.key }) {
            scalars.append((tag: "energy_compute_joules/\(tier)", value: spent.compute))
            scalars.append((tag: "energy_radio_joules/\(tier)", value: spent.radio))
        }
        return scalars
    }

    // MARK: protobuf

    private enum WireType: UInt64 {
        case varint = 0
        case fixed64 = 1
        case bytes = 2
        case fixed32 = 5
    }

    private static func event(time: Double, step: UInt32, field number: UInt64, _ content: [UInt8]) -> [UInt8] {
        key(1, .fixed64) + littleEndian(time.bitPattern) + key(2, .varint) + varint(UInt64(step))
            + field(number, content)
    }

    private static func key(_ number: UInt64, _ type: WireType) -> [UInt8] { varint(number << 3 | type.rawValue) }

    /// A field of bytes, a text or a message.
    private static func field(_ number: UInt64, _ content: [UInt8]) -> [UInt8] {
        key(number, .bytes) + varint(UInt64(content.count)) + content
    }

    private static func varint(_ value: UInt64) -> [UInt8] {
        var rest = value
        var bytes: [UInt8] = []
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    private static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        stride(from: 0, to: type(of: value).bitWidth, by: 8).map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    // MARK: TFRecord

    private static func record(_ payload: [UInt8]) -> [UInt8] {
        let length = littleEndian(UInt64(payload.count))
        return length + littleEndian(maskedChecksum(length)) + payload + littleEndian(maskedChecksum(payload))
    }

    /// CRC-32C, turned and shifted so that the sum of data that holds sums is no trivial one.
    private static func maskedChecksum(_ bytes: [UInt8]) -> UInt32 {
        let sum = CRC32C.checksum(bytes)
        return (sum >> 15 | sum << 17) &+ 0xA282_EAD8
    }
}

/// The Castagnoli checksum: polynomial 0x1EDC6F41, reflected (RFC 3720, appendix B.4).
package enum CRC32C {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
    }

    /// The checksum of bytes.
    package static func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~0) { sum, byte in table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] ^ sum >> 8 }
    }
}
