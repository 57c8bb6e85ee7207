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
    @Test("a device trains and evaluates on its examples as they are in the plan's round")
    func followsTheRound() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "tributary-work-\(UUID().uuidString)").path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let store = try ObjectStore(directory: path)
        let data = try FederatedData(
            FederatedDataTests.topology(.dirichlet(alpha: 0.5), shard: .fixed(80)), clientCount: 6,
            directory: FederatedDataTests.folder)
        let architecture = try data.architecture()
        let client = ClientIndex(4)
        var work = try LocalWork(
            objects: HeldObjects(store: store), onExcess: .scale, architecture: architecture,
            shard: try data.shard(of: client, round: 0), law: data.shards.law)
        let parameters = architecture.initialParameters(seed: 1)
        let base = try store.put(parameters.span.bytes)
        let group = GroupPlan(
            name: "body", parameterCount: UInt64(parameters.count),
            ring: try RingParameters(deltaBound: 8, weightMax: 1_000, cohortMax: 6), encoding: .float32,
            normaliser: .weight)
        // Forwards and back: what a device did before does not show.
        for round in [1, 3, 2, 3, 1] as [UInt32] {
            let shard = try data.shard(of: client, round: round)
            var trainer = try ShardTrainer(
                architecture: architecture, examples: shard.training(), holdOut: shard.holdOut())
            for kind in [
                RoundPlan.Kind.evaluate,
                .train(
                    TrainSettings(
                        work: .epochs(1), batch: 8, optimizer: .sgd(learningRate: 0.1, momentum: 0), proximal: 0)),
            ] {
                let job = TrainJob(client: client, number: RoundNumber(round: round), kind: kind, seed: 1)
                let plan = RoundPlan(
                    number: job.number, kind: kind, model: ModelReference(digest: base.digest, sources: []),
                    groups: [group], selection: .all, timeLeft: .seconds(1), seed: 1)
                var expected = parameters
                var span = expected.mutableSpan
                let report = try trainer.run(job, parameters: &span) { _ in }
                #expect(try work.perform(job, plan: plan) { _ in }.report == report)
            }
        }
    }
}
