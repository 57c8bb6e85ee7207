// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TributaryCore
import TributaryCrypto

@testable import TributaryFiles

@Suite struct AtomicFileTests {
    @Test func replacesAWholeFile() throws {
        let directory = try TemporaryDirectory()
        let path = directory("deep/er/model")
        try AtomicFile.write([1, 2, 3], to: path)
        let bytes = scrambledBytes(1_000_001)
        try AtomicFile.write(to: path, permissions: 0o600) { sink throws(FilesError) in
            var start = 0
            for count in [1, 262_143, 2, 262_144, 300_000, 175_711] {
                try sink.write(bytes.span.bytes.extracting(start..<(start + count)))
                start += count
            }
            #expect(sink.byteCount == UInt64(bytes.count))
        }
        #expect(try SmallFile.read(path, byteCountMax: 2_000_000) == bytes)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory("deep/er")) == ["model"])
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test func keepsTheOldFileWhenTheBodyFails() throws {
        let directory = try TemporaryDirectory()
        try AtomicFile.write([1, 2, 3], to: directory("model"))
        #expect(throws: FilesError.request("no")) {
            try AtomicFile.write(to: directory("model")) { sink throws(FilesError) in
                try sink.write(scrambledBytes(600_000))
                throw .request("no")
            }
        }
        #expect(try directory.names == ["model"])
        #expect(try SmallFile.read(directory("model"), byteCountMax: 10) == [1, 2, 3])
    }

    @Test func aFullDeviceIsAnErrorThatSaysWhatToDo() throws {
        var sink = try FileSink(overwriting: "/dev/full")
        do {
            try sink.write(scrambledBytes(600_000))
            Issue.record("/dev/full took bytes")
        } catch {
            #expect(error.isOutOfSpace)
            #expect(
                error.description == "/dev/full: cannot write: No space left on device; "
                    + "free some space there, or choose another directory")
        }
    }

    @Test func refusesImpossiblePaths() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("x", as: "file")
        #expect(throws: FilesError.self) { try AtomicFile.write([1], to: "\(file)/model") }
        #expect(throws: FilesError.self) { try AtomicFile.write([1], to: directory("nul\0byte")) }
        #expect(throws: FilesError.self) {
            try AtomicFile.write([1], to: directory(String(repeating: "n", count: 300)))
        }
        #expect(try directory.names == ["file"])
        #expect(
            throws: FilesError.noSpace(
                directory: directory.path, needed: .max, free: try FreeSpace.byteCount(at: directory.path))
        ) { try FreeSpace.require(.max, at: directory.path) }
    }

    /// A child process may write only 256 KiB a file, so that every write beyond fails as on a full disk.
    @Test func nothingHalfWrittenIsLeftWhenTheDiskIsFull() async {
        await #expect(processExitsWith: .success) {
            let directory = try TemporaryDirectory()
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 256 * 1024, rlim_max: rlim_t(bitPattern: -1))
            #expect(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
            let bytes = scrambledBytes(1_000_000)

            let written = #expect(throws: FilesError.self) { try AtomicFile.write(bytes, to: directory("model")) }
            #expect(written?.isOutOfSpace == true)
            #expect(written?.description.hasPrefix(directory("model")) == true)
            #expect(try directory.names == [])

            let store = try ObjectStore(directory: directory("objects"))
            let put = #expect(throws: FilesError.self) { try store.put(bytes) }
            #expect(put?.isOutOfSpace == true)
            #expect(try store.objects().isEmpty)

            // What was held stays held, and the transfer goes on when there is room again.
            let object = ObjectReference(digest: .sha256(of: bytes), byteCount: UInt64(bytes.count))
            #expect(try store.beginPartial(object) == 0)
            try store.append(bytes.span.bytes.extracting(0..<200_000), to: object.digest, at: 0)
            let appended = #expect(throws: FilesError.self) {
                try store.append(bytes.span.bytes.extracting(200_000..<500_000), to: object.digest, at: 200_000)
            }
            #expect(appended?.isOutOfSpace == true)
            #expect(try store.beginPartial(object) == 200_000)
            limit.rlim_cur = limit.rlim_max
            #expect(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
            try store.append(bytes.span.bytes.extracting(200_000..<1_000_000), to: object.digest, at: 200_000)
            #expect(try store.finishPartial(object.digest))
            #expect(try directory.names == ["objects"])
            #expect(throws: FilesError.self) { _ = try MappedVector(count: 1 << 50, directory: directory.path) }
        }
    }
}

@Suite struct DirectoryLockTests {
    @Test func namesTheHolderInThisProcess() throws {
        let directory = try TemporaryDirectory()
        do {
            let held = try DirectoryLock(directory: directory("state"))
            #expect(throws: FilesError.locked(directory: directory("state"), pid: Int(getpid()))) {
                _ = try DirectoryLock(directory: held.directory)
            }
        }
        _ = try DirectoryLock(directory: directory("state"))
    }

    @Test func namesTheHolderInAnotherProcess() throws {
        let directory = try TemporaryDirectory()
        let holder = try Oracle.python("hold_lock.py", directory.path)
        let input = Pipe(), output = Pipe()
        holder.standardInput = input
        holder.standardOutput = output
        try holder.run()
        // The script prints its process id once it holds the lock.
        let line = output.fileHandleForReading.availableData
        #expect(String(decoding: line.prefix { $0 != 10 }, as: UTF8.self) == "\(holder.processIdentifier)")
        #expect(throws: FilesError.locked(directory: directory.path, pid: Int(holder.processIdentifier))) {
            _ = try ObjectStore(directory: directory.path)
        }
        try input.fileHandleForWriting.close()
        holder.waitUntilExit()
        _ = try ObjectStore(directory: directory.path)
    }
}

@Suite struct MappedTests {
    @Test func mapsBytesAndFloats() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 7], as: "values")
        let file = try MappedFile(path: path)
        #expect(file.byteCount == 9)
        #expect(file.withFloats { span in span.indices.map { span[$0] } } == [1, -2])
        #expect(file.withBytes { $0.unsafeLoad(fromByteOffset: 8, as: UInt8.self) } == 7)
        let empty = try MappedFile(path: directory.write([UInt8](), as: "empty"))
        #expect(empty.withBytes { $0.byteCount } == 0 && empty.withFloats { $0.count } == 0)
        #expect(throws: FilesError.system(action: "read", path: directory.path, code: EISDIR)) {
            _ = try MappedFile(path: directory.path)
        }
    }

    @Test func vectorsLiveInFiles() throws {
        let directory = try TemporaryDirectory()
        do {
            let vector = try MappedVector(count: 1000, path: directory("momentum"))
            vector.withMutableSpan { span in for index in span.indices { span[index] = Float(index) } }
            try vector.flush()
        }
        let again = try MappedVector(count: 1000, path: directory("momentum"))
        #expect(again.withSpan { $0[999] } == 999)
        #expect(throws: FilesError.self) { _ = try MappedVector(count: 999, path: directory("momentum")) }

        let nameless = try MappedVector(count: 10_000, directory: directory.path)
        #expect(nameless.withSpan { span in span.indices.allSatisfy { span[$0] == 0 } })
        #expect(try MappedVector(count: 0, directory: directory.path).count == 0)
        #expect(try directory.names == ["momentum"])
    }
}
