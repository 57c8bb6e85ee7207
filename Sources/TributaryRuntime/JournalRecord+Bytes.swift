// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryFiles
import TributaryProtocol
import TributaryRing
import TributaryWire

// A record's head in the journal. Messages are written as they are on the wire, so that one description of their bytes
// serves both; the few things that never travel are plain little-endian numbers and counted lists.

/// What a journal's records say besides those of a run: where a run begins, and that it is over.
enum JournalEntryKind {
    /// The run, and whose journal it is.
    static let begun: UInt16 = 100
    /// Nothing of the run is needed any more.
    static let ended: UInt16 = 101
}

extension JournalRecord {
    /// The number that stands for the case on disk; never used for anything else.
    var kind: UInt16 {
        switch self {
        case .welcomed: 1
        case .assigned: 2
        case .opened: 3
        case .updateAccepted: 4
        case .sumAccepted: 5
        case .tookOut: 6
        case .answered: 7
        case .stepped: 8
        case .closed: 9
        case .subtracted: 10
        }
    }

    /// The object that is the record's body.
    var body: ObjectReference? {
        switch self {
        case .updateAccepted(let update): update.body
        case .sumAccepted(let sum, _, _), .subtracted(let sum, _): sum.body
        case .welcomed, .assigned, .opened, .tookOut, .answered, .stepped, .closed: nil
        }
    }

    /// Objects that a restart needs beside the body, where they are at hand.
    var objects: [Digest] {
        switch self {
        case .opened(let opening): opening.plan.model.sources.map(\.object.digest)
        case .answered(.sumOffer(let offer)): offer.names.map { [$0.digest] } ?? []
        case .answered(.update(let update)): update.body.map { [$0.digest] } ?? []
        case .stepped(let step): step.model.sources.map(\.object.digest)
        case .welcomed, .assigned, .updateAccepted, .sumAccepted, .tookOut, .subtracted, .answered, .closed: []
        }
    }

    /// The round that the record is about, when a restart needs it until that round is over.
    var roundUntilClosed: RoundNumber? {
        switch self {
        case .opened(let opening): opening.plan.number
        case .updateAccepted(let update): update.number
        case .sumAccepted(let sum, _, _), .subtracted(let sum, _): sum.key.number
        case .tookOut(let number, _, _): number
        case .welcomed, .assigned, .answered, .stepped, .closed: nil
        }
    }

    /// Writes the record; `state` names the objects that hold the optimizer's state with a step.
    func head(state: [ObjectReference] = []) -> [UInt8] {
        var bytes = JournalBytes()
        switch self {
        case .welcomed(let layout):
            bytes.put(.welcome(Welcome(wireVersion: WireVersion.current, layout: layout)))
        case .assigned(let plan): bytes.put(.plan(plan))
        case .opened(let opening):
            bytes.put(.plan(opening.plan))
            bytes.put(opening.clientCount)
            bytes.put(opening.aggregators) {
                $0.put($1.name.value)
                $0.put($1.chosenCount)
            }
        case .updateAccepted(let update): bytes.put(.update(update))
        case .sumAccepted(let sum, let names, let excluded):
            bytes.put(.sum(sum))
            bytes.put(names)
            bytes.put(excluded)
        case .subtracted(let sum, let names):
            bytes.put(.sum(sum))
            bytes.put(names)
        case .tookOut(let number, let updates, let sums):
            bytes.put(number)
            bytes.put(updates) { $0.put($1) }
            bytes.put(sums) { $0.put($1) }
        case .answered(let message): bytes.put(message)
        case .stepped(let step):
            bytes.put(step)
            bytes.put(state) { $0.put($1) }
        case .closed(let end):
            // The names apart: a frame holds fewer of them than a round may leave out.
            bytes.put(.roundClosed(RoundClosed(number: end.number, outcome: end.outcome)))
            bytes.put(end.without)
        }
        return bytes.all
    }

