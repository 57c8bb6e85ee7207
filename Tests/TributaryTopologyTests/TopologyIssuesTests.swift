// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryTopology

/// Issues that a file's reader would have stopped earlier; those that it passes on are in the corpus of broken files.
@Suite struct TopologyIssuesTests {
    @Test("a sound topology has none")
    func none() {
        #expect(Example.regions(2, devices: .perParent(2)).issues().isEmpty)
    }

    static let changes: [(TopologyIssue.Code, String, @Sendable (inout Topology) -> Void)] = [
        (.name, "federation", { $0.federation = "" }),
        (.range, "rounds", { $0.rounds = 0 }),
        (.range, "stop.at", { $0.stop = StopRule(metric: .loss, threshold: .nan) }),
        (.range, "evaluation.every", { $0.evaluation.every = 0 }),
        (.range, "evaluation.devices.every", { $0.evaluation.onDevices = .init(every: 0) }),
        (.range, "model.hidden", { $0.model = .mlp(hidden: []) }),
        (.range, "model.hidden[0]", { $0.model = .mlp(hidden: [0]) }),
        (.range, "model.blocks", { $0.model = .cnn(blocks: [], hidden: []) }),
        (.range, "data.hold-out", { $0.data.holdOut = .nan }),
        (.range, "data.classes", { $0.data.source = .synthetic(examples: 1, features: 1, classes: 1) }),
        (.range, "data.partition.alpha", { $0.data.partition = .dirichlet(alpha: .infinity) }),
        (.range, "data.shard.examples", { $0.data.shard = .init(examples: .fixed(0)) }),
        (
            .range, "data.shard.examples.exponent",
            { $0.data.shard = .init(examples: .powerLaw(exponent: .nan, min: 1, max: 2)) }
        ),
        (
            .range, "data.shard.examples.max",
            { $0.data.shard = .init(examples: .powerLaw(exponent: 2, min: 1, max: 1_000_001)) }
        ),
        (
            .range, "data.shard.examples.sigma",
            { $0.data.shard = .init(examples: .logNormal(median: 5, sigma: .infinity, min: 1, max: 9)) }
        ),
        (.range, "data.skew.rotation", { $0.data.skew = SkewSpecification(rotation: .nan) }),
        (.range, "data.skew.noise", { $0.data.skew = SkewSpecification(noise: .infinity) }),
        (.range, "data.drift[0].per-round", { $0.data.drift = [.bias(.init(perRound: .nan))] }),
        (
            .range, "data.drift[1].at",
            { $0.data.drift = [.bias(.init(perRound: 1)), .labels(at: 0, swaps: [.init(0, 1)])] }
        ),
        (.data, "data.drift[0].swap[0]", { $0.data.drift = [.labels(at: 1, swaps: [.init(-1, 1)])] }),
        (.tiers, "tiers", { $0.tiers = [] }),
        (.quorum, "tiers[1].quorum", { $0.tiers[1].quorum = .nan }),
        (.range, "tiers[1].edge-rounds", { $0.tiers[1].edgeRounds = 0 }),
        (.range, "tiers[2].cohort.fraction", { $0.tiers[2].cohort = .fraction(.nan, overSelect: 1) }),
        (.range, "tiers[2].cohort.over-select", { $0.tiers[2].cohort = .fraction(1, overSelect: .nan) }),
        (.range, "tiers[2].cohort.count", { $0.tiers[2].cohort = .count(0, overSelect: 1) }),
        (.range, "tiers[2].train.local-epochs", { $0.tiers[2].training.settings.work = .epochs(0) }),
        (.range, "tiers[2].train.local-steps", { $0.tiers[2].training.settings.work = .steps(0) }),
        (.range, "tiers[2].train.batch", { $0.tiers[2].training.settings.batch = 0 }),
        (.range, "tiers[2].train.proximal", { $0.tiers[2].training.settings.proximal = -1 }),
        (.range, "tiers[2].train.delta-bound", { $0.tiers[2].training.deltaBound = .infinity }),
        (.range, "tiers[2].train.weight-max", { $0.tiers[2].training.weightMax = 0 }),
        (
            .range, "tiers[2].train.optimizer.learning-rate",
            { $0.tiers[2].training.settings.optimizer = .sgd(learningRate: .nan, momentum: 0) }
        ),
        (
            .range, "tiers[0].optimizer.tau",
            {
                $0.tiers[0].optimizer = .fedAdagrad(learningRate: 1, beta1: 0, tau: 0)
            }
        ),
        (.range, "tiers[2].train", { $0.tiers[2].training = Training(settings: .noTraining, deltaBound: 1) }),
        (
            .range, "simulate.links.camera.bandwidth.down",
            { $0.simulation.links["camera"] = .init(bandwidthDown: .nan) }
        ),
        (.range, "simulate.links.camera.latency", { $0.simulation.links["camera"] = .init(latency: .seconds(-1)) }),
        (.range, "simulate.links.camera.jitter", { $0.simulation.links["camera"] = .init(jitter: .seconds(-1)) }),
        (.range, "simulate.node-links.camera-1.loss", { $0.simulation.nodeLinks["camera-1"] = .init(loss: .nan) }),
        (.range, "simulate.compute.time", { $0.simulation.compute = .constant(.seconds(-1)) }),
        (.range, "simulate.compute.frequency", { $0.simulation.compute = .cpu(frequency: .infinity, cyclesPerBit: 1) }),
        (.range, "simulate.availability.down", { $0.simulation.availability = .markov(up: .seconds(1), down: .zero) }),
        (
            .count, "simulate.availability.zones",
            { $0.simulation.availability = .diurnal(mean: 0.5, amplitude: 0.5, peak: .zero, zones: []) }
        ),
        (.range, "simulate.energy.compute.draw", { $0.simulation.energy.compute = .power(watts: .nan) }),
        (
            .range, "simulate.energy.compute.alpha",
            { $0.simulation.energy.compute = .capacitance(alpha: 0, frequency: 1) }
        ),
        (.name, "simulate.classes[0].name", { $0.simulation.classes = [DeviceClass(name: "Phone", share: 1)] }),
        (
            .limit, "simulate.classes",
            { $0.simulation.classes = (0...256).map { DeviceClass(name: "c-\($0)", share: 1) } }
        ),
        (
            .range, "simulate.faults[0].at",
            { $0.simulation.faults = [Fault(kind: .kill, target: .tier("camera"), from: .seconds(-1))] }
        ),
        (
            .range, "simulate.faults[0].rate",
            {
                let kind = Fault.Kind.clockSkew(offset: .zero, rate: .nan)
                $0.simulation.faults = [Fault(kind: kind, target: .tier("camera"))]
            }
        ),
        (
            .fault, "simulate.faults[0].kill.tier",
            { $0.simulation.faults = [Fault(kind: .kill, target: .tier("cloud"))] }
        ),
        (
            .fault, "simulate.faults[0].slow",
            { $0.simulation.faults = [Fault(kind: .slow(factor: 2), target: .node(NodeName("region-0")))] }
        ),
        (.deadline, "tiers[0].deadline", { $0.tiers[0].deadline = .seconds(-1) }),
        (.misplaced, "tiers[2].optimizer", { $0.tiers[2].optimizer = .fedAvg(learningRate: 1) }),
        (.count, "tiers[1]", { $0.tiers[1].fanOut = .one }),
        (.unknownNode, "nodes.nobody", { $0.nodes["nobody"] = NodeOverride() }),
        (.count, "nodes.cloud.children", { $0.nodes["cloud"] = NodeOverride(children: 0) }),
    ]

    @Test("each wrong value is found at its path, and the tree refused", arguments: changes.indices)
    func found(index: Int) {
        let (code, path, change) = Self.changes[index]
        var topology = Example.regions(2, devices: .perParent(2))
        change(&topology)
        let issues = topology.issues()
        #expect(issues.contains { $0.code == code && $0.path == path && $0.severity == .error }, "\(issues)")
        #expect(throws: TopologyError.self) { try Tree(topology) }
        #expect(!topology.issues(besides: [path]).contains { $0.path == path })
    }
}
