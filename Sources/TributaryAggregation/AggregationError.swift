// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
internal import TributaryRing

/// Why an update, a sum or a step was refused; nothing of it has been added.
package enum AggregationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The number of groups differs from the plan's.
    case groupCount(expected: Int, actual: Int)
    /// A group's or body's size differs from what the plan needs.
    case size(group: String?, expected: UInt64, actual: UInt64)
    /// A group is encoded otherwise than the plan asks, or in a way that updates are not folded from.
    case encoding(group: String, expected: UpdateEncoding, actual: UpdateEncoding)
    /// A weight lies outside `1...maximum`.
    case weight(group: String, actual: UInt64, maximum: UInt64)
    /// The total weight would exceed the ring's, or does not fit the number of contributors.
    case totalWeight(group: String, maximum: UInt64)
    /// The number of contributors would exceed `Limits.cohortMax`.
    case contributorCount(maximum: UInt64)
    /// A value is infinite or not a number.
    case notFinite(group: String, index: Int)
    /// A value lies beyond its bound; for a sum, one in the block that starts at `index`.
    case outOfBound(group: String, index: Int)
    /// Packed ring values are malformed; the text says how.
    case packed(group: String, String)
    /// A metric is malformed, or its counters would overflow; the text says how.
    case metric(String)
    /// What is to be taken out is not contained.
    case notContained
    /// The plan's groups are larger than an object may be.
    case tooLarge(parameterCount: UInt64)
    /// The system has no memory for the sums.
    case memory(String)
    /// A buffer of a step has another length than the model.
    case length(what: String, expected: Int, actual: Int)
    /// The step would give a parameter or optimizer state that is not finite.
    case stepNotFinite(group: String, index: Int)

    /// The reason for which a sender is told no, or a round fails.
    package var reason: ReasonCode {
        switch self {
        case .groupCount, .length: .wrongShape
        case .size: .wrongSize
        case .encoding: .wrongEncoding
        case .weight, .totalWeight: .wrongWeight
        case .contributorCount: .surplus
        case .notFinite: .notFinite
        case .outOfBound: .outOfBound
        case .packed, .metric: .malformed
        case .notContained: .unexpected
        case .tooLarge: .oversized
        case .memory: .storage
        case .stepNotFinite: .roundFailed
        }
    }

    package var description: String {
        switch self {
        case .groupCount(let expected, let actual):
            "there are \(actual) groups where the plan has \(expected); send one entry for each group, in its order"
        case .size(let group, let expected, let actual):
            "\(group.map { "group '\($0)'" } ?? "the body") has \(actual) bytes where the plan needs \(expected)"
        case .encoding(let group, let expected, let actual):
            "group '\(group)' is encoded as \(actual) where the plan asks for \(expected)"
        case .weight(let group, let actual, let maximum):
            "the weight \(actual) of group '\(group)' lies outside 1...\(maximum)"
        case .totalWeight(let group, let maximum):
            "the total weight of group '\(group)' does not fit its contributors or exceeds \(maximum)"
        case .contributorCount(let maximum):
            "there would be no contributor, or more than \(maximum), in one sum; use smaller cohorts"
        case .notFinite(let group, let index):
            "group '\(group)' holds infinity or not-a-number at position \(index); lower the learning rate"
        case .outOfBound(let group, let index):
            "group '\(group)' exceeds its bound at position \(index); scale the group onto its bound"
        case .packed(let group, let text):
            "group '\(group)': \(text)"
        case .metric(let text):
            text
        case .notContained:
            "what is to be taken out is not in the sum; take out only what was added"
        case .tooLarge(let parameterCount):
            "\(parameterCount) parameters are more than one object may hold; use a smaller model"
        case .memory(let text):
            text
        case .length(let what, let expected, let actual):
            "\(what) has \(actual) values where \(expected) are needed"
        case .stepNotFinite(let group, let index):
            "the step would make parameter \(index) of group '\(group)' infinite or not-a-number; "
                + "lower the server optimizer's learning rate"
        }
    }

    /// The error of a ring operation in one group.
    init(_ error: RingError, group: String) {
        self =
            switch error {
            case .notFinite(let index): .notFinite(group: group, index: index)
            case .outOfBound(let index), .sumOutOfBound(let index): .outOfBound(group: group, index: index)
            case .memory: .memory(error.description)
            case .packed, .layout, .exponentTooSmall, .bound, .length, .weight:
                .packed(group: group, error.description)
            }
    }
}