    /// Reads a record's head.
    ///
    /// - Throws: `JournalBytes.Flaw` when it is none of this version's.
    init(kind: UInt16, head: [UInt8]) throws {
        var bytes = JournalReader(head)
        self = try Self.read(kind, &bytes)
        // A step's state follows it, and is read by `state(head:)`.
        if case .stepped = self { return }
        try bytes.finish()
    }

    private static func read(_ kind: UInt16, _ bytes: inout JournalReader) throws -> JournalRecord {
        switch (kind, kind == 6 || kind == 8 ? nil : try bytes.message()) {
        case (1, .welcome(let welcome)?): return .welcomed(welcome.layout)
        case (2, .plan(let plan)?): return .assigned(plan)
        case (3, .plan(let plan)?):
            let count = try bytes.word()
            let asked = try bytes.list { Asked(name: NodeName(try $0.text()), chosenCount: try $0.word()) }
            return .opened(Opening(plan: plan, aggregators: asked, clientCount: count))
        case (4, .update(let update)?): return .updateAccepted(update)
        case (5, .sum(let sum)?):
            return .sumAccepted(sum, names: try bytes.names(), excluded: try bytes.names())
        case (6, nil):
            return .tookOut(
                try bytes.number(), try bytes.list { try $0.updateKey() }, sums: try bytes.list { try $0.sumKey() })
        case (7, let message?): return .answered(message)
        case (8, nil): return .stepped(try bytes.step())
        case (9, .roundClosed(var end)?):
            end.without = try bytes.names()
            return .closed(end)
        case (10, .sum(let sum)?): return .subtracted(sum, names: try bytes.names())
        default: throw JournalBytes.Flaw(text: "an unknown kind of record, \(kind)")
        }
    }

    /// The objects that hold the optimizer's state after the step that a head tells of.
    static func state(head: [UInt8]) throws -> [ObjectReference] {
        var bytes = JournalReader(head)
        _ = try bytes.step()
        return try bytes.list { try $0.object() }
    }
}

/// Bytes of a record's head being written.
struct JournalBytes {
    /// Why bytes are no record.
    struct Flaw: Error, CustomStringConvertible {
        let text: String
        var description: String { text }
    }

    /// What a message may have: as much as any link's frame.
    static let frameByteCountMax = Wire.frameByteCountMax(chunkByteCount: Limits.aggregatorChunkByteCount)

    private(set) var all: [UInt8] = []

    mutating func put(_ words: UInt64...) {
        for word in words { withUnsafeBytes(of: word.littleEndian) { all.append(contentsOf: $0) } }
    }

    mutating func put(_ text: String) {
        put(UInt64(text.utf8.count))
        all.append(contentsOf: text.utf8)
    }

    mutating func put(blob: some Collection<UInt8>) {
        put(UInt64(blob.count))
        all.append(contentsOf: blob)
    }

    mutating func put(_ digest: Digest) { all.append(contentsOf: digest.bytes) }

    mutating func put<Element>(_ list: [Element], _ body: (inout JournalBytes, Element) -> Void) {
        put(UInt64(list.count))
        for element in list { body(&self, element) }
    }

    mutating func put(_ names: [ContributionName]) { put(names) { $0.put($1.high, $1.low) } }

    mutating func put(_ message: Message) {
        let envelope = Envelope(run: nil, epoch: TopologyEpoch(1), message: message)
        let count = Wire.byteCount(of: envelope)
        put(UInt64(count))
        let start = all.count
        all.append(contentsOf: repeatElement(0, count: count))
        all.withUnsafeMutableBytes { buffer in
            let written = try? Wire.encode(envelope, into: UnsafeMutableRawBufferPointer(rebasing: buffer[start...]))
            precondition(written == count, "a message has the size that it says it has")
        }
    }

    mutating func put(_ number: RoundNumber) { put(UInt64(number.round), UInt64(number.edgeRound)) }

    mutating func put(_ key: UpdateKey) {
        put(key.node.value)
        put(key.sequence)
    }

    mutating func put(_ key: SumKey) {
        put(key.node.value)
        put(key.number)
        put(UInt64(key.revision))
    }

