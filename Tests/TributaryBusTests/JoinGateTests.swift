// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import TributaryCore

@testable import TributaryBus

/// Two connected TCP sockets on loopback.
private struct Cable {
    let here: Int32
    let there: Int32

    init() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { Glibc.close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let there = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let isConnected = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 1) == 0
                    && getsockname(listener, $0, &length) == 0 && connect(there, $0, length) == 0
            }
        }
        try #require(isConnected)
        self.there = there
        here = accept(listener, nil, nil)
    }

    /// Whether this end reads the end of the connection.
    var isCut: Bool {
        var byte: UInt8 = 0
        return recv(there, &byte, 1, Int32(MSG_DONTWAIT)) == 0
    }

    func close() {
        Glibc.close(here)
        Glibc.close(there)
    }
}

struct JoinGateTests {
    private let start = Moment(nanoseconds: 1)

    @Test func whoStaysTooLongIsShownOut() throws {
        let (early, late) = (try Cable(), try Cable())
        defer {
            early.close()
            late.close()
        }
        var gate = JoinGate()
        #expect(gate.due == nil)
        gate.entered(try #require(Connection(early.here)), start)
        gate.entered(try #require(Connection(late.here)), start + .seconds(1))
        #expect(gate.due == start + Limits.joinTime)
        #expect(gate.takeExpired(start + (Limits.joinTime - .nanoseconds(1))).isEmpty)
        let expired = gate.takeExpired(start + Limits.joinTime)
        #expect(expired.map(\.descriptor) == [early.here])
        for connection in expired { connection.cut() }
        #expect(early.isCut && !late.isCut)
        gate.left(late.here)
        #expect(gate.due == nil)
    }

    @Test func moreThanTheRoomHoldsAreShownOutAtOnce() throws {
        let cable = try Cable()
        defer { cable.close() }
        let descriptor = try #require(Connection(cable.here))
        var gate = JoinGate(capacity: 1)
        gate.entered(descriptor, start)
        let second = try Cable()
        defer { second.close() }
        gate.entered(try #require(Connection(second.here)), start)
        #expect(try #require(gate.due) < start)
        #expect(gate.takeExpired(start).map(\.descriptor) == [second.here])
        #expect(gate.due == start + Limits.joinTime)
    }

    /// libzmq closes a descriptor when it likes, and the system gives its number to another connection.
    @Test func aDescriptorThatWasUsedAgainIsNotCut() throws {
        let first = try Cable()
        let connection = try #require(Connection(first.here))
        let second = try Cable()
        defer {
            Glibc.close(first.there)
            second.close()
        }
        #expect(dup2(second.here, first.here) == first.here)
        connection.cut()
        #expect(!second.isCut)
        Glibc.close(first.here)
        connection.cut()
        #expect(Connection(first.here) == nil && Connection(-1) == nil)
    }
}
