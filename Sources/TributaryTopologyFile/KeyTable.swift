// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryTopology

/// Every key of a topology file: what the reader accepts and what the JSON schema says.
enum KeyTable {
    private typealias Key = KeySpecification

    static let root = Section(keys: [
        Key("tributary", .choice(["v1"]), required: true, "The version of the file format."),
        Key("federation", .text, required: true, "The federation's name."),
        Key("seed", .integer(0...UInt64.max), "Keys every random choice of a run; 1 by default."),
        Key("model", .variants(models), required: true, "The model that is trained."),
        Key("data", .variants(data), required: true, "The examples and how they are spread over the devices."),
        Key("rounds", .integer(1...UInt64(Limits.roundCountMax)), required: true, "Rounds of the root."),
        Key("stop", .section(stop), "Ends the run early."),
        Key("evaluation", .section(evaluation), "When the model is evaluated, and on whose examples."),
        Key("tiers", .list(.section(tier)), required: true, "The tiers, root first, devices last."),
        Key("nodes", .named(node), "Nodes that differ from their tier, by name."),
        Key("simulate", .section(simulate), "Read by simulations only."),
    ])

    static let models = [
        Variant("linear", "Multinomial logistic regression."),
        Variant(
            "mlp", "Dense layers with ReLU.",
            [
                Key("hidden", .list(.integer(1...1 << 20)), required: true, "The widths of the hidden layers.")
            ]),
        Variant(
            "cnn", "Convolution blocks, then dense layers.",
            [
                Key("blocks", .list(.section(block)), required: true, "Convolution, ReLU and 2 x 2 max-pool each."),
                Key("hidden", .list(.integer(1...1 << 20)), "The widths of the dense hidden layers; none by default."),
            ]),
    ]

    private static let block = Section(keys: [
        Key("channels", .integer(1...4096), required: true, "Output channels."),
        Key("kernel", .integer(1...11), "The kernel's edge, odd; 3 by default."),
    ])

    private static let common = [
        Key("hold-out", .number, "The share kept at the root for evaluation when there is no test set."),
        Key("partition", .variants(partitions), "How examples are spread over devices; iid by default."),
        Key("shard", .section(shard), "Each device draws its own examples, in place of a share of one table."),
        Key("skew", .section(skew), "How devices differ in what they measure; held-out examples stay as they are."),
        Key("drift", .list(.variants(drifts)), "How the world changes by round, held-out examples included."),
    ]

    static let data = [
        Variant(
            "fashion-mnist", "28 x 28 images of garments, 10 classes, from Debian's dataset-fashion-mnist.", common),
        Variant(
            "idx", "A pair of IDX files, optionally gzipped.",
            [
                Key("images", .text, required: true, "The file of training images."),
                Key("labels", .text, required: true, "The file of training labels."),
                Key("test-images", .text, "The file of held-out images."),
                Key("test-labels", .text, "The file of held-out labels."),
            ] + common),
        Variant(
            "csv", "A CSV file with a header, optionally gzipped.",
            [
                Key("path", .text, required: true, "The file."),
                Key("label", .text, required: true, "The column that holds the class."),
                Key("client", .text, "The column that says whose row it is."),
                Key("test", .text, "A file of held-out rows."),
            ] + common),
        Variant(
            "npz", "A NumPy archive.",
            [
                Key("path", .text, required: true, "The archive."),
                Key("features", .text, "The array of features; 'features' by default."),
                Key("labels", .text, "The array of labels; 'labels' by default."),
                Key("test", .text, "An archive of held-out examples."),
            ] + common),
        Variant(
            "synthetic", "Seeded Gaussian classes.",
            [
                Key(
                    "examples", .integer(1...1_000_000_000), required: true,
                    "Rows of the table; with shard, only the root's share of them is made."),
                Key("features", .integer(1...1_000_000), required: true, "The number of values in a row."),
                Key("classes", .integer(2...65_536), required: true, "The number of classes."),
            ] + common),
    ]

    static let partitions = [
        Variant("iid", "Shuffled, then dealt evenly."),
        Variant(
            "dirichlet", "Each class is spread by a Dirichlet draw.",
            [
                Key("alpha", .number, required: true, "The concentration: smaller is more skewed.")
            ]),
        Variant(
            "pathological", "Each device sees so many classes.",
            [
                Key("classes-per-partition", .integer(1...65_536), required: true, "Classes that each device sees."),
                Key("sites", .section(sites), "Devices side by side that together see only some classes."),
            ]),
        Variant("linear", "Sizes grow linearly."),
        Variant("square", "Sizes grow with the square."),
        Variant("exponential", "Sizes grow exponentially."),
        Variant("natural-id", "One device per value of the client column."),
    ]

    private static let sites = Section(keys: [
        Key("devices", .integer(1...1_000_000), required: true, "So many consecutive devices are a site."),
        Key("classes", .integer(1...65_536), required: true, "Classes that a site sees."),
    ])

    private static let stop = Section(keys: [
        Key("metric", .choice(StopRule.Metric.allCases.map(\.rawValue)), required: true, "Held out at the root."),
        Key("at", .number, required: true, "Ends at this accuracy or more, or this loss or less."),
    ])

    private static let evaluation = Section(keys: [
        Key("every", .integer(1...UInt64(Limits.roundCountMax)), "Held-out evaluation every so many rounds; 1."),
        Key(
            "devices",
            .section(
                Section(keys: [
                    Key("every", .integer(1...UInt64(Limits.roundCountMax)), "Every so many rounds; 1."),
                    Key("hold-out", .number, "The share of its examples that a device never trains on; 0.1."),
                ])), "Evaluation on the devices' own held-out examples."),
    ])

