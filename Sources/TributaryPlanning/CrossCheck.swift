// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
import TributaryLearning
package import TributaryTopology

/// Checks that need several sections of a topology at once: the model, the data and the tree.
package enum CrossCheck {
    /// Everything wrong or doubtful between a topology's sections.
    package static func issues(_ tree: Tree) -> [TopologyIssue] {
        modelIssues(tree.topology) + dataIssues(tree) + cohortIssues(tree)
            + deadlineIssues(tree, Workload(tree.topology, deviceCount: tree.deviceCount))
    }

    /// The shape of one example and the number of classes, where the topology alone tells them.
    package static func shape(of data: DataSpecification) -> (features: [Int], classes: Int)? {
        switch data.source {
        case .fashionMNIST: ([1, 28, 28], 10)
        case .synthetic(_, let features, let classes): ([features], classes)
        case .idx, .csv, .npz: nil
        }
    }

    private static func modelIssues(_ topology: Topology) -> [TopologyIssue] {
        if case .cnn = topology.model, case .csv = topology.data.source {
            return [
                TopologyIssue(
                    .data, at: "model.kind", "a cnn needs images; rows of a CSV file have none: use mlp or linear")
            ]
        }
        guard let shape = shape(of: topology.data) else { return [] }
        do throws(LearningError) {
            _ = try ModelArchitecture(
                specification: topology.model, featureShape: shape.features, classCount: shape.classes)
            return []
        } catch {
            return [TopologyIssue(.data, at: "model", error.description)]
        }
    }

    private static func dataIssues(_ tree: Tree) -> [TopologyIssue] {
        let data = tree.topology.data
        var issues: [TopologyIssue] = []
        if case .pathological(let perPartition, let sites) = data.partition, let classes = shape(of: data)?.classes {
            if perPartition > classes {
                issues.append(
                    TopologyIssue(
                        .data, at: "data.partition.classes-per-partition",
                        "a device cannot see \(perPartition) classes, the data has \(classes)"))
            } else if let sites, sites.classes > classes {
                issues.append(
                    TopologyIssue(
                        .data, at: "data.partition.sites.classes",
                        "a site cannot see \(sites.classes) classes, the data has \(classes)"))
            }
        }
        if data.shard == nil, let count = exampleCount(of: data), UInt64(count) < tree.deviceCount {
            issues.append(
                TopologyIssue(
                    .data, at: "data",
                    "\(count) training examples for \(tree.deviceCount) devices: most devices would have none; "
                        + "'shard: { examples: 100 }' lets each draw its own",
                    severity: .warning))
        }
        return issues
    }

    /// The number of training examples, where the topology alone tells it.
    static func exampleCount(of data: DataSpecification) -> Int? {
        let share = min(1, max(0, 1 - data.holdOut))
        switch data.source {
        case .fashionMNIST: return Int(60_000 * share)
        case .synthetic(let examples, _, _): return Int(Double(examples) * share)
        case .idx, .csv, .npz: return nil
        }
    }

    private static func cohortIssues(_ tree: Tree) -> [TopologyIssue] {
        let expected = tree.topology.cohortExpected(among: tree.deviceCount)
        guard expected < 1 else { return [] }
        return [
            TopologyIssue(
                .quorum, at: "tiers[\(tree.topology.tiers.count - 1)].cohort",
                "fewer than one device is chosen in a round on average; choose a larger share", severity: .warning)
        ]
    }
}

extension Topology {
    /// How many clients a round chooses on average among `clientCount`, over-selection included.
    package func cohortExpected(among clientCount: UInt64) -> Double {
        switch selection {
        case .fraction(let fraction, let overSelect):
            Double(clientCount) * min(1, fraction * overSelect)
        case .count(let count, let overSelect):
            min(Double(clientCount), (Double(count) * overSelect).rounded(.up))
        }
    }
}
