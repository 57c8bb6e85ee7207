// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

extension Topology {
    /// Everything wrong or doubtful that the topology shows by itself, in the order of the file's sections.
    ///
    /// - Parameter broken: paths whose values are known to be wrong and stand for defaults; nothing is said about them.
    /// - Returns: errors and warnings.
    package func issues(besides broken: [String] = []) -> [TopologyIssue] {
        var check = TopologyCheck(self, broken: broken)
        _ = check.run()
        return check.issues
    }

    /// The number of the device with a name; `nil` when there is none.
    func deviceIndex(named name: String, deviceCount: UInt64) -> UInt64? {
        guard let tier = tiers.last else { return nil }
        if case .names(let names) = tier.fanOut {
            return names.firstIndex(of: name).map { UInt64($0) }
        }
        return Self.index(in: name.utf8, stem: tier.name.utf8).flatMap { $0 < deviceCount ? $0 : nil }
    }

    /// The number behind a stem and a hyphen, written without leading zeros; made for being asked at every message.
    private static func index(in name: String.UTF8View, stem: String.UTF8View) -> UInt64? {
        var bytes = name.makeIterator()
        for byte in stem where bytes.next() != byte { return nil }
        guard bytes.next() == UInt8(ascii: "-"), let first = bytes.next(), var index = digit(first) else { return nil }
        while let byte = bytes.next() {
            guard index > 0, let digit = digit(byte) else { return nil }
            let (tens, overflow) = index.multipliedReportingOverflow(by: 10)
            let (next, overflowBelow) = tens.addingReportingOverflow(digit)
            guard !overflow, !overflowBelow else { return nil }
            index = next
        }
        return index
    }

    private static func digit(_ byte: UInt8) -> UInt64? {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) ? UInt64(byte - UInt8(ascii: "0")) : nil
    }
}

/// One pass over a topology: collects issues and builds the tree on the way.
struct TopologyCheck {
    let topology: Topology
    /// Paths that are known to be wrong already; nothing is said about them again.
    let broken: [String]
    private(set) var issues: [TopologyIssue] = []

    init(_ topology: Topology, broken: [String] = []) {
        self.topology = topology
        self.broken = broken
    }

    /// Checks everything; a tree comes out when nothing stood in the way of building one.
    mutating func run() -> Tree? {
        checkHead()
        checkTiers()
        checkSimulation()
        guard canPlaceNodes else { return nil }
        var found: [TopologyIssue] = []
        let canCompute = issues.allSatisfy { $0.severity != .error } && broken.isEmpty
        defer { add(found) }
        guard var layout = TreeLayout(topology, issues: &found) else { return nil }
        found += cohortSizeIssues(deviceCount: layout.deviceCount)
        found += layout.simulationIssues()
        layout.finish(&found)
        guard canCompute, found.allSatisfy({ $0.severity != .error }) else { return nil }
        layout.assignRings(&found)
        return found.contains { $0.severity == .error } ? nil : layout.tree()
    }

    /// Whether the number, names and order of nodes are known, so that looking at the tree finds true issues only.
    private var canPlaceNodes: Bool {
        let blocking: Set<TopologyIssue.Code> = [.tiers, .name, .duplicateName, .count, .limit]
        guard issues.allSatisfy({ !blocking.contains($0.code) && !Self.isPlacement($0.path) }) else { return false }
        return knowsNames
    }

    /// Whether what the file says about names and numbers of nodes could be read.
    var knowsNames: Bool { !broken.contains(where: Self.isPlacement) }

    /// Whether a path says how many nodes a tier has or what they are called.
    private static func isPlacement(_ path: String) -> Bool {
        guard path.hasPrefix("tiers") else { return false }
        let keys = path.split(separator: ".").dropFirst()
        guard let key = keys.first else { return true }
        return ["name", "nodes", "count", "per-parent"].contains { key == $0 || key.hasPrefix($0 + "[") }
    }

    private func cohortSizeIssues(deviceCount: UInt64) -> [TopologyIssue] {
        guard case .count(let count, _) = topology.selection, count > deviceCount else { return [] }
        return [
            TopologyIssue(
                .quorum, at: "tiers[\(topology.tiers.count - 1)].cohort.count",
                "a cohort of \(count) cannot be chosen among \(deviceCount) devices")
        ]
    }

    mutating func report(
        _ code: TopologyIssue.Code, _ path: String, _ message: String, suggestion: String? = nil
    ) {
        add([TopologyIssue(code, at: path, message, suggestion: suggestion)])
    }

    /// Adds what is not about a path that is known to be broken.
    private mutating func add(_ found: [TopologyIssue]) {
        issues += found.filter { issue in
            !broken.contains { path in
                path == issue.path || issue.path.hasPrefix(path + ".") || issue.path.hasPrefix(path + "[")
                    || (issue.code == .count && path.hasPrefix(issue.path + "."))
            }
        }
    }
}
