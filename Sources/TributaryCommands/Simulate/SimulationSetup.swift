// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryClient
import TributaryCore
import TributaryLearning
import TributaryRuntime
import TributarySimulation
import TributaryTopology

extension Simulation.Setup {
    /// What a federation's simulation is made from; opens its data.
    ///
    /// - Throws: errors of files and data.
    init(_ federation: Federation, threadCount: Int) throws {
        let topology = federation.topology
        let data = try federation.data()
        let architecture = try data.architecture()
        let evaluation = try data.heldOut().map { HeldOutEvaluation(architecture: architecture, examples: $0) }
        let shards = try data.loaded()
        let work = FleetWork(
            architecture: architecture, shards: shards, shardsChange: shards.law.isDrifting,
            refusesExcess: topology.training.onExcess == .refuse)
        self.init(
            tree: federation.tree, digest: federation.digest, layout: architecture.layout,
            parameters: architecture.initialParameters(seed: topology.seed), work: work,
            evaluate: evaluation.map { evaluation in
                { parameters, round in try evaluation.metrics(of: parameters.span, round: round) }
            },
            threadCount: threadCount)
    }
}
