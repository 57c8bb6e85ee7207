// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// Why bytes did not become a value, or a value did not fit a frame.
package enum WireError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A frame or a chunk's payload is larger than the link allows, or than the buffer it is written to.
    case oversized(byteCount: Int, maximum: Int)
    /// The bytes are not a message of this protocol; the text says where and what.
    case malformed(String)
    /// A number, list or text is beyond its bound in `Limits`.
    case limit(field: String, actual: UInt64, maximum: UInt64)
    /// Unpacking would take more memory than its budget.
    case budget(byteCount: Int)
    /// A kind of message that this version does not know, by its field number in the envelope.
    case unknownKind(UInt32)
    /// The sender writes a version of the protocol that this node does not speak.
    case version(UInt32)
    /// An encoding that this version does not know.
    case encoding(UInt32)

    /// The reason to refuse with.
    package var reason: ReasonCode {
        switch self {
        case .oversized, .limit, .budget: .oversized
        case .malformed: .malformed
        case .unknownKind: .unknownKind
        case .version: .wireVersion
        case .encoding: .wrongEncoding
        }
    }

    package var description: String {
        switch self {
        case .oversized(let byteCount, let maximum):
            "\(byteCount) bytes came where at most \(maximum) are allowed; send smaller chunks"
        case .malformed(let text):
            "the frame is not a message of this protocol: \(text)"
        case .limit(let field, let actual, let maximum):
            "\(field) is \(actual) where at most \(maximum) is allowed"
        case .budget(let byteCount):
            "the frame unpacks to more than its budget of \(byteCount) bytes; send fewer, larger fields"
        case .unknownKind(let number):
            "the frame holds a message of unknown kind \(number); this node may need a newer version"
        case .version(let version):
            "the frame is written in version \(version) of the protocol; this node speaks \(WireVersion.supported)"
        case .encoding(let number):
            "the encoding \(number) is not known; offer one that the plan names"
        }
    }
}
