// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryCrypto

/// A store in memory that counts what is appended, and can refuse to write.
final class MemoryStore: BlockStore {
    struct Failure: Error {}

    var objects: [Digest: [UInt8]] = [:]
    var partials: [Digest: (reference: ObjectReference, bytes: [UInt8])] = [:]
    var suspended: [Digest: [UInt8]] = [:]
    var appendedByteCount: UInt64 = 0
    var isFull = false

    func add(_ bytes: [UInt8]) -> ObjectReference {
        let digest = Digest.sha256(of: bytes)
        objects[digest] = bytes
        return ObjectReference(digest: digest, byteCount: UInt64(bytes.count))
    }

    func byteCount(of digest: Digest) -> UInt64? { objects[digest].map { UInt64($0.count) } }

    func withBytes<Result>(
        of digest: Digest, offset: UInt64, byteCount: Int, _ body: (RawSpan) throws -> Result
    ) throws -> Result {
        guard let bytes = objects[digest], UInt64(bytes.count) >= offset + UInt64(byteCount) else { throw Failure() }
        return try body(bytes.span.bytes.extracting(Int(offset)..<(Int(offset) + byteCount)))
    }

    func beginPartial(_ object: ObjectReference) throws -> UInt64 {
        if isFull { throw Failure() }
        if let held = partials[object.digest], held.reference != object { throw Failure() }
        if partials[object.digest] == nil {
            partials[object.digest] = (object, suspended.removeValue(forKey: object.digest) ?? [])
        }
        return UInt64(partials[object.digest]?.bytes.count ?? 0)
    }

    func append(_ bytes: RawSpan, to digest: Digest, at offset: UInt64) throws {
        guard !isFull, let held = partials[digest]?.bytes.count, UInt64(held) == offset else { throw Failure() }
        appendedByteCount += UInt64(bytes.byteCount)
        bytes.withUnsafeBytes { buffer in partials[digest]?.bytes.append(contentsOf: buffer) }
    }

    func finishPartial(_ digest: Digest) throws -> Bool {
        guard let partial = partials.removeValue(forKey: digest) else { throw Failure() }
        guard UInt64(partial.bytes.count) == partial.reference.byteCount, Digest.sha256(of: partial.bytes) == digest
        else { return false }
        objects[digest] = partial.bytes
        return true
    }

    func suspendPartial(_ digest: Digest) {
        if let partial = partials.removeValue(forKey: digest) { suspended[digest] = partial.bytes }
    }

    func discardPartial(_ digest: Digest) { partials[digest] = nil }
}

/// Bytes that no two seeds share and no compression shrinks.
func noise(byteCount: Int, seed: UInt64) -> [UInt8] {
    var random = CounterRandom(seed: seed, purpose: .synthetic)
    return [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
        var position = 0
        while position < byteCount {
            var word = random.next()
            for _ in 0..<min(8, byteCount - position) {
                buffer[position] = UInt8(truncatingIfNeeded: word)
                word >>= 8
                position += 1
            }
        }
        count = byteCount
    }
}
