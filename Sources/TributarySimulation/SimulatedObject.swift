// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryLearning

/// A flat vector of parameters that many hold and nobody changes: a model, or a node's own delta.
final class ModelVector: Sendable {
    let values: [Float]

    init(_ values: [Float]) { self.values = values }
}

/// What a digest stands for in a simulated store.
enum SimulatedObject {
    case model(ModelVector)
    /// A device's delta, computed when somebody needs it.
    case update(TrainingTask)
    /// A stepping aggregator's delta.
    case voice(ModelVector)
    case sum(SumBody)
    case names([ContributionName])
}

/// A sum's body: the packed ring integers, as they would travel.
final class SumBody {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }
}
