// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
package import TributaryFiles
package import TributaryRing

/// Where the root saves its models for people: safetensors, replaced whole after each round.
package struct Checkpoint: Sendable {
    package let path: String
    private let federation: String
    private let seed: UInt64
    private let layout: ParameterLayout
    /// Where a test lets the saving fail.
    var failPoints: FailPoints?

    package init(path: String, federation: String, seed: UInt64, layout: ParameterLayout) {
        self.path = path
        self.federation = federation
        self.seed = seed
        self.layout = layout
    }

    /// Writes flat parameters in layout order.
    ///
    /// - Throws: `FilesError` when the disk is full or fails; the model saved before stays.
    package func write(_ parameters: Span<Float>, number: RoundNumber, digest: Digest) throws(FilesError) {
        try failPoints?.pass(.write, path)
        try Safetensors.write(
            parameters, layout: layout,
            metadata: [
                "federation": federation, "seed": "\(seed)", "round": "\(number.round)", "sha256": "\(digest)",
            ],
            to: path)
        try failPoints?.pass(.rename, path)
    }
}
