// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// Where a federation's examples come from and how they are spread over its devices.
package struct DataSpecification: Hashable, Sendable {
    /// The files that hold the examples.
    package enum Source: Hashable, Sendable {
        /// The files of Debian's dataset-fashion-mnist: 60,000 + 10,000 images of 28 x 28, 10 classes.
        case fashionMNIST
        /// IDX files (optionally .gz): images and labels; `test` holds the root's held-out pair.
        case idx(images: String, labels: String, testImages: String?, testLabels: String?)
        /// A CSV file with a header (optionally .gz); `client` names the column that says whose row it is.
        case csv(path: String, label: String, client: String?, test: String?)
        /// A NumPy archive with one array of features and one of labels.
        case npz(path: String, features: String, labels: String, test: String?)
        /// Seeded Gaussian classes: `examples` rows of `features` values in `classes` classes.
        case synthetic(examples: Int, features: Int, classes: Int)

        /// Whether the source brings a test set of its own, so that nothing need be held out for the root.
        package var hasTestSet: Bool {
            switch self {
            case .fashionMNIST: true
            case .idx(_, _, let testImages, _): testImages != nil
            case .csv(_, _, _, let test), .npz(_, _, _, let test): test != nil
            case .synthetic: false
            }
        }
    }

    package var source: Source
    package var partition: PartitionSpecification
    /// The share of the training examples kept at the root for evaluation when the source has no test set; in [0, 1).
    package var holdOut: Double
    /// Each device draws its own shard; `nil` cuts one table into as many partitions as there are devices.
    package var shard: ShardSpecification?
    /// How devices differ in what they measure; `nil` for not at all.
    package var skew: SkewSpecification?
    /// How the world changes from round to round; changes add up in order.
    package var drift: [DriftSpecification]

    package init(
        source: Source, partition: PartitionSpecification, holdOut: Double, shard: ShardSpecification? = nil,
        skew: SkewSpecification? = nil, drift: [DriftSpecification] = []
    ) {
        self.source = source
        self.partition = partition
        self.holdOut = holdOut
        self.shard = shard
        self.skew = skew
        self.drift = drift
    }
}

/// Devices side by side that together see only some of the classes.
package struct PartitionSites: Hashable, Sendable {
    /// Consecutive client indices of a site; the last site takes what is left.
    package var devices: Int
    /// Classes that a site sees.
    package var classes: Int

    package init(devices: Int, classes: Int) {
        self.devices = devices
        self.classes = classes
    }
}

/// How examples are spread over devices; named as in flwr-datasets (IidPartitioner, DirichletPartitioner, ...).
package enum PartitionSpecification: Hashable, Sendable {
    /// Shuffled, then dealt evenly.
    case iid
    /// Each class is spread by a Dirichlet(alpha) draw over the devices; smaller alpha is more skewed.
    case dirichlet(alpha: Double)
    /// Each device sees so many classes; with sites, the devices of one site together see no more than the site's.
    case pathological(classesPerPartition: Int, sites: PartitionSites? = nil)
    /// Sizes grow linearly with the partition's number.
    case linear
    /// Sizes grow with the square of the partition's number.
    case square
    /// Sizes grow exponentially with the partition's number.
    case exponential
    /// One device per distinct value of the source's client column, in order of first appearance.
    case naturalID
}
