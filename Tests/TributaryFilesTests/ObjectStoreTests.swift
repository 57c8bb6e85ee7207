// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TributaryCore
import TributaryCrypto

@testable import TributaryFiles

@Suite struct ObjectStoreTests {
    let directory: TemporaryDirectory
    let bytes = scrambledBytes(997)
    let object: ObjectReference

    init() throws {
        directory = try TemporaryDirectory()
        object = ObjectReference(digest: .sha256(of: bytes), byteCount: 997)
    }

    private func read(_ store: ObjectStore, _ digest: Digest) throws -> [UInt8] {
        let count = try #require(store.byteCount(of: digest))
        return try store.withBytes(of: digest, offset: 0, byteCount: Int(count)) { span in
            span.withUnsafeBytes { Array($0) }
        }
    }

    private func append(_ range: Range<Int>, step: Int, to store: ObjectStore) throws {
        var start = range.lowerBound
        while start < range.upperBound {
            let end = min(start + step, range.upperBound)
            try store.append(bytes.span.bytes.extracting(start..<end), to: object.digest, at: UInt64(start))
            start = end
        }
    }

    @Test func valuesInMemoryAreObjectsWithoutAFileWhileThereIsRoom() throws {
        let store = try ObjectStore(directory: directory.path)
        let vector = HeapVector(copying: ([1, -2, 3.5] as [Float]).span)
        let held = try store.hold(vector)
        #expect(held == ObjectReference(digest: .sha256(of: ([1, -2, 3.5] as [Float]).span.bytes), byteCount: 12))
        #expect(try store.mapped(held.digest).withFloats { Array($0.withUnsafeBufferPointer { $0 }) } == [1, -2, 3.5])
        #expect(try read(store, held.digest).count == 12)
        #expect(!FileManager.default.fileExists(atPath: "\(directory.path)/\(held.digest)"))
        // More than stays in memory goes to the disk, and reads the same.
        let large = try store.hold(HeapVector(count: 17 << 20))
        #expect(FileManager.default.fileExists(atPath: "\(directory.path)/\(large.digest)"))
        #expect(store.byteCount(of: large.digest) == 68 << 20)
        try store.remove(held.digest)
        try store.remove(large.digest)
        #expect(store.byteCount(of: held.digest) == nil && store.byteCount(of: large.digest) == nil)
    }

    @Test func anArrivingObjectHasItsRoomReservedAndNoMoreBytesThanCame() throws {
        let store = try ObjectStore(directory: directory.path)
        let wanted = ObjectReference(digest: object.digest, byteCount: 1 << 20)
        #expect(try store.beginPartial(wanted) == 0)
        try append(0..<500, step: 100, to: store)
        var status = stat()
        #expect(stat("\(directory.path)/\(object.digest).partial", &status) == 0)
        #expect(status.st_size == 500)
        #expect(status.st_blocks * 512 >= 1 << 20 || !canReserve)
        store.suspendPartial(wanted.digest)
        #expect(try store.beginPartial(wanted) == 500)
    }

    /// Whether the test's file system reserves room.
    private var canReserve: Bool {
        guard let file = try? FileHandle(opening: directory("probe"), flags: O_RDWR | O_CREAT, action: "create") else {
            return false
        }
        return (try? file.reserve(byteCount: 4096)) == true
    }

    @Test func storesWhatIsMadeHere() throws {
        let store = try ObjectStore(directory: directory.path)
        #expect(try store.put(bytes) == object)
        #expect(try store.put(bytes) == object)
        #expect(try read(store, object.digest) == bytes)
        #expect(store.contains(object.digest))
        #expect(try store.objects() == [object])
        let streamed = try store.put { sink in
            for byte in bytes { try sink.write([byte]) }
            try sink.write([Float](repeating: 1, count: 100_000).span)
        }
        #expect(streamed.byteCount == 997 + 400_000)
        #expect(try Digest.sha256(of: read(store, streamed.digest)) == streamed.digest)
        let empty = try store.put([UInt8]())
        #expect(try read(store, empty.digest).isEmpty)
    }

