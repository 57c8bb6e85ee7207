// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryTopology

/// Builds a topology from a file's values, with defaults for what is absent or was wrong.
enum TopologyBuilder {
    static func topology(_ root: FileValue) -> Topology {
        let tiers = root["tiers"]?.list ?? []
        var nodes: [String: NodeOverride] = [:]
        for (name, value) in root["nodes"]?.mapping ?? [:] { nodes[name] = override(value) }
        let built = tiers.enumerated().map { tier($1, isRoot: $0 == 0) }
        return Topology(
            federation: root["federation"]?.text ?? "federation", seed: root["seed"]?.integer ?? 1,
            model: model(root["model"]), data: data(root["data"]),
            rounds: UInt32(clamping: root["rounds"]?.integer ?? 1), stop: stop(root["stop"]),
            evaluation: evaluation(root["evaluation"]),
            tiers: built, nodes: nodes, simulation: simulation(root["simulate"], tiers: built)
        ).filled()
    }

    private static func model(_ value: FileValue?) -> ModelSpecification {
        let hidden = (value?["hidden"]?.list ?? []).map { Int(clamping: $0?.integer ?? 1) }
        switch value?.kind {
        case "mlp": return .mlp(hidden: hidden)
        case "cnn":
            let blocks = (value?["blocks"]?.list ?? []).map {
                ConvolutionBlock(
                    channels: Int(clamping: $0?["channels"]?.integer ?? 1),
                    kernel: Int(clamping: $0?["kernel"]?.integer ?? 3))
            }
            return .cnn(blocks: blocks, hidden: hidden)
        default: return .linear
        }
    }

    private static func data(_ value: FileValue?) -> DataSpecification {
        func text(_ key: String) -> String { value?[key]?.text ?? "" }
        func count(_ key: String) -> Int { Int(clamping: value?[key]?.integer ?? 2) }
        let source: DataSpecification.Source =
            switch value?.kind {
            case "idx":
                .idx(
                    images: text("images"), labels: text("labels"), testImages: value?["test-images"]?.text,
                    testLabels: value?["test-labels"]?.text)
            case "csv":
                .csv(
                    path: text("path"), label: text("label"), client: value?["client"]?.text,
                    test: value?["test"]?.text)
            case "npz":
                .npz(
                    path: text("path"), features: value?["features"]?.text ?? "features",
                    labels: value?["labels"]?.text ?? "labels", test: value?["test"]?.text)
            case "synthetic":
                .synthetic(examples: count("examples"), features: count("features"), classes: count("classes"))
            default: .fashionMNIST
            }
        return DataSpecification(
            source: source, partition: partition(value?["partition"]),
            holdOut: value?["hold-out"]?.number ?? holdOutDefault(source), shard: shard(value?["shard"]),
            skew: skew(value?["skew"]), drift: drift(value?["drift"]))
    }

    /// A fifth of the examples where the source brings no test set, nothing otherwise.
    private static func holdOutDefault(_ source: DataSpecification.Source) -> Double {
        switch source {
        case .fashionMNIST: 0
        case .idx(_, _, let testImages, _): testImages == nil ? 0.2 : 0
        case .csv(_, _, _, let test): test == nil ? 0.2 : 0
        case .npz(_, _, _, let test): test == nil ? 0.2 : 0
        case .synthetic: 0.2
        }
    }

    private static func partition(_ value: FileValue?) -> PartitionSpecification {
        switch value?.kind {
        case "dirichlet": .dirichlet(alpha: value?["alpha"]?.number ?? 1)
        case "pathological":
            .pathological(
                classesPerPartition: Int(clamping: value?["classes-per-partition"]?.integer ?? 1),
                sites: value?["sites"].map { sites in
                    PartitionSites(
                        devices: Int(clamping: sites["devices"]?.integer ?? 1),
                        classes: Int(clamping: sites["classes"]?.integer ?? 1))
                })
        case "linear": .linear
        case "square": .square
        case "exponential": .exponential
        case "natural-id": .naturalID
        default: .iid
        }
    }

    private static func stop(_ value: FileValue?) -> StopRule? {
        guard let metric = StopRule.Metric(rawValue: value?["metric"]?.text ?? ""), let at = value?["at"]?.number else {
            return nil
        }
        return StopRule(metric: metric, threshold: at)
    }

    private static func evaluation(_ value: FileValue?) -> EvaluationSettings {
        let devices = value?["devices"].map {
            EvaluationSettings.OnDevices(
                every: UInt32(clamping: $0["every"]?.integer ?? 1), holdOut: $0["hold-out"]?.number ?? 0.1)
        }
        return EvaluationSettings(every: UInt32(clamping: value?["every"]?.integer ?? 1), onDevices: devices)
    }

