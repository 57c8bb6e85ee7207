// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import TributaryCore

/// Who stands at a join bind: anybody may come, so nobody may stay, and only so many at a time.
struct JoinGate {
    /// What CURVE puts around a frame, with room: a command's name, a nonce, flags and an authenticator.
    static let overheadByteCount = 64

    let capacity: Int
    private var connections: [Int32: (connection: Connection, until: Moment)] = [:]
    /// Those to be cut at once.
    private var surplus: [Connection] = []

    init(capacity: Int = Limits.joinConnectionCountMax) { self.capacity = capacity }

    mutating func entered(_ connection: Connection, _ now: Moment) {
        guard connections.count < capacity else { return surplus.append(connection) }
        connections[connection.descriptor] = (connection, now + Limits.joinTime)
    }

    mutating func left(_ descriptor: Int32) { connections[descriptor] = nil }

    /// The next moment at which somebody's time is over.
    var due: Moment? {
        surplus.isEmpty ? connections.values.map(\.until).min() : Moment(nanoseconds: 0)
    }

    /// Takes those whose time is over.
    mutating func takeExpired(_ now: Moment) -> [Connection] {
        let expired = connections.values.filter { $0.until <= now }.map(\.connection)
        for connection in expired { connections[connection.descriptor] = nil }
        defer { surplus = [] }
        return expired + surplus
    }
}
