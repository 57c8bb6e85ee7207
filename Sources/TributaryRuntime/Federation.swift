// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryBus
package import TributaryClient
package import TributaryCore
import TributaryCrypto
package import TributaryFiles
import TributaryLearning
import TributaryPlanning
import TributaryProtocol
package import TributaryRing
package import TributaryTopology
package import TributaryTopologyFile

/// A topology with its keys, as one process sees it: from here every node of the file can be set up.
package struct Federation: Sendable {
    package let tree: Tree
    /// The digest of what all nodes must agree on: nodes that read different files do not talk to each other.
    ///
    /// Round count and seed are left out: they are the root's, and its plans carry them down.
    package let digest: Digest
    package let keys: KeyDirectory
    /// Where relative paths of the topology start.
    package let directory: String

    package var topology: Topology { tree.topology }

    /// The digest of all that the topology says, with seed, rounds and `simulate`: equal for runs that are the same.
    package var runDigest: Digest { Digest.sha256(of: Array(topology.canonicalText.utf8)) }

    /// What the command line says in place of the file.
    package struct Overrides: Hashable, Sendable {
        package var rounds: UInt32?
        package var seed: UInt64?
        /// Values of the file that are replaced before it is read.
        package var settings: [TopologySetting]
        package init(rounds: UInt32? = nil, seed: UInt64? = nil, settings: [TopologySetting] = []) {
            self.rounds = rounds
            self.seed = seed
            self.settings = settings
        }
    }

    /// Loads and validates a topology file; keys are read when a node needs them.
    ///
    /// - Throws: `TopologyFileError` with all errors of the file, `TopologyError` for an override out of range.
    package init(path: String, keys: String, overrides: Overrides = Overrides()) throws {
        let document = try TopologyFile.load(path, settings: overrides.settings)
        let issues = CrossCheck.issues(document.tree).filter { $0.severity == .error }
        guard issues.isEmpty else { throw TopologyFileError(diagnostics: issues.map { document.diagnostic(of: $0) }) }
        var topology = document.topology
        topology.rounds = overrides.rounds ?? topology.rounds
        topology.seed = overrides.seed ?? topology.seed
        tree = try Tree(topology)
        digest = Digest.sha256(of: Array(tree.topology.agreedText.utf8))
        self.keys = KeyDirectory(path: keys)
        directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }

    /// The data that the topology names, split for this federation, or as another seed would.
    package func data(seed: UInt64? = nil) throws -> FederatedData {
        var topology = topology
        topology.seed = seed ?? topology.seed
        return try FederatedData(topology, clientCount: tree.deviceCount, directory: directory)
    }

    private var signaturesRequired: Bool { topology.tiers.first?.signatures == .required }

    /// The root's name.
    package var root: NodeName { tree.aggregators[Tree.root].name }

    // MARK: Aggregators

    /// What the aggregator called `name` needs to run.
    ///
    /// `listen` replaces the file's endpoint, `connect` those of parents.
    ///
    /// - Throws: `FederationError` for an unknown name; errors of keys, data and files.
    package func setup(
        ofAggregator name: NodeName, listen: String?, join: String? = nil, connect: ParentEndpoints,
        stateDirectory: String
    ) throws -> AggregatorSetup {
        let position = try position(of: name)
        let node = tree.aggregators[position]
        let policy = tree.policy(ofAggregator: position)
        guard let endpoint = listen ?? node.listen?.description else { throw FederationError.noEndpoint(name) }
        let configuration = AggregatorConfiguration(tree, position: position, digest: digest)
        let own = try keys.secretKeys(of: name)
        let identity = own.curve
        let (allowList, registrar) = try admission(configuration, policy, key: identity.publicKey)
        return AggregatorSetup(
            configuration: configuration, devices: policy.devices, identity: identity, signing: own.signing,
            signaturesRequired: signaturesRequired, allowList: allowList,
            registrar: registrar, listen: endpoint, join: join ?? node.join?.description,
            advertise: listen == nil ? node.advertise?.description : nil,
            parents: try node.parent.map {
                try parents($0, or: tree.fallbacks(ofAggregator: position), connect: connect)
            } ?? [],
            root: policy.isRoot ? try root(policy, stateDirectory: stateDirectory) : nil,
            origin: policy.isRoot ? runDigest : digest,
            stateDirectory: stateDirectory,
            chunkByteCount: policy.devices.isEmpty
                ? Limits.aggregatorChunkByteCount : Limits.deviceChunkByteCount,
            jitterSeed: topology.seed ^ UInt64(position))
    }

    /// Who is admitted to a node at its start, and who decides afterwards.
    private func admission(
        _ configuration: AggregatorConfiguration, _ policy: AggregatorPolicy, key: CurvePublicKey
    ) throws -> (AllowList, Registrar) {
        let children = configuration.children
        let isDemanding = signaturesRequired
        var reader = AllowListReader(keys) { [tree] name in
            if children.role(of: name) != nil { return true }
            // Sums name who signed, however far below.
            guard isDemanding, let node = tree.node(named: name) else { return false }
            if case .device(let client) = node { return policy.clients.contains(client) }
            return true
        }
        let list = try reader.load()
        let places = Registrar.Places(
            node: policy.name, tier: topology.tiers[policy.tier + 1].name, children: policy.children.map(\.name),
            devices: policy.devices, deviceName: { [tree] in tree.deviceName($0) }, role: { children.role(of: $0) })
        return (list, Registrar(places, parentKey: key, reader: reader, list: list))
    }

    /// A node's parent and those that it turns to, in order; of the latter those whose public keys are here.
    private func parents(
        _ position: Int, or fallbacks: [Int], connect: ParentEndpoints
    ) throws -> [DeviceHost.Parent] {
        let others = fallbacks.filter { keys.has(.publicKey, of: tree.aggregators[$0].name) }
        return try [parent(position, connect: connect.ofFirst(tree.aggregators[position].name))]
            + others.map { try parent($0, connect: connect.named[tree.aggregators[$0].name]) }
    }

    private func parent(_ position: Int, connect: String?) throws -> DeviceHost.Parent {
        let node = tree.aggregators[position]
        guard let endpoint = connect ?? node.advertise?.description else {
            throw FederationError.noEndpoint(node.name)
        }
        return DeviceHost.Parent(
            name: node.name, endpoint: endpoint, key: try keys.publicKeys(of: node.name).curve)
    }

    /// A name that no other run has, though it began in the same second.
    private static func newRun(_ federation: String) -> RunID {
        let digits = String(UInt32.random(in: .min ... .max), radix: 16)
        let padding = String(repeating: "0", count: 8 - digits.count)
        return RunID("\(federation.prefix(36))-\(Clock.compactTimestamp())-\(padding)\(digits)")
    }

    private func root(_ policy: AggregatorPolicy, stateDirectory: String) throws -> AggregatorSetup.Root {
        let (architecture, evaluation) = try evaluation()
        let checkpoint = Checkpoint(
            path: stateDirectory + "/model.safetensors", federation: topology.federation, seed: topology.seed,
            layout: architecture.layout)
        return AggregatorSetup.Root(
            run: Self.newRun(topology.federation), layout: architecture.layout,
            initialModel: { [seed = topology.seed] in architecture.initialParameters(seed: seed) },
            evaluation: evaluation, checkpoint: checkpoint)
    }

    /// The means to judge models on held-out examples (`nil` when none are held out), and the layout of such models.
    ///
    /// - Throws: `FilesError` or `LearningError` when the data cannot be read or do not fit.
    package func judge() throws -> (evaluation: HeldOutEvaluation?, layout: ParameterLayout) {
        let (architecture, evaluation) = try evaluation()
        return (evaluation, architecture.layout)
    }

    private func evaluation() throws -> (ModelArchitecture, HeldOutEvaluation?) {
        let data = try data()
        let architecture = try data.architecture()
        return (architecture, try data.heldOut().map { HeldOutEvaluation(architecture: architecture, examples: $0) })
    }

    // MARK: Devices

    /// The devices at places `first..<first + count` below an aggregator, in order of client index.
    ///
    /// `connect` replaces endpoints of the file.
    /// - Throws: `FederationError` when the topology gives the aggregator fewer devices.
    package func devices(
        below name: NodeName, first: UInt64, count: UInt64, connect: ParentEndpoints
    ) throws -> [DeviceHost.Device] {
        let devices = tree.aggregators[try position(of: name)].devices
        guard count > 0, first < devices.count, count <= devices.count - first else {
            throw FederationError.noSuchDevices(parent: name, first: first, count: count, available: devices.count)
        }
        let clients = devices.indices.dropFirst(Int(first)).prefix(Int(count))
        var named = connect.named
        if let first = connect.ofFirst(name) { named[name] = first }
        return try self.devices(clients, connect: named)
    }

    /// Devices anywhere in the tree, each with its parent.
    ///
    /// `connect` replaces endpoints of the file, by the names of parents.
    /// - Throws: `FederationError` for a device or a parent that the topology does not have; errors of keys.
    package func devices(
        _ clients: some Sequence<ClientIndex>, connect: [NodeName: String]
    ) throws -> [DeviceHost.Device] {
        for name in connect.keys.sorted() { _ = try position(of: name) }
        let connect = ParentEndpoints(named: connect)
        var known: [[Int]: [DeviceHost.Parent]] = [:]
        return try clients.map { client in
            guard let policy = tree.policy(of: client), let position = tree.parent(of: client) else {
                throw FederationError.noDevice(client, deviceCount: tree.deviceCount)
            }
            let fallbacks = tree.fallbacks(of: client)
            let parents = try known[[position] + fallbacks] ?? parents(position, or: fallbacks, connect: connect)
            known[[position] + fallbacks] = parents
            let own = try keys.secretKeys(of: policy.name)
            guard own.signing != nil || !signaturesRequired else {
                throw KeyError.cannotSign(policy.name, file: keys.file(.secret, of: policy.name))
            }
            return DeviceHost.Device(policy: policy, identity: own.curve, signing: own.signing, parents: parents)
        }
    }

    private func position(of name: NodeName) throws -> Int {
        guard case .aggregator(let position)? = tree.node(named: name) else {
            throw FederationError.noAggregator(name, known: tree.aggregators.map(\.name))
        }
        return position
    }
}

