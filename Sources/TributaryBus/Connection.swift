// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// One TCP connection of libzmq's, known well enough to be cut and never mistaken for another.
///
/// libzmq 4.3.4 cannot disconnect one peer; it hangs up itself when the system ends the connection below it.
struct Connection: Sendable, Equatable {
    let descriptor: Int32
    /// The other end's address and port; a descriptor that was closed and used again leads elsewhere.
    private let peer: [UInt8]

    /// `nil` when the descriptor is no connection (any more).
    init?(_ descriptor: Int32) {
        guard descriptor >= 0, let peer = Self.peer(of: descriptor) else { return nil }
        self.descriptor = descriptor
        self.peer = peer
    }

    /// Ends the connection if the descriptor still is this one's; libzmq sees it closed by the other end.
    func cut() {
        // The duplicate stays this connection's even if libzmq closes its own descriptor meanwhile.
        let own = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard own >= 0 else { return }
        if Self.peer(of: own) == peer { _ = shutdown(own, Int32(SHUT_RDWR)) }
        _ = Glibc.close(own)
    }

    private static func peer(of descriptor: Int32) -> [UInt8]? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &length) }
        }
        guard result == 0 else { return nil }
        return withUnsafeBytes(of: &storage) { Array($0.prefix(Int(length))) }
    }
}
