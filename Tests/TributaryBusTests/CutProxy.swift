// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

/// A TCP proxy on loopback that a test drives by hand, and that cuts its connections after a number of bytes.
final class CutProxy {
    private final class Connection {
        let ends: (Int32, Int32)
        /// Bytes read from one end and not yet written to the other.
        var pending: ([UInt8], [UInt8]) = ([], [])
        init(_ first: Int32, _ second: Int32) { ends = (first, second) }
    }

    let port: UInt16
    private let listener: Int32
    private let target: UInt16
    private var connections: [Connection] = []
    /// Bytes from the target to clients that may still pass before everything is cut; `nil` for all.
    var budgetDown: Int?
    /// The same for bytes from clients to the target.
    var budgetUp: Int?
    /// Whether bytes from clients are left unread (a client that does not send, as the target sees it).
    var isFrozen = false
    private(set) var cutCount = 0

    init(to target: UInt16) throws {
        self.target = target
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        self.listener = listener
        var address = CutProxy.loopback(port: 0)
        let isBound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(isBound == 0 && listen(listener, 16) == 0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(listener, $0, &size) }
        }
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit {
        cut()
        close(listener)
    }

    private static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    func cut() {
        if !connections.isEmpty { cutCount += 1 }
        for connection in connections {
            close(connection.ends.0)
            close(connection.ends.1)
        }
        connections = []
    }

    /// Accepts, and moves what can be moved.
    func step() {
        let client = accept(listener, nil, nil)
        if client >= 0 { connect(client) }
        for connection in connections {
            if !isFrozen, !move(from: connection.ends.0, to: connection.ends.1, &connection.pending.0, &budgetUp) {
                return cut()
            }
            if !move(from: connection.ends.1, to: connection.ends.0, &connection.pending.1, &budgetDown) {
                return cut()
            }
        }
    }

    private func connect(_ client: Int32) {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = CutProxy.loopback(port: target)
        let isConnected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard isConnected == 0 else {
            close(client)
            close(server)
            return
        }
        for descriptor in [client, server] {
            _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        }
        connections.append(Connection(client, server))
    }

    /// Whether the connection still stands.
    private func move(from source: Int32, to sink: Int32, _ pending: inout [UInt8], _ budget: inout Int?) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        for _ in 0..<16 {
            if pending.isEmpty {
                let count = recv(source, &buffer, buffer.count, 0)
                if count == 0 { return false }
                if count < 0 { return errno == EAGAIN }
                pending = Array(buffer[..<count])
                if let left = budget {
                    guard left > count else { return false }
                    budget = left - count
                }
            }
            let sent = send(sink, pending, pending.count, Int32(MSG_NOSIGNAL))
            if sent < 0 { return errno == EAGAIN }
            pending.removeFirst(sent)
        }
        return true
    }
}
