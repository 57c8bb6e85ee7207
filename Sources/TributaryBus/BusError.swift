// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// What can go wrong at a bus before messages flow; trouble with peers is reported as events instead.
package enum BusError: Error, Equatable, CustomStringConvertible {
    /// libzmq refused an endpoint: `action` is "listen on" or "connect to".
    case endpoint(action: String, endpoint: String, message: String)
    /// A key that is not 40 characters of Z85.
    case malformedKey(owner: String)
    /// Two nodes claim one public key.
    case sharedKey(first: String, second: String)
    /// The operating system or libzmq has no more of something.
    case resources(action: String, message: String)
    /// The bus was closed.
    case closed

    package var description: String {
        switch self {
        case .endpoint(let action, let endpoint, let message):
            "cannot \(action) \(endpoint): \(message); check the address, the port, and that nothing else uses it"
        case .malformedKey(let owner):
            "the key of \(owner) is not 40 characters of Z85; make a new one with `tributary key new`"
        case .sharedKey(let first, let second):
            "\(first) and \(second) have the same public key; give each node a key of its own"
        case .resources(let action, let message):
            "cannot \(action): \(message); raise the limit of open files (ulimit -n) or host fewer nodes here"
        case .closed: "the bus is closed"
        }
    }
}
