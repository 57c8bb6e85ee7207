// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
package import TributaryLearning

/// The root's judgement of a model on examples that no device ever sees.
package struct HeldOutEvaluation: Sendable {
    private let architecture: ModelArchitecture
    private let examples: Examples

    package init(architecture: ModelArchitecture, examples: Examples) {
        self.architecture = architecture
        self.examples = examples
    }

    /// Accuracy, mean loss and number of examples, for flat parameters in layout order.
    package func result(of parameters: Span<Float>) throws -> (accuracy: Double, loss: Double, count: Int) {
        let result = try Evaluation.run(architecture, parameters: parameters, examples: examples)
        return (result.accuracy, result.loss, result.count)
    }

    /// `accuracy` and `loss` of flat parameters in layout order.
    package func metrics(of parameters: Span<Float>) throws -> [MetricCounter] {
        let result = try Evaluation.run(architecture, parameters: parameters, examples: examples)
        return [
            MetricCounter(name: "accuracy", sum: Double(result.correct), count: result.count),
            MetricCounter(name: "loss", sum: result.lossSum, count: result.count),
        ].compactMap(\.self)
    }
}
