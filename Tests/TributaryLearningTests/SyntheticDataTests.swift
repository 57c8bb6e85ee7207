// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryLearning

@Suite struct SyntheticDataTests {
    @Test func rowsDependOnTheirNumberAlone() throws {
        let data = try SyntheticData(examples: 200, features: 7, classes: 4, seed: 6)
        let all = data.examples(rows: 0..<200)
        let some = data.examples(rows: [150, 3])
        #expect(some.features == Array(all.features[150 * 7..<151 * 7] + all.features[3 * 7..<4 * 7]))
        #expect(some.labels == [all.labels[150], all.labels[3]])
        #expect(data.labels() == all.labels)
        #expect(Set(all.labels) == [0, 1, 2, 3])
        let other = try SyntheticData(examples: 200, features: 7, classes: 4, seed: 7)
        #expect(other.examples(rows: 0..<200).features != all.features)
    }

    /// Fresh rows are learnable from the training rows, but not perfectly, and better by an MLP than by a line.
    @Test func isLearnableButNotTrivial() throws {
        let data = try SyntheticData(examples: 1_500, features: 8, classes: 5, seed: 3)
        let (training, fresh) = (data.examples(rows: 0..<1_500), data.examples(rows: 1_500..<2_000))
        let accuracies = try [ModelSpecification.linear, .mlp(hidden: [32])].map { specification in
            let architecture = try ModelArchitecture(specification: specification, featureShape: [8], classCount: 5)
            var trainer = try ShardTrainer(architecture: architecture, examples: training)
            let settings = TrainSettings(
                work: .epochs(8), batch: 16, optimizer: .sgd(learningRate: 0.05, momentum: 0.5))
            let parameters = try train(&trainer, settings, from: architecture.initialParameters(seed: 1))
            return try Evaluation.run(architecture, parameters: parameters.span, examples: fresh).accuracy
        }
        #expect(accuracies[0] > 0.4 && accuracies[1] > 0.75 && accuracies[1] < 0.995)
        #expect(accuracies[1] > accuracies[0])
    }

    @Test func impossibleSizesAreErrors() {
        for (examples, features, classes) in [
            (0, 1, 2), (1, 0, 2), (1, 1, 1), (.max, 1, 2), (1, .max, 2), (1, 1, .max), (1, 1 << 20, 1 << 20),
            (-1, -1, -1),
        ] {
            #expect(throws: LearningError.self) {
                _ = try SyntheticData(examples: examples, features: features, classes: classes, seed: 1)
            }
        }
    }
}
