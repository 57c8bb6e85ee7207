// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import TributaryClient
package import TributaryCore
package import TributaryFiles

/// Follows the directory of key files: what it says now, and that what cannot be read changes nothing.
///
/// A look lists the directory and asks each file's inode, size and times; it reads those that have changed, and those
/// that were written within the last seconds, whose times cannot tell two writes apart.
package struct AllowListReader: Sendable {
    /// What identifies a file's contents, as far as the file system knows.
    private struct Stamp: Hashable {
        var device: UInt64
        var inode: UInt64
        var byteCount: Int64
        var modified: Int64
        var changed: Int64
    }

    private struct Entry {
        var stamp: Stamp
        var lines: [String]
    }

    /// What a look found.
    package struct Look: Sendable {
        package var list: AllowList
        /// Files that could not be used, or the directory; what they said before holds.
        package var trouble: [String]
    }

    /// Times of a file older than this tell every later write.
    private static let settlingTime: Int64 = 2_000_000_000

    package let directory: KeyDirectory
    private let isWanted: @Sendable (NodeName) -> Bool
    private var admitted: [NodeName: Entry] = [:]
    private var revoked: [NodeName: Entry] = [:]
    private var list = AllowList()
    /// Keys that two files claim.
    private var conflicts: [String] = []

    /// `isWanted`: the nodes whose keys matter here; other files are left alone.
    package init(_ directory: KeyDirectory, isWanted: @escaping @Sendable (NodeName) -> Bool) {
        self.directory = directory
        self.isWanted = isWanted
    }

    /// Looks for the first time.
    ///
    /// - Throws: `FilesError` when others can write to the directory, and `KeyError.malformed` when anything in it
    ///   cannot be used: a node that starts has no list to fall back on.
    package mutating func load() throws -> AllowList {
        guard Directory.exists(directory.path) else { return list }
        try directory.checkIsPrivate()
        let look = look()
        if let first = look.trouble.first {
            throw KeyError.malformed(owner: directory.path, problem: "cannot be used: \(first)")
        }
        return look.list
    }

    /// Looks again.
    package mutating func look() -> Look {
        var trouble: [String] = []
        do {
            let names = try Directory.names(in: directory.path)
            let isAdmittedNew = read(names, .publicKey, &admitted, &trouble)
            let isRevokedNew = read(names, .revoked, &revoked, &trouble)
            if isAdmittedNew || isRevokedNew { rebuild() }
        } catch {
            return Look(list: list, trouble: ["\(error)"])
        }
        return Look(list: list, trouble: trouble + conflicts)
    }

    /// Reads the files of a kind that are new or have changed, and forgets those that are gone; whether any differs.
    private func read(
        _ names: [String], _ kind: KeyDirectory.Kind, _ entries: inout [NodeName: Entry], _ trouble: inout [String]
    ) -> Bool {
        var found: [NodeName: Entry] = [:]
        var isNew = false
        for name in names {
            guard let (node, itsKind) = KeyDirectory.parse(name), itsKind == kind, isWanted(node) else { continue }
            let old = entries[node]
            do {
                guard let stamp = try Self.stamp(of: "\(directory.path)/\(name)") else { continue }
                if let old, old.stamp == stamp, Self.isSettled(stamp) {
                    found[node] = old
                } else {
                    let lines = try lines(of: node, kind)
                    found[node] = Entry(stamp: stamp, lines: lines)
                    isNew = isNew || old?.lines != lines
                }
            } catch {
                found[node] = old
                trouble.append("\(error)")
            }
        }
        isNew = isNew || found.count != entries.count
        entries = found
        return isNew
    }

    private func lines(of node: NodeName, _ kind: KeyDirectory.Kind) throws -> [String] {
        guard kind == .publicKey else { return try directory.revokedLines(of: node) }
        let lines = try directory.publicLines(of: node)
        // Half a file is no file.
        _ = try PublicKeys(lines: lines, of: directory.file(.publicKey, of: node))
        return lines
    }

    private mutating func rebuild() {
        conflicts = []
        let takenBack = Set(revoked.values.flatMap(\.lines))
        var fresh = AllowList()
        // Who had a key before goes first, so that nobody loses it to a newcomer who claims it.
        let nodes = admitted.keys.sorted { (list.keys[$0] == nil ? 1 : 0, $0) < (list.keys[$1] == nil ? 1 : 0, $1) }
        for node in nodes {
            guard let entry = admitted[node], !entry.lines.contains(where: takenBack.contains) else { continue }
            do {
                try fresh.admit(node, try PublicKeys(lines: entry.lines, of: directory.file(.publicKey, of: node)))
            } catch {
                conflicts.append("\(error)")
            }
        }
        list = fresh
    }

    /// `nil` when the file is gone.
    private static func stamp(of path: String) throws(FilesError) -> Stamp? {
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT { return nil }
            throw .system(action: "look at", path: path, code: errno)
        }
        return Stamp(
            device: UInt64(status.st_dev), inode: UInt64(status.st_ino), byteCount: Int64(status.st_size),
            modified: nanoseconds(status.st_mtim), changed: nanoseconds(status.st_ctim))
    }

    private static func isSettled(_ stamp: Stamp) -> Bool {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return max(stamp.modified, stamp.changed) < nanoseconds(now) - settlingTime
    }

    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}
