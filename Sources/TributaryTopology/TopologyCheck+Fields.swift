// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

// Checks of single fields: what they are by themselves, before any tree is built.

extension TopologyCheck {
    /// Checks the sections above `tiers`.
    mutating func checkHead() {
        if !Self.isText(topology.federation) {
            report(
                .name, "federation",
                "the federation's name must have 1 to \(Limits.nameByteCountMax) letters, digits, '-', '_' or '.'")
        }
        if topology.rounds < 1 || topology.rounds > Limits.roundCountMax {
            report(.range, "rounds", "rounds must lie in 1...\(Limits.roundCountMax)")
        }
        if let stop = topology.stop {
            let isFit = stop.metric == .accuracy ? (stop.threshold > 0 && stop.threshold <= 1) : stop.threshold > 0
            if !isFit || !stop.threshold.isFinite {
                report(
                    .range, "stop.at",
                    stop.metric == .accuracy ? "an accuracy lies in (0, 1]" : "a loss to stop at must be positive")
            }
        }
        if topology.evaluation.every < 1 {
            report(.range, "evaluation.every", "'every' must be at least 1 round")
        }
        if let devices = topology.evaluation.onDevices {
            if devices.every < 1 { report(.range, "evaluation.devices.every", "'every' must be at least 1 round") }
            if !(devices.holdOut > 0 && devices.holdOut < 1) {
                report(.range, "evaluation.devices.hold-out", "the devices' hold-out share must lie in (0, 1)")
            }
        }
        checkModel()
        checkData()
        checkVariety()
    }

    private mutating func checkModel() {
        switch topology.model {
        case .linear:
            break
        case .mlp(let hidden):
            checkWidths(hidden)
            if hidden.isEmpty {
                report(.range, "model.hidden", "an mlp needs at least one hidden layer; or use linear")
            }
        case .cnn(let blocks, let hidden):
            checkWidths(hidden)
            if blocks.isEmpty { report(.range, "model.blocks", "a cnn needs at least one block") }
            if blocks.count > 8 { report(.limit, "model.blocks", "a cnn has at most 8 blocks") }
            for (index, block) in blocks.enumerated() {
                if block.channels < 1 || block.channels > 4096 {
                    report(.range, "model.blocks[\(index)].channels", "channels must lie in 1...4096")
                }
                if block.kernel < 1 || block.kernel > 11 || block.kernel % 2 == 0 {
                    report(.range, "model.blocks[\(index)].kernel", "a kernel's edge must be odd and lie in 1...11")
                }
            }
        }
    }

    private mutating func checkWidths(_ hidden: [Int]) {
        if hidden.count > 32 { report(.limit, "model.hidden", "at most 32 hidden layers are possible") }
        for (index, width) in hidden.enumerated() where width < 1 || width > 1 << 20 {
            report(.range, "model.hidden[\(index)]", "a hidden layer's width must lie in 1...1048576")
        }
    }

    private mutating func checkData() {
        if !(topology.data.holdOut >= 0 && topology.data.holdOut < 1) {
            report(.range, "data.hold-out", "the hold-out share must lie in [0, 1)")
        }
        if case .synthetic(let examples, let features, let classes) = topology.data.source {
            for (key, value, range) in [
                ("examples", examples, 1...1_000_000_000), ("features", features, 1...1_000_000),
                ("classes", classes, 2...65_536),
            ] where !range.contains(value) {
                report(.range, "data.\(key)", "\(key) must lie in \(range.lowerBound)...\(range.upperBound)")
            }
        }
        switch topology.data.partition {
        case .dirichlet(let alpha):
            if !(alpha > 0 && alpha <= 1e6) {
                report(.range, "data.partition.alpha", "alpha must be positive and at most 1000000")
            }
        case .pathological(let classes, let sites):
            if classes < 1 || classes > 65_536 {
                report(.range, "data.partition.classes-per-partition", "classes-per-partition must lie in 1...65536")
            }
            if let sites { checkSites(sites, classesPerPartition: classes) }
        case .naturalID:
            if case .csv(_, _, let client, _) = topology.data.source, client != nil { break }
            report(
                .data, "data.partition.kind",
                "a natural-id partition needs data of kind csv with a 'client' column; the source names none")
        case .iid, .linear, .square, .exponential:
            break
        }
    }

    /// Whether a federation's name is fit for paths, logs and labels.
    static func isText(_ name: String) -> Bool {
        let bytes = name.utf8
        guard let first = bytes.first, bytes.count <= Limits.nameByteCountMax, first != UInt8(ascii: ".") else {
            return false
        }
        return bytes.allSatisfy { byte in
            switch byte {
            case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
            default: false
            }
        }
    }

    /// Whether a tier's or node's name is fit for host names, labels and file names.
    static func isNodeName(_ name: String) -> Bool {
        NodeName.isValid(name)
    }

    static let nameRule = "use a-z, 0-9 and '-' between them, at most \(Limits.nameByteCountMax) bytes"
}
