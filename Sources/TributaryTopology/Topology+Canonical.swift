// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

extension Topology {
    /// The topology with the defaults that depend on other fields written out.
    ///
    /// They are the optimizers of stepping tiers, the root's deadline, uplink encodings, and links of tiers.
    package func filled() -> Topology {
        var filled = self
        for index in tiers.indices {
            if isStepping(tier: index), tiers[index].optimizer == nil {
                filled.tiers[index].optimizer = .fedAvg(learningRate: 1)
            }
            if index == 0, tiers[index].deadline == nil { filled.tiers[index].deadline = Tier.deadlineDefault }
            if index > 0, tiers[index].uplink == nil { filled.tiers[index].uplink = uplink(ofTier: index) }
            if index > 0, simulation.links[tiers[index].name] == nil {
                filled.simulation.links[tiers[index].name] = .default
            }
        }
        return filled
    }

    /// The topology with every default, in the one order in which it is written: equal topologies give equal documents.
    package var canonical: PlainValue {
        let simulate = filled().simulation.canonical(tiers: tiers.map(\.name))
        return .mapping(fields(isAgreed: false) + [.init("simulate", simulate)])
    }

    /// The canonical document as YAML.
    package var canonicalText: String { Self.text(canonical) }

    /// The canonical text without what a node need not know of others: its digest tells federations apart.
    ///
    /// Seed and round count are left out, since they are the root's and its plans carry them down, and the section
    /// `simulate`, since it changes nothing in a deployment.
    package var agreedText: String { Self.text(.mapping(fields(isAgreed: true))) }

    private static func text(_ document: PlainValue) -> String {
        document.yamlLines().map(\.text).joined(separator: "\n") + "\n"
    }

    /// All fields but `simulate`; `isAgreed`: only those that nodes must agree on.
    private func fields(isAgreed: Bool) -> [PlainValue.Field] {
        let filled = filled()
        var fields: [PlainValue.Field] = [
            .init("tributary", .text("v1")),
            .init("federation", .text(federation)),
        ]
        if !isAgreed { fields.append(.init("seed", .number(seed))) }
        fields.append(.init("model", model.canonical))
        fields.append(.init("data", data.canonical))
        if !isAgreed { fields.append(.init("rounds", .number(rounds))) }
        if let stop {
            fields.append(
                .init(
                    "stop",
                    .mapping([.init("metric", .text(stop.metric.rawValue)), .init("at", .number(stop.threshold))])))
        }
        fields.append(.init("evaluation", evaluation.canonical))
        fields.append(.init("tiers", .list(filled.tiers.indices.map { filled.canonical(ofTier: $0) })))
        if !nodes.isEmpty {
            let entries = nodes.sorted { $0.key < $1.key }.map { PlainValue.Field($0.key, $0.value.canonical) }
            fields.append(.init("nodes", .mapping(entries)))
        }
        return fields
    }

    private func canonical(ofTier index: Int) -> PlainValue {
        let tier = tiers[index]
        var fields: [PlainValue.Field] = [.init("name", .text(tier.name))]
        switch tier.fanOut {
        case .one: break
        case .names(let names): fields.append(.init("nodes", .list(names.map { .text($0) })))
        case .count(let count): fields.append(.init("count", .number(count)))
        case .perParent(let count): fields.append(.init("per-parent", .number(count)))
        }
        if index < tiers.count - 1 {
            fields.append(.init("rule", .mapping([.init("kind", .text(tier.rule.rawValue))])))
            if let optimizer = tier.optimizer { fields.append(.init("optimizer", optimizer.canonical)) }
            fields.append(.init("quorum", .number(tier.quorum)))
            if let deadline = tier.deadline { fields.append(.init("deadline", .duration(deadline))) }
            if index > 0 { fields.append(.init("edge-rounds", .number(tier.edgeRounds))) }
            if tier.islandRounds > 0 {
                fields.append(.init("island", .mapping([.init("edge-rounds", .number(tier.islandRounds))])))
            }
        } else {
            fields.append(.init("cohort", tier.cohort.canonical))
            fields.append(.init("train", tier.training.canonical))
        }
        if let uplink = tier.uplink {
            fields.append(.init("uplink", .mapping([.init("encoding", .text(uplink.rawValue))])))
        }
        if let failover = tier.failover { fields.append(.init("failover", failover.canonical)) }
        if let listen = tier.listen { fields.append(.init("listen", .text(listen.description))) }
        if let advertise = tier.advertise { fields.append(.init("advertise", .text(advertise.description))) }
        if let join = tier.join { fields.append(.init("join", .text(join.description))) }
        if index == 0 { fields.append(.init("signatures", .text(tier.signatures.rawValue))) }
        return .mapping(fields)
    }
}

