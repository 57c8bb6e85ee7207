// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// What can be wrong with a model, its data, its settings or a partition.
package enum LearningError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The model cannot be built for the data's shape; the text says why and what to change.
    case model(String)
    /// Examples do not fit the model or are malformed; the text says how.
    case examples(String)
    /// A training setting is outside its range; the text says which.
    case settings(String)
    /// The examples cannot be spread as asked; the text says what to change.
    case partition(String)
    /// A parameter vector has the wrong length.
    case parameterCount(expected: Int, actual: Int)
    /// The client has no examples to train on.
    case emptyShard(client: ClientIndex)
    /// The loss or a parameter stopped being finite during local training, after so many steps.
    case diverged(client: ClientIndex, number: RoundNumber, step: UInt64)
    /// The loss of an evaluation is not finite or too large to count.
    case evaluation(client: ClientIndex, number: RoundNumber)

    package var description: String {
        switch self {
        case .model(let text), .examples(let text), .settings(let text), .partition(let text):
            text
        case .parameterCount(let expected, let actual):
            "the model has \(actual) parameters where its layout has \(expected); "
                + "fetch the model that belongs to this run"
        case .emptyShard(let client):
            "client \(client) has no training examples; give it data or take it out of the topology"
        case .diverged(let client, let number, let step):
            "training of client \(client) diverged in round \(number) at step \(step); lower the learning rate"
        case .evaluation(let client, let number):
            "the model of round \(number) has no finite loss on client \(client)'s hold-out examples; training diverged"
        }
    }
}
