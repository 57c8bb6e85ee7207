// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc

/// The processes of one test and the directory that they work in; nothing of either is left when the test is over.
final class Fleet {
    let directory: TemporaryDirectory
    private(set) var processes: [Running] = []

    private init() throws { directory = try TemporaryDirectory() }

    /// Runs a test's body and cleans up, however it ends.
    static func with(_ body: (Fleet) throws -> Void) throws {
        let fleet = try Fleet()
        defer {
            for process in fleet.processes { process.kill() }
            fleet.directory.remove()
        }
        try body(fleet)
    }

    // MARK: Places

    /// The repository's root.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// The program under test: beside this test bundle, unless the environment names another.
    static func binary() throws -> String {
        let path: String
        if let named = ProcessInfo.processInfo.environment["TRIBUTARY_BINARY"] {
            path = named
        } else {
            let bundle = [CommandLine.arguments[0], "/proc/self/exe"].first { $0.hasSuffix(".xctest") }
            let executable = URL(filePath: bundle ?? "/proc/self/exe").resolvingSymlinksInPath()
            path = executable.deletingLastPathComponent().appending(path: "tributary").path
        }
        guard access(path, X_OK) == 0 else {
            throw Trouble("there is no program at \(path); build it, or set TRIBUTARY_BINARY")
        }
        return path
    }

    /// The Python that the tests' device needs.
    static func python() throws -> String {
        let path = root + "/.build/venv/bin/python"
        guard access(path, X_OK) == 0 else {
            throw Trouble("there is no Python environment at \(path); make it with: Deploy/setup.sh --tests")
        }
        return path
    }

    // MARK: Starting

    /// Starts the program with a verb and its arguments.
    @discardableResult
    func start(_ name: String, _ arguments: [String]) throws -> Running {
        try start(name, program: Self.binary(), arguments)
    }

    @discardableResult
    func start(
        _ name: String, program: String, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> Running {
        let process = try Running(name, program: program, arguments: arguments, environment: environment)
        processes.append(process)
        return process
    }

    /// Runs the program to its end and returns it.
    @discardableResult
    func run(_ name: String, _ arguments: [String], within limit: Duration = .seconds(60)) throws -> Running {
        let process = try start(name, arguments)
        try waitForEnd(of: process, within: limit)
        return process
    }

    /// Runs the program, which has to end well.
    @discardableResult
    func succeed(_ name: String, _ arguments: [String], within limit: Duration = .seconds(60)) throws -> Running {
        let process = try run(name, arguments, within: limit)
        guard process.ending == .code(0) else { throw Trouble("it did not end well: \(process.tail)") }
        return process
    }

    /// A port that nobody listens on now.
    static func freePort() throws -> UInt16 {
        let listener = try Listener()
        defer { listener.close() }
        return listener.port
    }

    // MARK: Waiting

    /// Waits until `condition` gives a value; follows all processes meanwhile.
    ///
    /// - Throws: `Trouble` with the last lines of every process when the time is over.
    @discardableResult
    func wait<Value>(
        for what: String, within limit: Duration = .seconds(30), _ condition: () throws -> Value?
    ) throws -> Value {
        let end = ContinuousClock.now + limit
        while true {
            for process in processes { process.look() }
            if let value = try condition() { return value }
            guard ContinuousClock.now < end else {
                let tails = processes.map(\.tail).joined(separator: "\n")
                throw Trouble("waited \(limit) for \(what)\n\(tails)")
            }
            var descriptors = processes.flatMap(\.descriptors)
            _ = poll(&descriptors, nfds_t(descriptors.count), 20)
        }
    }

    /// Waits for an event of one process.
    @discardableResult
    func wait(
        for name: String, of process: Running, within limit: Duration = .seconds(30),
        where condition: (Event) -> Bool = { _ in true }
    ) throws -> Event {
        try wait(for: "'\(name)' of \(process.name)", within: limit) {
            if let event = process.event(name, where: condition) { return event }
            guard process.isRunning else { throw Trouble("it ended without '\(name)': \(process.tail)") }
            return nil
        }
    }

    func waitForEnd(of processes: Running..., within limit: Duration = .seconds(30)) throws {
        for process in processes {
            try wait(for: "the end of \(process.name)", within: limit) { process.isRunning ? nil : () }
        }
    }
}

/// A socket that keeps a port of this machine.
struct Listener {
    let port: UInt16
    private let descriptor: Int32

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard bind(descriptor, address, size) == 0, listen(descriptor, 1) == 0 else { return Int32(-1) }
                return getsockname(descriptor, address, &size)
            }
        }
        guard code == 0 else { throw Trouble("no free port: \(String(cString: strerror(errno)))") }
        self.descriptor = descriptor
        port = UInt16(bigEndian: address.sin_port)
    }

    func close() { _ = Glibc.close(descriptor) }
}

/// Whether a process exists and has not ended.
func isAlive(_ pid: pid_t) -> Bool {
    guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
        let state = text.split(separator: ")").last?.split(separator: " ").first
    else { return false }
    return state != "Z" && state != "X"
}