    @Test func aFailedBodyLeavesNothing() throws {
        struct Stop: Error {}
        let store = try ObjectStore(directory: directory.path)
        #expect(throws: Stop.self) {
            try store.put { sink in
                try sink.write(bytes)
                throw Stop()
            }
        }
        #expect(try directory.names == ["boot", "lock"])
    }

    @Test func readsAnyPartAndRefusesTheRest() throws {
        let store = try ObjectStore(directory: directory.path)
        try #expect(store.put(bytes) == object)
        #expect(
            try store.withBytes(of: object.digest, offset: 990, byteCount: 7) { $0.withUnsafeBytes { Array($0) } }
                == Array(bytes[990...]))
        for (offset, count) in [(UInt64(990), 8), (998, 0), (.max, 1), (0, -1), (1, .max)] {
            #expect(throws: FilesError.self) {
                try store.withBytes(of: object.digest, offset: offset, byteCount: count) { _ in }
            }
        }
        #expect(throws: FilesError.unknownObject(.sha256(of: [1]))) {
            try store.withBytes(of: .sha256(of: [1]), offset: 0, byteCount: 0) { _ in }
        }
    }

    @Test func resumesAtAnyByteWithTheSameObject() throws {
        for cut in 0...997 {
            do {
                let store = try ObjectStore(directory: directory.path)
                #expect(try store.beginPartial(object) == 0)
                try append(0..<cut, step: 1 + cut % 100, to: store)
            }
            let store = try ObjectStore(directory: directory.path)
            #expect(!store.contains(object.digest))
            #expect(try store.beginPartial(object) == UInt64(cut))
            try append(cut..<997, step: 211, to: store)
            try #require(try store.finishPartial(object.digest))
            try #require(try read(store, object.digest) == bytes)
            try store.remove(object.digest)
        }
        #expect(try directory.names == ["boot", "lock"])
    }

    @Test func suspendsAndContinues() throws {
        let store = try ObjectStore(directory: directory.path)
        #expect(try store.beginPartial(object) == 0)
        try append(0..<500, step: 64, to: store)
        store.suspendPartial(object.digest)
        #expect(throws: FilesError.unknownObject(object.digest)) {
            try append(500..<997, step: 64, to: store)
        }
        #expect(try store.beginPartial(object) == 500)
        #expect(try store.beginPartial(object) == 500)
        store.discardPartial(object.digest)
        #expect(try store.beginPartial(object) == 0)
    }

    @Test func discardsAnObjectThatIsNotWhatItsNameSays() throws {
        let store = try ObjectStore(directory: directory.path)
        for wrong in [0, 500, 996] {
            var changed = bytes
            changed[wrong] ^= 1
            #expect(try store.beginPartial(object) == 0)
            try store.append(changed.span.bytes, to: object.digest, at: 0)
            #expect(try store.finishPartial(object.digest) == false)
            #expect(!store.contains(object.digest))
        }
        #expect(try store.beginPartial(object) == 0)
        try append(0..<996, step: 300, to: store)
        #expect(try store.finishPartial(object.digest) == false)
        #expect(throws: FilesError.unknownObject(object.digest)) { try store.finishPartial(object.digest) }
        #expect(try directory.names == ["boot", "lock"])
    }

    @Test func neverWritesBeyondTheDeclaredSizeOrOutOfOrder() throws {
        let store = try ObjectStore(directory: directory.path)
        _ = try store.beginPartial(object)
        try append(0..<900, step: 900, to: store)
        #expect(throws: FilesError.outsideObject(object.digest, end: 1000, byteCount: 997)) {
            try store.append(bytes.span.bytes.extracting(0..<100), to: object.digest, at: 900)
        }
        for offset: UInt64 in [0, 899, 901, .max] {
            #expect(throws: FilesError.wrongOffset(object.digest, expected: 900, actual: offset)) {
                try store.append(bytes.span.bytes.extracting(0..<1), to: object.digest, at: offset)
            }
        }
        #expect(throws: FilesError.conflictingSize(object.digest, held: 997, declared: 998)) {
            try store.beginPartial(ObjectReference(digest: object.digest, byteCount: 998))
        }
        let size = try FileManager.default.attributesOfItem(atPath: directory("\(object.digest).partial"))[.size]
        #expect(size as? Int == 900)
        try append(900..<997, step: 97, to: store)
        #expect(try store.finishPartial(object.digest))
    }

    @Test func refusesWhatIsTooLarge() throws {
        let store = try ObjectStore(directory: directory.path)
        for byteCount in [Limits.objectByteCountMax + 1, .max] {
            #expect(throws: FilesError.self) {
                try store.beginPartial(ObjectReference(digest: object.digest, byteCount: byteCount))
            }
        }
        #expect(throws: FilesError.self) { try store.put(byteCount: 1 << 60) { _ in } }
        #expect(try directory.names == ["boot", "lock"])
    }

    @Test func anOlderPartialThatIsTooLongStartsOver() throws {
        _ = try directory.write(scrambledBytes(998), as: "\(object.digest).partial")
        let store = try ObjectStore(directory: directory.path)
        #expect(try store.beginPartial(object) == 0)
    }

    @Test func keepsOnlyWhatIsAskedFor() throws {
        let store = try ObjectStore(directory: directory.path)
        var objects: [ObjectReference] = []
        for seed in 0..<40 { objects.append(try store.put(scrambledBytes(100, seed: UInt64(seed)))) }
        let mapped = try store.mapped(objects[7].digest)
        for object in objects { _ = try store.mapped(object.digest) }
        _ = try store.beginPartial(object)
        _ = try directory.write([1], as: "\(Digest.sha256(of: [9])).partial")
        #expect(try store.retain(only: [objects[3].digest, objects[5].digest]) == 3800)
        #expect(try Set(store.objects()) == [objects[3], objects[5]])
        #expect(try directory.names.filter { $0.hasSuffix(".partial") } == ["\(object.digest).partial"])
        // A reader that began before keeps what it reads.
        #expect(mapped.withBytes { Digest.sha256(of: $0) } == objects[7].digest)
        #expect(throws: FilesError.unknownObject(objects[7].digest)) { try store.mapped(objects[7].digest) }
        try store.remove(objects[7].digest)
    }

    @Test func linksAFile() throws {
        let store = try ObjectStore(directory: directory("objects"))
        let path = try directory.write(bytes, as: "checkpoint")
        #expect(try store.link(path: path) == object)
        #expect(try store.link(path: path) == object)
        try FileManager.default.removeItem(atPath: path)
        #expect(try read(store, object.digest) == bytes)
        #expect(throws: FilesError.self) { try store.link(path: path) }
    }

    @Test func cleansUpAfterACrash() throws {
        do {
            let store = try ObjectStore(directory: directory.path)
            _ = try store.put(bytes)
        }
        _ = try directory.write([1, 2], as: "put-1.tmp")
        let lost = Digest.sha256(of: [1, 2, 3])
        _ = try directory.write([0, 0, 0], as: "\(lost)")
        // Only a restart of the machine makes files doubtful.
        #expect(try ObjectStore(directory: directory.path).contains(lost))
        #expect(try !directory.names.contains("put-1.tmp"))
        _ = try directory.write("another boot\n", as: "boot")
        let store = try ObjectStore(directory: directory.path)
        #expect(try store.objects() == [object])
    }

    @Test func threadsShareAStore() async throws {
        let store = try ObjectStore(directory: directory.path)
        let digests = try await withThrowingTaskGroup(of: Digest.self) { group in
            for seed in 0..<16 {
                group.addTask {
                    let bytes = scrambledBytes(10_000, seed: UInt64(seed % 4))
                    let made = try store.put(bytes)
                    let other = scrambledBytes(5_000, seed: UInt64(100 + seed))
                    let wanted = ObjectReference(digest: .sha256(of: other), byteCount: 5_000)
                    _ = try store.beginPartial(wanted)
                    try store.append(other.span.bytes, to: wanted.digest, at: 0)
                    let isRight = try store.finishPartial(wanted.digest)
                    #expect(isRight)
                    return made.digest
                }
            }
            return try await group.reduce(into: Set<Digest>()) { $0.insert($1) }
        }
        #expect(digests.count == 4)
        #expect(try store.objects().count == 20)
        for object in try store.objects() {
            #expect(try Digest.sha256(of: read(store, object.digest)) == object.digest)
        }
    }
}
