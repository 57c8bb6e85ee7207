// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// A TCP proxy on loopback that breaks its connections once in each direction, after so many bytes went that way.
final class CuttingProxy: Sendable {
    /// Where to connect instead of to the target.
    let endpoint: String
    private let listener: Int32
    private let target: UInt16
    private let cutAfter: Int
    private let isClosed = Atomic<Bool>(false)
    private let cuts = Atomic<Int>(0)

    /// Opens the proxy and serves it on a thread of its own until it is closed.
    init(to endpoint: String, cutAfter: Int) throws {
        guard let port = endpoint.split(separator: ":").last.flatMap({ UInt16($0) }) else {
            throw CommandError("bench.failed", "no port in \(endpoint)")
        }
        target = port
        self.cutAfter = cutAfter
        listener = Self.open()
        var address = Self.loopback(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isOpen = withUnsafeMutablePointer(to: &address) { [listener] pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && listen(listener, 4) == 0 && getsockname(listener, $0, &size) == 0
            }
        }
        guard isOpen else { throw CommandError("bench.failed", "no port is free on loopback") }
        self.endpoint = "tcp://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        BenchmarkThread.start { [self] in serve() }
    }

    /// How many connections were broken.
    var cutCount: Int { cuts.load(ordering: .relaxed) }

    func close() { isClosed.store(true, ordering: .relaxed) }

    /// One connection: both ends, and what was read from one and not yet taken by the other.
    private struct Connection {
        var ends: (client: Int32, server: Int32)
        var waiting: (up: ArraySlice<UInt8>, down: ArraySlice<UInt8>) = ([], [])

        func close() {
            Glibc.close(ends.client)
            Glibc.close(ends.server)
        }
    }

    private func serve() {
        var connection: Connection?
        var left: (up: Int, down: Int) = (cutAfter, cutAfter)
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        while !isClosed.load(ordering: .relaxed) {
            guard var open = connection else {
                connection = accept(20)
                continue
            }
            wait(open)
            let isWhole =
                Self.move(from: open.ends.client, to: open.ends.server, &open.waiting.up, &left.up, &buffer)
                && Self.move(from: open.ends.server, to: open.ends.client, &open.waiting.down, &left.down, &buffer)
            connection = open
            if isWhole { continue }
            open.close()
            connection = nil
            if left.up <= 0 { left.up = .max } else if left.down <= 0 { left.down = .max } else { continue }
            cuts.add(1, ordering: .relaxed)
        }
        connection?.close()
        Glibc.close(listener)
    }

    private func accept(_ patience: Int32) -> Connection? {
        var item = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
        guard poll(&item, 1, patience) > 0 else { return nil }
        let client = Glibc.accept(listener, nil, nil)
        // A node that is started meanwhile must not hold the connection open.
        _ = fcntl(client, F_SETFD, FD_CLOEXEC)
        let server = Self.open()
        var address = Self.loopback(target)
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        let connection = Connection(ends: (client, server))
        guard client >= 0, isConnected else {
            connection.close()
            return nil
        }
        for end in [client, server] { _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK) }
        return connection
    }

    private func wait(_ connection: Connection) {
        let (up, down) = (connection.waiting.up.isEmpty, connection.waiting.down.isEmpty)
        var items = [
            pollfd(fd: connection.ends.client, events: Int16((up ? POLLIN : 0) | (down ? 0 : POLLOUT)), revents: 0),
            pollfd(fd: connection.ends.server, events: Int16((down ? POLLIN : 0) | (up ? 0 : POLLOUT)), revents: 0),
        ]
        _ = poll(&items, 2, 20)
    }

    /// Moves what there is; whether the connection still stands.
    private static func move(
        from source: Int32, to sink: Int32, _ waiting: inout ArraySlice<UInt8>, _ left: inout Int,
        _ buffer: inout [UInt8]
    ) -> Bool {
        if waiting.isEmpty {
            let count = recv(source, &buffer, buffer.count, 0)
            if count == 0 { return false }
            if count < 0 { return errno == EAGAIN }
            if left != .max { left -= count }
            if left <= 0 { return false }
            waiting = buffer[..<count]
        }
        let sent = waiting.withUnsafeBytes { send(sink, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        if sent < 0 { return errno == EAGAIN }
        waiting = waiting.dropFirst(sent)
        return true
    }

    private static func open() -> Int32 {
        socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }
}
