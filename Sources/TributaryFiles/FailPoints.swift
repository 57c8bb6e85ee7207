// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// Places where a node can be made to die, or a file operation to fail: counted from 1, so that a test can try each.
///
/// Whoever works without them holds `nil`, which costs nothing. A write counts twice: before its first byte, and when
/// half of it is written.
package final class FailPoints: Sendable {
    /// What is about to happen at a point.
    package enum Kind: Sendable {
        case write, sync, rename, commit, send, receive
    }

    /// What happens at the chosen point.
    package enum Failure: String, Sendable, CaseIterable {
        /// The process dies by SIGKILL.
        case kill
        /// The file operation fails with EIO.
        case eio
        /// It fails with ENOSPC, and so do the writes right after it, as if the disk were full for a while.
        case enospc
        /// The first wait for the disk from there on fails.
        case fsync
        /// Every file operation from there on fails: what a process that died would not have done.
        case halt
        /// Nothing: the points are only counted.
        case count
    }

    /// For how many more writes a full disk stays full.
    package static let fullWriteCount: UInt64 = 3
    /// The environment variable that `fromEnvironment` reads.
    package static let variable = "TRIBUTARY_FAIL_POINT"

    private let number: UInt64
    private let failure: Failure
    private let passed = Atomic<UInt64>(0)
    private let isSpent = Atomic<Bool>(false)

    /// Fails at the point `number`, which starts at 1.
    package init(_ failure: Failure, at number: UInt64) {
        self.failure = failure
        self.number = number
    }

    /// Reads `TRIBUTARY_FAIL_POINT=NUMBER[:FAILURE[:NODE]]`; `nil` when it is not set or means another node.
    package static func fromEnvironment(node: String) -> FailPoints? {
        guard let text = getenv(variable).map({ String(cString: $0) }) else { return nil }
        let words = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard let number = UInt64(words[0]), words.count < 3 || words[2] == node else { return nil }
        guard let failure = words.count > 1 ? Failure(rawValue: words[1]) : .kill else { return nil }
        return FailPoints(failure, at: number)
    }

    /// How many points were passed so far.
    package var count: UInt64 { passed.load(ordering: .relaxed) }

    /// Counts a point that is a file operation.
    ///
    /// - Throws: `FilesError.system` when it is chosen to fail.
    package func pass(_ kind: Kind, _ path: String) throws(FilesError) {
        guard let code = failureCode(at: passed.wrappingAdd(1, ordering: .relaxed).newValue, kind) else { return }
        let action =
            switch kind {
            case .write, .send, .receive: "write"
            case .sync: "sync"
            case .rename: "replace"
            case .commit: "commit to"
            }
        throw .system(action: action, path: path, code: code)
    }

    /// Counts a point that is a message; only death can happen there.
    package func passMessage(_ kind: Kind) {
        let point = passed.wrappingAdd(1, ordering: .relaxed).newValue
        if failure == .kill, point == number { kill(getpid(), SIGKILL) }
    }

    private func failureCode(at point: UInt64, _ kind: Kind) -> Int32? {
        switch failure {
        case .count: return nil
        case .kill:
            if point == number { kill(getpid(), SIGKILL) }
            return nil
        case .halt: return point >= number ? ECANCELED : nil
        case .eio: return point == number ? EIO : nil
        case .enospc:
            return kind != .sync && (number...(number + Self.fullWriteCount)).contains(point) ? ENOSPC : nil
        case .fsync:
            guard kind == .sync || kind == .commit, point >= number else { return nil }
            return isSpent.exchange(true, ordering: .relaxed) ? nil : EIO
        }
    }
}

extension FileHandle {
    /// Writes all bytes at an offset, past the fail points when there are any.
    borrowing func write(
        _ bytes: UnsafeRawBufferPointer, at offset: UInt64, _ failPoints: FailPoints?
    ) throws(FilesError) {
        guard let failPoints else { return try write(bytes, at: offset) }
        try failPoints.pass(.write, path)
        let half = bytes.count / 2
        try write(UnsafeRawBufferPointer(rebasing: bytes[..<half]), at: offset)
        try failPoints.pass(.write, path)
        try write(UnsafeRawBufferPointer(rebasing: bytes[half...]), at: offset + UInt64(half))
    }

    /// Waits until the file's bytes are on the disk, not for its times.
    borrowing func syncData(_ failPoints: FailPoints? = nil) throws(FilesError) {
        try failPoints?.pass(.sync, path)
        guard fdatasync(descriptor) == 0 else { throw .system(action: "sync", path: path, code: errno) }
    }
}
