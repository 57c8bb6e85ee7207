// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryBus
package import TributaryClient
package import TributaryCore
package import TributaryCrypto
package import TributaryProtocol
package import TributaryRing
package import TributaryTopology

/// Everything that an aggregator's host needs, worked out from a topology, keys and the command line.
package struct AggregatorSetup {
    /// What only the root has: the run, the first model, and the means to judge and save models.
    package struct Root {
        package var run: RunID
        package var layout: ParameterLayout
        /// Makes the initial model, flat, in layout order; not kept, because it may be large.
        package var initialModel: () -> [Float]
        package var evaluation: HeldOutEvaluation?
        package var checkpoint: Checkpoint

        package init(
            run: RunID, layout: ParameterLayout, initialModel: @escaping () -> [Float],
            evaluation: HeldOutEvaluation?, checkpoint: Checkpoint
        ) {
            self.run = run
            self.layout = layout
            self.initialModel = initialModel
            self.evaluation = evaluation
            self.checkpoint = checkpoint
        }
    }

    package var configuration: AggregatorConfiguration
    /// The devices that the topology puts directly below the node.
    package var devices: ClientSet
    package var identity: CurveKeyPair
    /// What the node signs updates of its own with; `nil` when its key files hold none.
    package var signing: SigningKey?
    /// Whether the root demands signatures, and that sums show them.
    package var signaturesRequired: Bool
    /// Who is admitted now, and who decides on that while the node runs.
    package var allowList: AllowList
    package var registrar: Registrar
    package var listen: String
    /// Where the parent of new nodes takes join requests; `nil` when it takes none.
    package var join: String?
    /// Where children reach the node, when not where it listens.
    package var advertise: String?
    /// Its parent, then those that it turns to when that one is gone; empty at the root.
    package var parents: [DeviceHost.Parent]
    package var root: Root?
    /// A digest of what the node's run depends on: of the topology, at the root with seed and rounds.
    package var origin: Digest
    package var stateDirectory: String
    package var chunkByteCount: Int
    package var jitterSeed: UInt64

    package init(
        configuration: AggregatorConfiguration, devices: ClientSet, identity: CurveKeyPair,
        signing: SigningKey?, signaturesRequired: Bool, allowList: AllowList, registrar: Registrar, listen: String,
        join: String?, advertise: String?, parents: [DeviceHost.Parent], root: Root?, origin: Digest,
        stateDirectory: String, chunkByteCount: Int, jitterSeed: UInt64
    ) {
        self.configuration = configuration
        self.devices = devices
        self.identity = identity
        self.signing = signing
        self.signaturesRequired = signaturesRequired
        self.allowList = allowList
        self.registrar = registrar
        self.listen = listen
        self.join = join
        self.advertise = advertise
        self.parents = parents
        self.root = root
        self.origin = origin
        self.stateDirectory = stateDirectory
        self.chunkByteCount = chunkByteCount
        self.jitterSeed = jitterSeed
    }
}
