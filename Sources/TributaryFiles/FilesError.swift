// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
package import TributaryCore

/// What can go wrong with a file, an object or a data set: what, where, and what to do.
package enum FilesError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The operating system refused; `action` completes "cannot ...", `code` is its errno.
    case system(action: String, path: String, code: Int32)
    /// The file system that holds `directory` has too little room.
    case noSpace(directory: String, needed: UInt64, free: UInt64)
    /// A file that the configuration names does not exist.
    case missing(path: String, remedy: String)
    /// Others than its owner have rights to a secret, or to where it lies.
    case notPrivate(path: String, problem: String, remedy: String)
    /// The bytes of a file are not what its format says; `at` is a place inside it, or empty.
    case malformed(path: String, at: String, problem: String)
    /// A place in a text file, both numbers starting at 1.
    case text(path: String, line: Int, column: Int, problem: String)
    /// A number in a file or from a peer lies beyond its bound.
    case tooLarge(what: String, actual: UInt64, limit: UInt64)
    /// Another process holds the directory; `pid` is 0 when it is not known.
    case locked(directory: String, pid: Int)
    /// The store holds no such object, complete or partial.
    case unknownObject(Digest)
    /// Bytes came out of order, or beyond an object's declared size.
    case wrongOffset(Digest, expected: UInt64, actual: UInt64)
    /// The bytes asked for, or sent, lie outside the object.
    case outsideObject(Digest, end: UInt64, byteCount: UInt64)
    /// Two sizes were declared for one object.
    case conflictingSize(Digest, held: UInt64, declared: UInt64)
    /// The caller asked for something that this data set cannot give.
    case request(String)

    package var description: String {
        switch self {
        case .system(let action, let path, let code):
            "\(path): cannot \(action): \(Self.name(of: code)); \(Self.remedy(for: code))"
        case .noSpace(let directory, let needed, let free):
            "\(directory): no space: \(needed) bytes are needed and \(free) are free; "
                + "free some, or choose another directory"
        case .missing(let path, let remedy):
            "\(path): no such file; \(remedy)"
        case .notPrivate(let path, let problem, let remedy):
            "\(path): \(problem); run \(remedy)"
        case .malformed(let path, let at, let problem):
            at.isEmpty ? "\(path): \(problem)" : "\(path): \(at): \(problem)"
        case .text(let path, let line, let column, let problem):
            "\(path):\(line):\(column): \(problem)"
        case .tooLarge(let what, let actual, let limit):
            "\(what) has \(actual) bytes, more than the limit of \(limit); send or use a smaller one"
        case .locked(let directory, let pid):
            "\(directory): in use by \(pid == 0 ? "another process" : "process \(pid)"); "
                + "stop it, or give this node a directory of its own"
        case .unknownObject(let digest):
            "object \(digest.short) is not in the store; fetch it again"
        case .wrongOffset(let digest, let expected, let actual):
            "object \(digest.short): bytes at \(actual) came where those at \(expected) were expected; "
                + "resume from \(expected)"
        case .outsideObject(let digest, let end, let byteCount):
            "object \(digest.short): bytes up to \(end) lie outside its \(byteCount) bytes; check the declared size"
        case .conflictingSize(let digest, let held, let declared):
            "object \(digest.short): declared with \(declared) bytes, but a transfer of \(held) bytes is under way; "
                + "one of the senders is wrong"
        case .request(let text):
            text
        }
    }

    /// Whether the operating system has nothing left to give: disk, quota, file size, or open files.
    package var isOutOfSpace: Bool {
        switch self {
        case .noSpace: true
        case .system(_, _, let code): [ENOSPC, EDQUOT, EFBIG, EMFILE, ENFILE].contains(code)
        default: false
        }
    }

    private static func name(of code: Int32) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
            guard let start = buffer.baseAddress, strerror_r(code, start, buffer.count) == 0 else {
                return "error \(code)"
            }
            return String(cString: start)
        }
    }

    private static func remedy(for code: Int32) -> String {
        switch code {
        case ENOSPC, EDQUOT: "free some space there, or choose another directory"
        case EFBIG: "raise the file size limit (ulimit -f), or choose another file system"
        case EACCES, EPERM: "give this user the right to it, or choose another path"
        case EROFS: "the file system is read-only; choose another directory"
        case ENOENT: "create it, or correct the path"
        case ENOTDIR: "a part of the path is a file; correct the path"
        case EISDIR: "it is a directory; name a file"
        case EMFILE, ENFILE: "raise the limit of open files (ulimit -n)"
        case EEXIST: "remove it, or choose another path"
        case ENAMETOOLONG: "choose a shorter path"
        case ENOMEM: "free some memory"
        default: "check the disk and the path"
        }
    }
}
