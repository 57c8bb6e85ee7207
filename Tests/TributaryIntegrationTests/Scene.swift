// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// A small federation of a cloud, regions and devices on synthetic data, as a topology file.
struct Scene {
    var rounds = 3
    var deadline = "60s"
    /// Of the cloud and of every region.
    var quorum = 0.5
    var regions = ["east"]
    var devicesPerRegion = 4
    var examples = 240
    var features = 8
    var hidden = 8
    /// The lines of the devices' `train` section.
    var train = ["local-epochs: 1", "batch: 16"]
    /// The `data` section in place of the synthetic one.
    var data: [String]?
    /// The `model` section in place of a perceptron of `hidden` values.
    var model: String?
    /// Whether the root demands signatures.
    var signed = false
    /// The `evaluation` section.
    var evaluation: String?
    /// Whom devices turn to when their region is gone.
    var failover: String?

    var text: String {
        let data =
            data ?? ["kind: synthetic", "examples: \(examples)", "features: \(features)", "classes: 3"]
        return """
            tributary: v1
            federation: scene
            seed: 4
            model: \(model ?? "{kind: mlp, hidden: [\(hidden)]}")
            data:
            \(Self.indented(data, by: 2))
            rounds: \(rounds)
            \(evaluation.map { "evaluation: \($0)" } ?? "")
            tiers:
              - name: cloud
                quorum: \(quorum)
                deadline: \(deadline)\(signed ? "\n    signatures: required" : "")
              - name: region
                nodes: [\(regions.joined(separator: ", "))]
                quorum: \(quorum)
              - name: device
                per-parent: \(devicesPerRegion)
                \(failover.map { "failover: \($0)" } ?? "")
                train:
            \(Self.indented(train, by: 6))

            """
    }

    private static func indented(_ lines: [String], by count: Int) -> String {
        lines.map { String(repeating: " ", count: count) + $0 }.joined(separator: "\n")
    }
}

/// A federation whose nodes a test starts itself, in the order that it likes.
struct ByHand {
    let fleet: Fleet
    let topology: String
    let keys: String

    /// Makes the keys of a topology file.
    init(_ fleet: Fleet, topology: String) throws {
        self.fleet = fleet
        self.topology = topology
        keys = fleet.directory("keys")
        try fleet.succeed("keys", ["key", "new", "--topology", topology, "--keys", keys])
    }

    init(_ fleet: Fleet, _ scene: Scene) throws {
        try self.init(fleet, topology: fleet.directory.write(scene.text, as: "scene.yaml"))
    }

    /// What every node is told; it ends when this test is gone.
    func common(_ state: String, keys: String? = nil) -> [String] {
        ["--keys", keys ?? self.keys, "--state", fleet.directory("state/\(state)"), "--format", "jsonl"]
            + ["--end-with-standard-input"]
    }

    /// The arguments of an aggregator; `port` 0 takes any.
    func node(
        _ name: String, port: UInt16 = 0, connect: String? = nil, or others: [String: String] = [:],
        keys: String? = nil
    ) -> [String] {
        let listen = "tcp://127.0.0.1:\(port == 0 ? "*" : "\(port)")"
        return ["node", topology, "--name", name, "--listen", listen] + common(name, keys: keys)
            + (connect.map { ["--connect", $0] } ?? [])
            + others.sorted { $0.key < $1.key }.flatMap { ["--connect", "\($0)=\($1)"] }
    }

    @discardableResult
    func start(
        _ name: String, port: UInt16 = 0, connect: String? = nil, or others: [String: String] = [:],
        keys: String? = nil
    ) throws -> Running {
        try fleet.start(name, node(name, port: port, connect: connect, or: others, keys: keys))
    }

    /// Starts devices in one process.
    @discardableResult
    func devices(
        below parent: String, _ range: Range<Int>, connect: String, or others: [String: String] = [:],
        keys: String? = nil
    ) throws -> Running {
        let state = "\(parent)-\(range.lowerBound)"
        return try fleet.start(
            "devices of \(state)",
            ["device", topology, "--parent", parent, "--first", "\(range.lowerBound)", "--count", "\(range.count)"]
                + ["--connect", connect] + others.sorted { $0.key < $1.key }.flatMap { ["--connect", "\($0)=\($1)"] }
                + common(state, keys: keys))
    }

    /// Waits until an aggregator listens; returns where.
    func endpoint(of node: Running) throws -> String {
        guard let endpoint: String = try fleet.wait(for: "listening", of: node)["endpoint"] else {
            throw Trouble("no endpoint: \(node.tail)")
        }
        return endpoint
    }

    /// A device in Python, which does what `send` says wrong.
    func python(
        _ name: String, index: Int, parent: String, connect: String, _ options: [String] = []
    ) throws -> Running {
        try fleet.start(
            name, program: Fleet.python(),
            [Fleet.root + "/Tests/Python/device.py", "--endpoint", connect, "--server-key", "\(keys)/\(parent).pub"]
                + ["--key-file", "\(keys)/\(name).key", "--name", name, "--client-index", "\(index)"] + options)
    }
}