/// Endpoints that replace those of the file.
package struct ParentEndpoints: Hashable, Sendable {
    /// Of the parent that a node has in the file.
    package var first: String?
    /// By the names of parents, those that a node turns to included.
    package var named: [NodeName: String]

    package init(first: String? = nil, named: [NodeName: String] = [:]) {
        self.first = first
        self.named = named
    }

    /// Of the first parent, who is called so.
    func ofFirst(_ name: NodeName) -> String? { first ?? named[name] }
}

/// What a command asked for and the topology does not have.
package enum FederationError: Error, CustomStringConvertible {
    case noAggregator(NodeName, known: [NodeName])
    case noEndpoint(NodeName)
    case noDevice(ClientIndex, deviceCount: UInt64)
    case noSuchDevices(parent: NodeName, first: UInt64, count: UInt64, available: UInt64)

    package var description: String {
        switch self {
        case .noAggregator(let name, let known):
            "the topology has no aggregator '\(name)'; it has \(known.prefix(12).map(\.value).joined(separator: ", "))"
                + (known.count > 12 ? ", ..." : "")
        case .noEndpoint(let name):
            "the topology gives '\(name)' no endpoint; add 'listen' to its tier or to nodes.\(name)"
        case .noDevice(let client, let count): "there is no device \(client); the topology has \(count)"
        case .noSuchDevices(let parent, _, _, 0):
            "'\(parent)' has no devices right below it; name the aggregator that they connect to ('tributary show')"
        case .noSuchDevices(let parent, let first, let count, let available):
            "'\(parent)' has \(available) devices; \(count) from number \(first) on are not among them"
        }
    }
}

extension Federation {
    /// Makes keys for every node of the topology that has none and never had; returns the nodes that got some.
    ///
    /// - Throws: `FilesError` when files cannot be written.
    @discardableResult
    package func createKeys() throws -> [NodeName] {
        let devices = (0..<tree.deviceCount).lazy.map { tree.deviceName(ClientIndex($0)) }
        var created: [NodeName] = []
        for name in tree.aggregators.map(\.name) + devices
        where !KeyDirectory.Kind.allCases.contains(where: { keys.has($0, of: name) }) {
            try keys.create(name)
            created.append(name)
        }
        return created
    }
}