extension ModelSpecification {
    var canonical: PlainValue {
        switch self {
        case .linear:
            .mapping([.init("kind", .text("linear"))])
        case .mlp(let hidden):
            .mapping([.init("kind", .text("mlp")), .init("hidden", .list(hidden.map { .number($0) }))])
        case .cnn(let blocks, let hidden):
            .mapping([
                .init("kind", .text("cnn")),
                .init(
                    "blocks",
                    .list(
                        blocks.map {
                            .mapping([.init("channels", .number($0.channels)), .init("kernel", .number($0.kernel))])
                        })),
                .init("hidden", .list(hidden.map { .number($0) })),
            ])
        }
    }
}

extension DataSpecification {
    var canonical: PlainValue {
        var fields: [PlainValue.Field] = []
        func add(_ key: String, _ text: String?) {
            if let text { fields.append(.init(key, .text(text))) }
        }
        switch source {
        case .fashionMNIST:
            add("kind", "fashion-mnist")
        case .idx(let images, let labels, let testImages, let testLabels):
            add("kind", "idx")
            add("images", images)
            add("labels", labels)
            add("test-images", testImages)
            add("test-labels", testLabels)
        case .csv(let path, let label, let client, let test):
            add("kind", "csv")
            add("path", path)
            add("label", label)
            add("client", client)
            add("test", test)
        case .npz(let path, let features, let labels, let test):
            add("kind", "npz")
            add("path", path)
            add("features", features)
            add("labels", labels)
            add("test", test)
        case .synthetic(let examples, let features, let classes):
            add("kind", "synthetic")
            fields.append(.init("examples", .number(examples)))
            fields.append(.init("features", .number(features)))
            fields.append(.init("classes", .number(classes)))
        }
        fields.append(.init("hold-out", .number(holdOut)))
        fields.append(.init("partition", partition.canonical))
        return .mapping(fields + varietyFields)
    }
}

extension PartitionSpecification {
    /// The name of the kind in files, as in flwr-datasets.
    package var kindName: String {
        switch self {
        case .iid: "iid"
        case .dirichlet: "dirichlet"
        case .pathological: "pathological"
        case .linear: "linear"
        case .square: "square"
        case .exponential: "exponential"
        case .naturalID: "natural-id"
        }
    }

    var canonical: PlainValue {
        let kind = PlainValue.Field("kind", .text(kindName))
        switch self {
        case .dirichlet(let alpha):
            return .mapping([kind, .init("alpha", .number(alpha))])
        case .pathological(let classes, let sites):
            let fields = sites.map { sites in
                PlainValue.Field(
                    "sites",
                    .mapping([.init("devices", .number(sites.devices)), .init("classes", .number(sites.classes))]))
            }
            return .mapping([kind, .init("classes-per-partition", .number(classes))] + [fields].compactMap(\.self))
        case .iid, .linear, .square, .exponential, .naturalID:
            return .mapping([kind])
        }
    }
}