    mutating func put(_ object: ObjectReference) {
        put(object.digest)
        put(object.byteCount)
    }

    mutating func put(_ step: JournalRecord.Step) {
        put(step.number)
        put(step.model.digest)
        put(step.model.sources) {
            $0.put($1.object)
            $0.put(UInt64($1.encoding.rawValue))
        }
        put(step.totals.weights) { $0.put($1) }
        put(step.totals.metrics) {
            $0.put($1.name)
            $0.put(UInt64(bitPattern: $1.numerator), UInt64(bitPattern: $1.denominator))
        }
        put(step.contributorCount, step.chosenCount)
    }
}

/// Bytes of a record's head being read.
struct JournalReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private mutating func take(_ count: UInt64) throws -> ArraySlice<UInt8> {
        guard count <= UInt64(bytes.count - position) else { throw JournalBytes.Flaw(text: "the record is cut off") }
        defer { position += Int(count) }
        return bytes[position..<(position + Int(count))]
    }

    /// - Throws: `JournalBytes.Flaw` when bytes are left.
    func finish() throws {
        guard position == bytes.count else { throw JournalBytes.Flaw(text: "the record goes on behind its end") }
    }

    mutating func word() throws -> UInt64 {
        try take(8).enumerated().reduce(0) { $0 | UInt64($1.element) << UInt64(8 * $1.offset) }
    }

    mutating func byte() throws -> UInt8 { try take(1).first ?? 0 }

    mutating func text() throws -> String { String(decoding: try take(try word()), as: UTF8.self) }

    mutating func digest() throws -> Digest {
        guard let digest = Digest(try take(UInt64(Digest.byteCount))) else {
            throw JournalBytes.Flaw(text: "a digest is cut off")
        }
        return digest
    }

    mutating func list<Element>(_ body: (inout JournalReader) throws -> Element) throws -> [Element] {
        let count = try word()
        // Every element takes a byte at least.
        guard count <= UInt64(bytes.count - position) else { throw JournalBytes.Flaw(text: "a list is cut off") }
        return try (0..<count).map { _ in try body(&self) }
    }

    mutating func message() throws -> Message {
        let frame = try take(try word())
        let content = try frame.withUnsafeBytes {
            try Wire.decode($0, frameByteCountMax: JournalBytes.frameByteCountMax)
        }
        guard case .message(let envelope) = content.body else { throw JournalBytes.Flaw(text: "not a message") }
        return envelope.message
    }

    mutating func number() throws -> RoundNumber {
        RoundNumber(round: UInt32(clamping: try word()), edgeRound: UInt32(clamping: try word()))
    }

    mutating func names() throws -> [ContributionName] {
        try list { ContributionName(high: try $0.word(), low: try $0.word()) }
    }

    mutating func updateKey() throws -> UpdateKey {
        UpdateKey(node: NodeName(try text()), sequence: try word())
    }

    mutating func sumKey() throws -> SumKey {
        SumKey(node: NodeName(try text()), number: try number(), revision: UInt32(clamping: try word()))
    }

    mutating func object() throws -> ObjectReference {
        ObjectReference(digest: try digest(), byteCount: try word())
    }

    mutating func step() throws -> JournalRecord.Step {
        JournalRecord.Step(
            number: try number(),
            model: ModelReference(
                digest: try digest(),
                sources: try list {
                    let object = try $0.object()
                    guard let encoding = UpdateEncoding(rawValue: UInt8(clamping: try $0.word())) else {
                        throw JournalBytes.Flaw(text: "an unknown encoding")
                    }
                    return .init(object: object, encoding: encoding)
                }),
            totals: SumTotals(
                weights: try list { try $0.word() },
                metrics: try list {
                    MetricCounter(
                        name: try $0.text(), numerator: Int64(bitPattern: try $0.word()),
                        denominator: Int64(bitPattern: try $0.word()))
                }),
            contributorCount: try word(), chosenCount: try word())
    }
}
