// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// How well parameters do on labelled examples.
package struct Evaluation: Hashable, Sendable {
    /// The number of examples.
    package let count: Int
    /// Examples whose most probable class is their label; ties go to the smaller class number.
    package let correct: Int
    /// The sum of the examples' cross-entropies, in nats.
    package let lossSum: Double

    /// The mean cross-entropy in nats; 0 without examples.
    package var loss: Double { count == 0 ? 0 : lossSum / Double(count) }
    /// The share of correct examples, in 0...1; 0 without examples.
    package var accuracy: Double { count == 0 ? 0 : Double(correct) / Double(count) }

    /// The examples that pass through the layers together; changes no bits.
    package static let batch = 128

    /// Evaluates `parameters: [parameterCount]` on examples, on the calling thread.
    ///
    /// - Throws: `LearningError.parameterCount` or `.examples` when model, parameters and examples do not fit.
    package static func run(
        _ architecture: ModelArchitecture, parameters: Span<Float>, examples: Examples, variant: KernelVariant = .best
    ) throws(LearningError) -> Evaluation {
        try architecture.check(examples)
        try architecture.check(parameterCount: parameters.count)
        let network = try Network(
            architecture: architecture, rows: min(batch, examples.count), forTraining: false, variant: variant)
        var arena = [Float](repeating: 0, count: network.workspace.count)
        return parameters.withUnsafeBufferPointer { parameters in
            arena.withUnsafeMutableBufferPointer { arena in
                guard let parameters = parameters.baseAddress, let arena = arena.baseAddress else {
                    return Evaluation(count: 0, correct: 0, lossSum: 0)
                }
                return network.evaluate(parameters, on: examples, arena: arena)
            }
        }
    }
}
