// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// What can be wrong with an encoded delta, or with a delta that is to be encoded.
package enum CodecError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The body has another size than the groups' values need.
    case size(expected: UInt64, actual: UInt64)
    /// A value is infinite or not a number; `index` is its position in the group.
    case notFinite(group: String, index: Int)
    /// A value lies beyond the delta bound; `index` is its position in the group.
    case outOfBound(group: String, index: Int)
    /// A vector has another length than its layout.
    case length(expected: Int, actual: Int)
    /// A group's size does not fit the machine.
    case tooLarge(group: String)

    package var description: String {
        switch self {
        case .size(let expected, let actual):
            "the body has \(actual) bytes where the plan's groups need \(expected); send float32 values of each group"
        case .notFinite(let group, let index):
            "group '\(group)' holds infinity or not-a-number at position \(index); lower the learning rate"
        case .outOfBound(let group, let index):
            "group '\(group)' exceeds the delta bound at position \(index); scale the group onto its bound"
        case .length(let expected, let actual):
            "a vector has \(actual) values where \(expected) are needed; use the model's layout"
        case .tooLarge(let group):
            "group '\(group)' is larger than an object may be; use a smaller model"
        }
    }
}
