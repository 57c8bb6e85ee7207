// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import TributaryCore

/// A node of a run as a child process: its standard output is read line by line, the rest goes to a log file.
///
/// The process ends by itself when its standard input ends, so that no node outlives whoever started it.
final class NodeProcess {
    enum SpawnError: Error, CustomStringConvertible {
        case system(action: String, code: Int32)
        var description: String {
            switch self {
            case .system(let action, let code): "cannot \(action): \(String(cString: strerror(code)))"
            }
        }
    }

    let name: String
    let pid: pid_t
    /// The read end of its standard output; not blocking.
    let output: Int32
    private let input: Int32
    private var rest: [UInt8] = []
    /// The wait status once it has ended.
    private(set) var status: Int32?

    /// Starts this program again with other arguments, without the environment variables called `unset`.
    init(name: String, arguments: [String], log: String, unset: [String] = []) throws {
        self.name = name
        let stdin = try Self.makePipe()
        let stdout = try Self.makePipe()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, stdin[0], 0)
        posix_spawn_file_actions_adddup2(&actions, stdout[1], 1)
        posix_spawn_file_actions_addopen(&actions, 2, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        pid = try Self.spawn("/proc/self/exe", arguments, unset, &actions)
        close(stdin[0])
        close(stdout[1])
        input = stdin[1]
        output = stdout[0]
        _ = fcntl(output, F_SETFL, O_NONBLOCK)
    }

    deinit {
        close(input)
        close(output)
    }

    /// A pipe that other children do not inherit.
    private static func makePipe() throws -> [Int32] {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw SpawnError.system(action: "make a pipe", code: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return ends
    }

    private static func spawn(
        _ path: String, _ arguments: [String], _ unset: [String], _ actions: inout posix_spawn_file_actions_t
    ) throws -> pid_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        // A group of its own: Ctrl-C reaches the supervisor alone, which ends the nodes in order.
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))
        var words: [UnsafeMutablePointer<CChar>?] = (["tributary"] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var settings: [UnsafeMutablePointer<CChar>?] = []
        var setting = environ
        while let text = setting.pointee {
            let line = String(cString: text)
            if !unset.contains(where: { line.hasPrefix($0 + "=") }) { settings.append(text) }
            setting += 1
        }
        settings.append(nil)
        var pid: pid_t = 0
        let code = posix_spawn(&pid, path, &actions, &attributes, &words, &settings)
        guard code == 0 else { throw SpawnError.system(action: "start a node", code: code) }
        return pid
    }

    /// Writes a line to its standard input; a process that has ended does not hear it.
    func send(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// The complete lines that have come since the last call.
    func takeLines() -> [String] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(output, &buffer, buffer.count)
            guard count > 0 else { break }
            rest += buffer[..<count]
        }
        var lines: [String] = []
        while let end = rest.firstIndex(of: 10) {
            lines.append(String(decoding: rest[..<end], as: UTF8.self))
            rest.removeSubrange(...end)
        }
        return lines
    }

    /// Whether the process has ended; takes its status when it just has.
    func hasEnded() -> Bool {
        if status != nil { return true }
        var status: Int32 = 0
        guard waitpid(pid, &status, WNOHANG) == pid else { return false }
        self.status = status
        return true
    }

    /// The exit code; `nil` while it runs, and when a signal ended it.
    var exitCode: Int32? { status.flatMap { $0 & 0x7f == 0 ? ($0 >> 8) & 0xff : nil } }

    /// Whether a signal ended it: it was killed, or has crashed.
    var wasKilled: Bool { status.map { $0 & 0x7f != 0 } ?? false }

    /// Whether it ended by itself and well.
    var endedWell: Bool { status == 0 }

    func signal(_ signal: Int32) { if status == nil { kill(pid, signal) } }

    /// Resident memory in bytes; 0 when it has ended.
    var residentBytes: UInt64 {
        guard status == nil, let file = fopen("/proc/\(pid)/statm", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, Int32(line.count), file) != nil else { return 0 }
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let fields = text.split(separator: " ")
        guard fields.count > 1, let pages = UInt64(fields[1]) else { return 0 }
        return pages * UInt64(sysconf(Int32(_SC_PAGESIZE)))
    }
}
