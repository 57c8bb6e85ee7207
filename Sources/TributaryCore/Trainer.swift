// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// One piece of local work: which plan, for which client, from which base.
package struct TrainJob: Hashable, Sendable {
    package var client: ClientIndex
    package var number: RoundNumber
    package var kind: RoundPlan.Kind
    package var seed: UInt64
    package init(client: ClientIndex, number: RoundNumber, kind: RoundPlan.Kind, seed: UInt64) {
        self.client = client
        self.number = number
        self.kind = kind
        self.seed = seed
    }
}

/// What came out of a job, beside the parameters.
package struct TrainReport: Hashable, Sendable {
    /// Examples that the client trained on (or evaluated on); the update's weight.
    package var exampleCount: UInt64
    package var metrics: [MetricCounter]
    package init(exampleCount: UInt64, metrics: [MetricCounter]) {
        self.exampleCount = exampleCount
        self.metrics = metrics
    }
}

/// Local training: turns base parameters into local parameters, in place.
///
/// The embedded trainer, a user's own code or another process stand behind it. The same job on the same parameters
/// gives the same bits.
package protocol Trainer {
    /// Runs `job`; for `train`, `parameters` hold the base on entry and the local model on return (flat, layout order);
    /// for `evaluate` they stay as they are.
    ///
    /// - Throws: when the job cannot be done, for example when the shard is empty or training diverged.
    mutating func run(
        _ job: TrainJob, parameters: inout MutableSpan<Float>, progress: (_ permille: UInt32) -> Void
    ) throws -> TrainReport
}