    static let tier = Section(
        keys: [
            Key("name", .text, required: true, "The tier's name: a-z, 0-9 and '-'."),
            Key("nodes", .list(.text), "Its nodes by name."),
            Key("count", .integer(0...UInt64.max), "So many nodes, spread over the parents."),
            Key("per-parent", .integer(0...UInt64.max), "So many nodes below each parent."),
            Key(
                "rule", .variants([Variant("mean", "The mean, weighted by examples.")]), "The aggregation rule.",
                place: .aggregators),
            Key(
                "optimizer", .variants(serverOptimizers), "The step at the tier; FedAvg at the root by default.",
                place: .aggregators),
            Key("quorum", .number, "The share of the chosen clients that must report; 0.5.", place: .aggregators),
            Key("deadline", .duration, "The root's deadline for a round; 60s. Inner ones follow.", place: .aggregators),
            Key(
                "edge-rounds", .integer(0...1000), "Rounds with the members inside one of the parent's; 1.",
                place: .aggregators),
            Key("island", .section(island), "What a node does while its parent is gone.", place: .aggregators),
            Key("cohort", .section(cohort), "Who takes part in a round; everybody by default.", place: .devices),
            Key(
                "train", .scalarOr(.choice(["none"]), train),
                "How devices train; 'none': each sends a seeded pseudo-delta.", place: .devices),
            Key(
                "uplink",
                .section(
                    Section(keys: [
                        Key(
                            "encoding", .choice(UplinkEncoding.allCases.map(\.rawValue)), required: true,
                            "float32 for deltas, exact for sums.")
                    ])), "How the tier sends to its parent.", place: .belowRoot),
            Key(
                "failover", failover,
                "Whom its nodes turn to when their parent is gone: 'any', or nodes of the tier above.",
                place: .belowRoot),
            Key("listen", .endpoint, "Where the tier's first node accepts children.", place: .aggregators),
            Key("advertise", .endpoint, "Where children reach the tier's first node.", place: .aggregators),
            Key(
                "signatures", .choice(SignatureRule.allCases.map(\.rawValue)),
                "At the root: 'required' has everybody sign, and sums show it; checked.", place: .aggregators),
            Key(
                "join", .endpoint, "Where the tier's first node enrols who has a token; nowhere by default.",
                place: .aggregators),
        ],
        exclusive: [["nodes", "count", "per-parent"]])

    static let island = Section(keys: [
        Key("edge-rounds", .integer(0...1000), "Rounds that it opens on its own, dropped when the parent returns; 0.")
    ])

    static let serverOptimizers = [
        Variant("fedavg", "The mean delta times the learning rate.", [serverRate("1")]),
        Variant(
            "fedavgm", "FedAvg with momentum.",
            [
                serverRate("1"), Key("momentum", .number, "0.9 by default."),
            ]),
        Variant("fedadam", "Adam on the mean delta.", adaptive),
        Variant("fedyogi", "Yogi on the mean delta.", adaptive),
        Variant(
            "fedadagrad", "Adagrad on the mean delta.",
            [
                serverRate("0.1"), Key("beta1", .number, "0 by default."), Key("tau", .number, "0.001 by default."),
            ]),
    ]

    private static func serverRate(_ value: String) -> KeySpecification {
        Key("learning-rate", .number, "\(value) by default.")
    }

    private static let adaptive = [
        serverRate("0.01"), Key("beta1", .number, "0.9 by default."), Key("beta2", .number, "0.99 by default."),
        Key("tau", .number, "The adaptivity; 0.001 by default."),
    ]

    private static let cohort = Section(
        keys: [
            Key("fraction", .number, "The share of the devices, in (0, 1]; 1."),
            Key("count", .integer(1...UInt64.max), "So many devices."),
            Key("over-select", .number, "How many more are asked than are waited for; 1."),
        ],
        exclusive: [["fraction", "count"]])

    private static let train = Section(
        keys: [
            Key("local-epochs", .integer(1...10_000), "Passes over the local examples; 1."),
            Key("local-steps", .integer(1...10_000_000), "Steps of one batch each."),
            Key("batch", .integer(1...65_536), "Examples per step; 32."),
            Key("optimizer", .variants(clientOptimizers), "The local optimizer; sgd by default."),
            Key("proximal", .number, "FedProx's mu; 0."),
            Key("delta-bound", .number, "The largest magnitude of a delta's value; 8."),
            Key("weight-max", .integer(1...1 << 40), "The most examples that a device counts for; 1048576."),
            Key("on-excess", .choice(Training.OnExcess.allCases.map(\.rawValue)), "A delta beyond the bound; scale."),
        ],
        exclusive: [["local-epochs", "local-steps"]])

    static let clientOptimizers = [
        Variant(
            "sgd", "Stochastic gradient descent.",
            [
                Key("learning-rate", .number, "0.05 by default."), Key("momentum", .number, "0 by default."),
            ]),
        Variant(
            "adam", "Adam.",
            [
                Key("learning-rate", .number, "0.001 by default."), Key("beta1", .number, "0.9 by default."),
                Key("beta2", .number, "0.999 by default."), Key("epsilon", .number, "1e-8 by default."),
            ]),
    ]

    private static let failover = Shape.choiceOrList(["any"], .text)

    static let node = Section(keys: [
        Key("parent", .text, "Another parent in the tier above."),
        Key("failover", failover, "Whom the node turns to when its parent is gone; in place of its tier's."),
        Key("children", .integer(0...UInt64.max), "How many children, in place of the next tier's per-parent."),
        Key("quorum", .number, "The node's own quorum."),
        Key("listen", .endpoint, "Where the node accepts children."),
        Key("advertise", .endpoint, "Where children reach the node."),
        Key("join", .endpoint, "Where the node enrols who has a token."),
    ])
}
