// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import TributaryFiles
import TributaryRuntime

/// A run's directory: keys, logs, the nodes' state, and who its processes are.
struct RunDirectory {
    let path: String

    var keys: String { "\(path)/keys" }
    func log(of node: String) -> String { "\(path)/logs/\(node).log" }
    func state(of node: String) -> String { "\(path)/nodes/\(node)" }

    /// Makes a directory of a new name below `parent`.
    ///
    /// - Throws: `FilesError` when it cannot be made.
    init(new federation: String, below parent: String) throws {
        path = Self.unusedPath(of: federation, below: parent)
        try Directory.create(path + "/logs")
        try Directory.create(path + "/nodes")
    }

    /// A path below `parent` that begins with a name and the time, and that nothing has yet.
    static func unusedPath(of name: String, below parent: String) -> String {
        let base = "\(parent)/\(name)-\(Clock.compactTimestamp())"
        var path = base
        var number = 1
        while access(path, F_OK) == 0 {
            number += 1
            path = "\(base)-\(number)"
        }
        return path
    }

    init(existing path: String) { self.path = path }

    /// One line for each process: `pid name`, the supervisor's first.
    func write(processes: [(pid: Int32, name: String)]) throws {
        let text = processes.map { "\($0.pid) \($0.name)\n" }.joined()
        try AtomicFile.write(Array(text.utf8), to: path + "/pids")
    }

    /// The processes that are said to belong to the run.
    func processes() throws -> [(pid: Int32, name: String)] {
        let bytes = try SmallFile.read(path + "/pids", byteCountMax: 16 << 20)
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ", maxSplits: 1)
            guard words.count == 2, let pid = Int32(words[0]), pid > 1 else { return nil }
            return (pid, String(words[1]))
        }
    }
}
