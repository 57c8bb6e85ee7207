// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryBus
package import TributaryClient
package import TributaryCore
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
    package var admission: Admission
    package var listen: String
    /// Its parent, then those that it turns to when that one is gone; empty at the root.
    package var parents: [DeviceHost.Parent]
    package var root: Root?
    package var stateDirectory: String
    package var chunkByteCount: Int
    package var jitterSeed: UInt64

    package init(
        configuration: AggregatorConfiguration, devices: ClientSet, identity: CurveKeyPair,
        admission: Admission, listen: String, parents: [DeviceHost.Parent], root: Root?, stateDirectory: String,
        chunkByteCount: Int, jitterSeed: UInt64
    ) {
        self.configuration = configuration
        self.devices = devices
        self.identity = identity
        self.admission = admission
        self.listen = listen
        self.parents = parents
        self.root = root
        self.stateDirectory = stateDirectory
        self.chunkByteCount = chunkByteCount
        self.jitterSeed = jitterSeed
    }
}
