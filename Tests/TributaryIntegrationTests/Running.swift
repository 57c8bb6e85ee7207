// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc

/// An event line of a process, as it came.
struct Event: CustomStringConvertible {
    let fields: [String: any Sendable]
    let description: String

    init?(_ line: String) {
        guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: any Sendable],
            object["event"] is String
        else { return nil }
        fields = object
        description = line
    }

    var name: String { self["event"] ?? "" }
    var node: String { self["node"] ?? "" }
    var round: Int { self["round"] ?? 0 }

    subscript(key: String) -> String? { fields[key] as? String }
    subscript(key: String) -> Int? { (fields[key] as? NSNumber)?.intValue }
    subscript(key: String) -> Double? { (fields[key] as? NSNumber)?.doubleValue }
    subscript(key: String) -> Bool? { (fields[key] as? NSNumber)?.boolValue }
}

/// A process under test: what it has printed so far, and how it ended.
///
/// Its standard input stays open until the value goes, so that a node that watches it does not outlive its test.
final class Running {
    enum Ending: Equatable {
        case code(Int32)
        case signal(Int32)
    }

    let name: String
    let pid: pid_t
    private(set) var lines: [String] = []
    private(set) var errorLines: [String] = []
    private(set) var events: [Event] = []
    private(set) var ending: Ending?
    private static let lock = NSLock()
    private let input: Int32
    private var output: Stream
    private var errors: Stream

    private struct Stream {
        let descriptor: Int32
        var rest: [UInt8] = []
        var isOpen = true

        /// The complete lines that have come since the last call.
        mutating func takeLines() -> [String] {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while isOpen {
                let count = read(descriptor, &buffer, buffer.count)
                if count > 0 { rest += buffer[..<count] } else if count == 0 { isOpen = false } else { break }
            }
            var lines = rest.split(separator: 10, omittingEmptySubsequences: false)
            let last = lines.popLast() ?? []
            rest = Array(last)
            if !isOpen, !rest.isEmpty {
                lines.append(last)
                rest = []
            }
            return lines.map { String(decoding: $0, as: UTF8.self) }
        }
    }

    /// Starts a program; `program` is a path.
    init(_ name: String, program: String, arguments: [String], environment: [String: String]) throws {
        self.name = name
        // Between a pipe and its flag no other child may start, else it would hold the pipe open.
        Self.lock.lock()
        defer { Self.lock.unlock() }
        let stdin = try Self.makePipe()
        let stdout = try Self.makePipe()
        let stderr = try Self.makePipe()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, stdin[0], 0)
        posix_spawn_file_actions_adddup2(&actions, stdout[1], 1)
        posix_spawn_file_actions_adddup2(&actions, stderr[1], 2)
        pid = try Self.spawn(program, arguments, environment, &actions)
        for end in [stdin[0], stdout[1], stderr[1]] { close(end) }
        input = stdin[1]
        output = Stream(descriptor: stdout[0])
        errors = Stream(descriptor: stderr[0])
        for stream in [output, errors] { _ = fcntl(stream.descriptor, F_SETFL, O_NONBLOCK) }
    }

    deinit {
        kill()
        for descriptor in [input, output.descriptor, errors.descriptor] { close(descriptor) }
    }

    /// A pipe that other children do not inherit.
    private static func makePipe() throws -> [Int32] {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Trouble("no pipe: \(String(cString: strerror(errno)))") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return ends
    }

    private static func spawn(
        _ program: String, _ arguments: [String], _ environment: [String: String],
        _ actions: inout posix_spawn_file_actions_t
    ) throws -> pid_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))
        let surroundings = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        var words = ([program] + arguments).map { strdup($0) } + [nil]
        var settings = surroundings.map { strdup("\($0)=\($1)") } + [nil]
        defer { for word in words + settings { free(word) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, program, &actions, &attributes, &words, &settings)
        guard code == 0 else { throw Trouble("cannot start \(program): \(String(cString: strerror(code)))") }
        return pid
    }

    // MARK: Watching

    /// What to poll: the streams that are still open.
    var descriptors: [pollfd] {
        [output, errors].filter(\.isOpen).map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
    }

    /// Reads what has come, and takes the status of a process that has ended.
    func look() {
        // Status first: what a process printed before its end is then complete.
        if ending == nil { takeStatus() }
        let new = output.takeLines()
        lines += new
        events += new.compactMap { Event($0) }
        errorLines += errors.takeLines()
    }

    private func takeStatus(_ options: Int32 = WNOHANG) {
        var status: Int32 = 0
        guard waitpid(pid, &status, options) == pid else { return }
        ending = status & 0x7f == 0 ? .code((status >> 8) & 0xff) : .signal(status & 0x7f)
    }

    var isRunning: Bool { ending == nil }

    /// The first event called `name` for which `condition` holds.
    func event(_ name: String, where condition: (Event) -> Bool = { _ in true }) -> Event? {
        events.first { $0.name == name && condition($0) }
    }

    /// The last lines of its log, for the text of a failure.
    var tail: String {
        let state = ending.map { "\($0)" } ?? "running"
        return (["\(name) [\(pid), \(state)]"] + lines.suffix(6) + errorLines.suffix(6)).joined(separator: "\n    ")
    }

    // MARK: Ending

    func send(_ signal: Int32) { if ending == nil { _ = Glibc.kill(pid, signal) } }

    /// Ends the process at once and takes its status.
    func kill() {
        guard ending == nil else { return }
        send(SIGKILL)
        takeStatus(0)
    }
}

/// What a test could not do or did not see.
struct Trouble: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
