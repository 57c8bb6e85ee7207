// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
package import TributaryLearning

/// The root's judgement of a model on examples that no device ever sees.
package struct HeldOutEvaluation: Sendable {
    private let architecture: ModelArchitecture
    private let examples: HeldOutExamples

    package init(architecture: ModelArchitecture, examples: HeldOutExamples) {
        self.architecture = architecture
        self.examples = examples
    }

    /// Accuracy, mean loss and number of examples, for flat parameters in layout order, on the examples of a round.
    package func result(
        of parameters: Span<Float>, round: UInt32
    ) throws -> (accuracy: Double, loss: Double, count: Int) {
        let result = try evaluation(of: parameters, round)
        return (result.accuracy, result.loss, result.count)
    }

    /// `accuracy` and `loss` of flat parameters in layout order, on the examples as they are in a round.
    package func metrics(of parameters: Span<Float>, round: UInt32) throws -> [MetricCounter] {
        let result = try evaluation(of: parameters, round)
        return [
            MetricCounter(name: "accuracy", sum: Double(result.correct), count: result.count),
            MetricCounter(name: "loss", sum: result.lossSum, count: result.count),
        ].compactMap(\.self)
    }

    private func evaluation(of parameters: Span<Float>, _ round: UInt32) throws -> Evaluation {
        try Evaluation.run(architecture, parameters: parameters, examples: examples.examples(round: round))
    }
}
