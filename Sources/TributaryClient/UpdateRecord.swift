// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryFiles
import TributaryProtocol
import TributaryWire

// The contents of an update log's records; numbers are little-endian, a text is its length in one byte and its bytes.
//
//     made       1, parent's name, bound (0 or 1), receipt (0 none, else its durability), body (`BodyPlace`), number of
//                holders in one byte, their names, length of the frame in four bytes, the update's frame, the body if
//                it is here
//     receipted  2, node's name, sequence in eight bytes, durability
//     settled    3, node's name, sequence in eight bytes

/// A record of an update log, as bytes.
struct UpdateRecord {
    /// Why a record cannot be read although its checksum is right.
    struct Unreadable: Error, CustomStringConvertible {
        let description: String
    }

    let bytes: [UInt8]
    /// Where an update's body is.
    private(set) var body = BodyPlace.none

    private enum Kind: UInt8 {
        case made = 1
        case receipted = 2
        case settled = 3
    }

    // MARK: Writing

    /// The bytes of a record; an update's body is taken from the store when it is small.
    init(_ record: ClientRecord, _ store: ObjectStore) throws {
        switch record {
        case .made(let update):
            let object = update.update.body
            switch object {
            case nil: body = .none
            case let object? where object.byteCount <= UpdateLog.inlineByteCountMax: body = .here
            case .some: body = .object
            }
            var bytes = try Self.head(of: update, body, frame: Self.frame(of: update))
            if body == .here, let object {
                try store.withBytes(of: object.digest, offset: 0, byteCount: Int(object.byteCount)) { span in
                    span.withUnsafeBytes { bytes.append(contentsOf: $0) }
                }
            }
            self.bytes = bytes
        case .receipted(let key, let durability):
            bytes = Self.named(.receipted, key) + [durability.rawValue]
        case .settled(let update, _):
            bytes = Self.named(.settled, update.update.key)
        }
    }

    private static func head(of update: UnsettledUpdate, _ body: BodyPlace, frame: [UInt8]) -> [UInt8] {
        [Kind.made.rawValue] + text(update.parent?.value ?? "")
            + [update.isBound ? 1 : 0, update.receipt?.rawValue ?? 0, body.rawValue]
            + [UInt8(clamping: update.holders.count)] + update.holders.prefix(255).flatMap { text($0.value) }
            + number(UInt64(frame.count), 4) + frame
    }

    private static func frame(of update: UnsettledUpdate) throws -> [UInt8] {
        let envelope = Envelope(run: update.run, epoch: TopologyEpoch(1), message: .update(update.update))
        var frame = [UInt8](repeating: 0, count: Wire.byteCount(of: envelope))
        _ = try frame.withUnsafeMutableBytes { try Wire.encode(envelope, into: $0) }
        return frame
    }

    private static func named(_ kind: Kind, _ key: UpdateKey) -> [UInt8] {
        [kind.rawValue] + text(key.node.value) + number(key.sequence, 8)
    }

    private static func text(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8.prefix(255))
        return [UInt8(bytes.count)] + bytes
    }

    private static func number(_ value: UInt64, _ byteCount: Int) -> [UInt8] {
        (0..<byteCount).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    }

    /// The bytes of the same update with what `record` says of its receipt.
    func bytes(saying record: UnsettledUpdate) -> [UInt8] {
        guard var cursor = try? Cursor(self), let made = try? Made(&cursor) else { return bytes }
        return Self.head(of: record, made.body, frame: Array(bytes[made.frame])) + bytes[made.frame.upperBound...]
    }

    // MARK: Reading

    /// A record that was read.
    init(_ content: [UInt8]) { bytes = content }

    /// The body that stands in an update's record.
    var inlineBody: ArraySlice<UInt8> {
        get throws {
            var cursor = try Cursor(self)
            return bytes[try Made(&cursor).frame.upperBound...]
        }
    }

    /// Does to the entries of a log what the record says.
    func apply(to entries: inout [UpdateKey: UpdateLog.Entry], _ place: UInt64, _ byteCount: Int) throws {
        var cursor = try Cursor(self)
        switch cursor.kind {
        case .made:
            let made = try Made(&cursor)
            let record = try made.record(bytes)
            entries[record.update.key] = UpdateLog.Entry(
                record: record, body: made.body, place: place, byteCount: AppendLog.byteCount(ofRecord: byteCount))
        case .receipted:
            let key = try cursor.key()
            guard let durability = Receipt.Durability(rawValue: try cursor.byte()) else {
                throw Unreadable(description: "a receipt promises something unknown")
            }
            entries[key]?.record.receipt = durability
        case .settled: entries[try cursor.key()] = nil
        }
    }

    /// The parts of an update's record.
    private struct Made {
        let parent: String
        let isBound: Bool
        let receipt: Receipt.Durability?
        let body: BodyPlace
        private(set) var holders: [NodeName] = []
        let frame: Range<Int>

        init(_ cursor: inout Cursor) throws {
            guard cursor.kind == .made else { throw Unreadable(description: "it holds no update") }
            parent = try cursor.text()
            isBound = try cursor.byte() != 0
            receipt = Receipt.Durability(rawValue: try cursor.byte())
            guard let body = BodyPlace(rawValue: try cursor.byte()) else {
                throw Unreadable(description: "the place of a body is not known")
            }
            self.body = body
            for _ in 0..<(try cursor.byte()) { holders.append(NodeName(try cursor.text())) }
            frame = try cursor.range(Int(try cursor.number(4)))
        }

        func record(_ bytes: [UInt8]) throws -> UnsettledUpdate {
            let decoded = try bytes[frame].withUnsafeBytes {
                try Wire.decode($0, frameByteCountMax: Limits.envelopeByteCount)
            }
            guard case .message(let envelope) = decoded.body, case .update(let update) = envelope.message else {
                throw Unreadable(description: "a frame holds no update")
            }
            return UnsettledUpdate(
                update: update, run: envelope.run, parent: parent.isEmpty ? nil : NodeName(parent), isBound: isBound,
                receipt: receipt, holders: holders)
        }
    }

    /// Reads a record's parts, one after the other.
    private struct Cursor {
        let kind: Kind
        private let bytes: [UInt8]
        private var place = 1

        init(_ record: UpdateRecord) throws {
            guard let kind = record.bytes.first.flatMap(Kind.init(rawValue:)) else {
                throw Unreadable(description: "a record of an unknown kind")
            }
            self.kind = kind
            bytes = record.bytes
        }

        mutating func range(_ count: Int) throws -> Range<Int> {
            guard count >= 0, count <= bytes.count - place else {
                throw Unreadable(description: "a record ends early")
            }
            defer { place += count }
            return place..<(place + count)
        }

        mutating func byte() throws -> UInt8 { bytes[try range(1).lowerBound] }

        mutating func text() throws -> String { String(decoding: bytes[try range(Int(try byte()))], as: UTF8.self) }

        mutating func number(_ byteCount: Int) throws -> UInt64 {
            try range(byteCount).reversed().reduce(0) { $0 << 8 | UInt64(bytes[$1]) }
        }

        mutating func key() throws -> UpdateKey {
            UpdateKey(node: NodeName(try text()), sequence: try number(8))
        }
    }
}
