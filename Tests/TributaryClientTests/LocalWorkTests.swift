// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TributaryCore
import TributaryFiles
import TributaryLearning
import TributaryProtocol
import TributaryRing
import TributaryTopology

@testable import TributaryClient

@Suite struct LocalWorkTests {
    @Test("a device trains and evaluates on its examples as they are by the plan's seed and in its round")
    func followsThePlan() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "tributary-work-\(UUID().uuidString)").path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let store = try ObjectStore(directory: path)
        let open = { @Sendable (seed: UInt64) in
            var topology = FederatedDataTests.topology(.dirichlet(alpha: 0.5), shard: .fixed(80))
            topology.seed = seed
            return try FederatedData(topology, clientCount: 6, directory: FederatedDataTests.folder)
        }
        let architecture = try open(5).architecture()
        let client = ClientIndex(4)
        var work = try LocalWork(
            objects: HeldObjects(store: store), onExcess: .scale, client: client,
            data: SeededData(takerCount: 1, open: open), seed: 5)
        let parameters = architecture.initialParameters(seed: 1)
        let base = try store.put(parameters.span.bytes)
        let group = GroupPlan(
            name: "body", parameterCount: UInt64(parameters.count),
            ring: try RingParameters(deltaBound: 8, weightMax: 1_000, cohortMax: 6), encoding: .float32,
            normaliser: .weight)
        // Forwards and back: what a device did before does not show.
        let steps: [(round: UInt32, seed: UInt64)] = [(1, 5), (3, 5), (2, 5), (3, 5), (3, 6), (1, 6), (1, 5)]
        for (round, seed) in steps {
            let shard = try open(seed).shard(of: client, round: round)
            var trainer = try ShardTrainer(
                architecture: architecture, examples: shard.training(), holdOut: shard.holdOut())
            for kind in [
                RoundPlan.Kind.evaluate,
                .train(
                    TrainSettings(
                        work: .epochs(1), batch: 8, optimizer: .sgd(learningRate: 0.1, momentum: 0), proximal: 0)),
            ] {
                let job = TrainJob(client: client, number: RoundNumber(round: round), kind: kind, seed: seed)
                let plan = RoundPlan(
                    number: job.number, kind: kind, model: ModelReference(digest: base.digest, sources: []),
                    groups: [group], selection: .all, timeLeft: .seconds(1), seed: seed)
                var expected = parameters
                var span = expected.mutableSpan
                let report = try trainer.run(job, parameters: &span) { _ in }
                #expect(try work.perform(job, plan: plan) { _ in }.report == report)
            }
        }
    }
}