    private static func tier(_ value: FileValue?, isRoot: Bool) -> Tier {
        Tier(
            name: value?["name"]?.text ?? "tier", fanOut: fanOut(value),
            optimizer: value?["optimizer"].map(serverOptimizer),
            quorum: value?["quorum"]?.number ?? Tier.quorumDefault, deadline: value?["deadline"]?.duration,
            edgeRounds: UInt32(clamping: value?["edge-rounds"]?.integer ?? 1), cohort: cohort(value?["cohort"]),
            training: training(value?["train"]),
            uplink: (value?["uplink"]?["encoding"]?.text).flatMap(UplinkEncoding.init(rawValue:)),
            listen: value?["listen"]?.endpoint, advertise: value?["advertise"]?.endpoint,
            join: value?["join"]?.endpoint,
            signatures: (value?["signatures"]?.text).flatMap(SignatureRule.init(rawValue:)) ?? .checked,
            islandRounds: UInt32(clamping: value?["island"]?["edge-rounds"]?.integer ?? 0),
            failover: failover(value?["failover"]))
    }

    private static func failover(_ value: FileValue?) -> Failover? {
        if value?.text == "any" { return .any }
        return (value?.list).map { .nodes($0.compactMap { $0?.text }) }
    }

    private static func fanOut(_ value: FileValue?) -> FanOut {
        if let names = value?["nodes"]?.list { return .names(names.map { $0?.text ?? "" }) }
        if let count = value?["count"]?.integer { return .count(count) }
        if let count = value?["per-parent"]?.integer { return .perParent(count) }
        return .one
    }

    private static func serverOptimizer(_ value: FileValue) -> ServerOptimizer {
        func number(_ key: String, _ otherwise: Float) -> Float { value[key]?.number.map { Float($0) } ?? otherwise }
        let beta1 = number("beta1", 0.9)
        let beta2 = number("beta2", 0.99)
        let tau = number("tau", 1e-3)
        switch value.kind {
        case "fedavgm": return .fedAvgM(learningRate: number("learning-rate", 1), momentum: number("momentum", 0.9))
        case "fedadam":
            return .fedAdam(learningRate: number("learning-rate", 0.01), beta1: beta1, beta2: beta2, tau: tau)
        case "fedyogi":
            return .fedYogi(learningRate: number("learning-rate", 0.01), beta1: beta1, beta2: beta2, tau: tau)
        case "fedadagrad":
            return .fedAdagrad(learningRate: number("learning-rate", 0.1), beta1: number("beta1", 0), tau: tau)
        default: return .fedAvg(learningRate: number("learning-rate", 1))
        }
    }

    private static func cohort(_ value: FileValue?) -> Selection {
        let overSelect = value?["over-select"]?.number ?? 1
        if let count = value?["count"]?.integer { return .count(count, overSelect: overSelect) }
        return .fraction(value?["fraction"]?.number ?? 1, overSelect: overSelect)
    }

    private static func training(_ value: FileValue?) -> Training {
        if value?.text == "none" { return .none }
        let standard = Training.settingsDefault
        var settings = standard
        if let steps = value?["local-steps"]?.integer {
            settings.work = .steps(UInt32(clamping: steps))
        } else if let epochs = value?["local-epochs"]?.integer {
            settings.work = .epochs(UInt32(clamping: epochs))
        }
        settings.batch = value?["batch"]?.integer.map { UInt32(clamping: $0) } ?? standard.batch
        settings.optimizer = value?["optimizer"].map(clientOptimizer) ?? standard.optimizer
        settings.proximal = value?["proximal"]?.number.map { Float($0) } ?? standard.proximal
        return Training(
            settings: settings,
            deltaBound: value?["delta-bound"]?.number.map { Float($0) } ?? Training.deltaBoundDefault,
            weightMax: value?["weight-max"]?.integer ?? Training.weightMaxDefault,
            onExcess: Training.OnExcess(rawValue: value?["on-excess"]?.text ?? "") ?? .scale)
    }

    private static func clientOptimizer(_ value: FileValue) -> ClientOptimizer {
        func number(_ key: String, _ otherwise: Float) -> Float { value[key]?.number.map { Float($0) } ?? otherwise }
        guard value.kind == "adam" else {
            return .sgd(learningRate: number("learning-rate", 0.05), momentum: number("momentum", 0))
        }
        return .adam(
            learningRate: number("learning-rate", 1e-3), beta1: number("beta1", 0.9), beta2: number("beta2", 0.999),
            epsilon: number("epsilon", 1e-8))
    }

    private static func override(_ value: FileValue) -> NodeOverride {
        NodeOverride(
            parent: value["parent"]?.text, listen: value["listen"]?.endpoint, advertise: value["advertise"]?.endpoint,
            join: value["join"]?.endpoint, children: value["children"]?.integer, quorum: value["quorum"]?.number,
            failover: failover(value["failover"]))
    }
}
