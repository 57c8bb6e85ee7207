// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// A TCP address, written `tcp://host:port`; IPv6 hosts stand in brackets.
package struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    /// A name, an IPv4 address, an IPv6 address without brackets, or `*` for every interface.
    package let host: String
    /// 0 asks the system for a free port.
    package let port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Reads `tcp://host:port`; `nil` for anything else.
    package init?(_ text: String) {
        let scheme = "tcp://"
        guard text.hasPrefix(scheme), text.utf8.count <= 300 else { return nil }
        let address = text.utf8.dropFirst(scheme.utf8.count)
        guard let colon = address.lastIndex(of: UInt8(ascii: ":")) else { return nil }
        let digits = address[address.index(after: colon)...]
        guard !digits.isEmpty, digits.allSatisfy({ (48...57).contains($0) }),
            let port = UInt16(String(Substring(digits)))
        else { return nil }
        var host = address[..<colon]
        let isBracketed = host.first == UInt8(ascii: "[") && host.last == UInt8(ascii: "]")
        if isBracketed {
            host = host.dropFirst().dropLast()
            guard host.contains(UInt8(ascii: ":")), host.allSatisfy(Self.isIPv6Character) else { return nil }
        } else {
            let name = String(Substring(host))
            guard name == "*" || (!host.isEmpty && host.allSatisfy(Self.isHostCharacter)) else { return nil }
        }
        self.init(host: String(Substring(host)), port: port)
    }

    package var description: String {
        host.utf8.contains(UInt8(ascii: ":")) ? "tcp://[\(host)]:\(port)" : "tcp://\(host):\(port)"
    }

    /// Whether the host stands for every interface, so that nobody can connect to it as written.
    package var isWildcard: Bool { ["*", "0.0.0.0", "::"].contains(host) }

    /// The same host, `offset` ports higher; 0 stays 0, and `nil` means that there is no such port.
    package func advanced(by offset: Int) -> Endpoint? {
        guard port != 0 else { return self }
        guard let port = UInt16(exactly: Int(port) + offset) else { return nil }
        return Endpoint(host: host, port: port)
    }

    private static func isHostCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
        default: false
        }
    }

    private static func isIPv6Character(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...58, 65...70, 97...102, UInt8(ascii: "."), UInt8(ascii: "%"): true
        default: false
        }
    }
}
