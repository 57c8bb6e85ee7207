// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

extension Topology {
    /// Everything wrong or doubtful that the topology shows by itself, in the order of the file's sections.
    package func issues() -> [TopologyIssue] {
        var check = TopologyCheck(self)
        _ = check.run()
        return check.issues
    }

    /// The number of the device with a name; `nil` when there is none.
    func deviceIndex(named name: String, deviceCount: UInt64) -> UInt64? {
        guard let tier = tiers.last else { return nil }
        if case .names(let names) = tier.fanOut {
            return names.firstIndex(of: name).map { UInt64($0) }
        }
        let stem = tier.name + "-"
        guard name.hasPrefix(stem) else { return nil }
        let digits = name.utf8.dropFirst(stem.utf8.count)
        guard !digits.isEmpty, digits.count <= 20, digits.allSatisfy({ (48...57).contains($0) }),
            digits.count == 1 || digits.first != 48, let index = UInt64(String(Substring(digits))),
            index < deviceCount
        else { return nil }
        return index
    }
}

/// One pass over a topology: collects issues and builds the tree on the way.
struct TopologyCheck {
    let topology: Topology
    var issues: [TopologyIssue] = []

    init(_ topology: Topology) { self.topology = topology }

    /// Checks everything; a tree comes out when nothing stood in the way of building one.
    mutating func run() -> Tree? {
        checkHead()
        checkTiers()
        guard issues.allSatisfy({ $0.severity != .error }) else {
            return nil
        }
        guard var layout = TreeLayout(topology, issues: &issues) else { return nil }
        checkCohortSize(deviceCount: layout.deviceCount)
        layout.finish(&issues)
        return issues.contains { $0.severity == .error } ? nil : layout.tree()
    }

    private mutating func checkCohortSize(deviceCount: UInt64) {
        if case .count(let count, _) = topology.selection, count > deviceCount {
            report(
                .quorum, "tiers[\(topology.tiers.count - 1)].cohort.count",
                "a cohort of \(count) cannot be chosen among \(deviceCount) devices")
        }
    }

    mutating func report(_ code: TopologyIssue.Code, _ path: String, _ message: String) {
        issues.append(TopologyIssue(code, at: path, message))
    }

    mutating func warn(_ code: TopologyIssue.Code, _ path: String, _ message: String) {
        issues.append(TopologyIssue(code, at: path, message, severity: .warning))
    }
}