extension EvaluationSettings {
    var canonical: PlainValue {
        var fields: [PlainValue.Field] = [.init("every", .number(every))]
        if let onDevices {
            fields.append(
                .init(
                    "devices",
                    .mapping([
                        .init("every", .number(onDevices.every)), .init("hold-out", .number(onDevices.holdOut)),
                    ])))
        }
        return .mapping(fields)
    }
}

extension Selection {
    var canonical: PlainValue {
        switch self {
        case .fraction(let fraction, let overSelect):
            .mapping([.init("fraction", .number(fraction)), .init("over-select", .number(overSelect))])
        case .count(let count, let overSelect):
            .mapping([.init("count", .number(count)), .init("over-select", .number(overSelect))])
        }
    }
}

extension Training {
    var canonical: PlainValue {
        var fields: [PlainValue.Field] = []
        switch settings.work {
        case .epochs(let count): fields.append(.init("local-epochs", .number(count)))
        case .steps(let count): fields.append(.init("local-steps", .number(count)))
        case .none: return .text("none")
        }
        fields.append(.init("batch", .number(settings.batch)))
        fields.append(.init("optimizer", settings.optimizer.canonical))
        fields.append(.init("proximal", .number(settings.proximal)))
        fields.append(.init("delta-bound", .number(deltaBound)))
        fields.append(.init("weight-max", .number(weightMax)))
        fields.append(.init("on-excess", .text(onExcess.rawValue)))
        return .mapping(fields)
    }
}

extension ClientOptimizer {
    var canonical: PlainValue {
        switch self {
        case .sgd(let learningRate, let momentum):
            .mapping([
                .init("kind", .text("sgd")), .init("learning-rate", .number(learningRate)),
                .init("momentum", .number(momentum)),
            ])
        case .adam(let learningRate, let beta1, let beta2, let epsilon):
            .mapping([
                .init("kind", .text("adam")), .init("learning-rate", .number(learningRate)),
                .init("beta1", .number(beta1)), .init("beta2", .number(beta2)), .init("epsilon", .number(epsilon)),
            ])
        }
    }
}

extension ServerOptimizer {
    /// The name of the kind in files.
    package var kindName: String {
        switch self {
        case .fedAvg: "fedavg"
        case .fedAvgM: "fedavgm"
        case .fedAdam: "fedadam"
        case .fedYogi: "fedyogi"
        case .fedAdagrad: "fedadagrad"
        }
    }

    var canonical: PlainValue {
        let numbers: [(String, Float)] =
            switch self {
            case .fedAvg(let learningRate):
                [("learning-rate", learningRate)]
            case .fedAvgM(let learningRate, let momentum):
                [("learning-rate", learningRate), ("momentum", momentum)]
            case .fedAdam(let learningRate, let beta1, let beta2, let tau),
                .fedYogi(let learningRate, let beta1, let beta2, let tau):
                [("learning-rate", learningRate), ("beta1", beta1), ("beta2", beta2), ("tau", tau)]
            case .fedAdagrad(let learningRate, let beta1, let tau):
                [("learning-rate", learningRate), ("beta1", beta1), ("tau", tau)]
            }
        return .mapping([.init("kind", .text(kindName))] + numbers.map { .init($0.0, .number($0.1)) })
    }
}

extension Failover {
    var canonical: PlainValue {
        switch self {
        case .any: .text("any")
        case .nodes(let names): .list(names.map { .text($0) })
        }
    }
}

extension NodeOverride {
    var canonical: PlainValue {
        var fields: [PlainValue.Field] = []
        if let parent { fields.append(.init("parent", .text(parent))) }
        if let failover { fields.append(.init("failover", failover.canonical)) }
        if let children { fields.append(.init("children", .number(children))) }
        if let quorum { fields.append(.init("quorum", .number(quorum))) }
        if let listen { fields.append(.init("listen", .text(listen.description))) }
        if let advertise { fields.append(.init("advertise", .text(advertise.description))) }
        if let join { fields.append(.init("join", .text(join.description))) }
        return .mapping(fields)
    }
}
